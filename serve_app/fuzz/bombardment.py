"""Sends attacks to a service and judges every answer: a problem of the 4xx, and a short one."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx
from pydantic import ValidationError

from serve_app.api.problems import MEDIA_TYPE, TYPE_PREFIX
from serve_app.fuzz.malformed import Attack
from serve_app.schemas import Problem

LONGEST_ANSWER = 64_000  # bytes, whatever was sent
SHOWN = 300


@dataclass(slots=True)
class Bombardment:
    """What came back: answers by kind of attack and status, and what was wrong with them."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    longest_answer: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Number of attacks that were answered."""
        return sum(self.answers.values())


async def bombard(
    http: httpx.AsyncClient,
    attacks: Iterable[Attack],
    *,
    at_once: int = 4,
    after_each: Callable[[int], None] = lambda _: None,
) -> Bombardment:
    """Send all attacks, `at_once` at a time; `after_each` is told how many were answered."""
    done, rest = Bombardment(), iter(attacks)

    async def sender() -> None:
        for attack in rest:
            answer = await http.post(
                attack.target.path, content=attack.content, headers=dict(attack.headers)
            )
            done.answers[attack.kind, answer.status_code] += 1
            done.longest_answer = max(done.longest_answer, len(answer.content))
            wrong = complaint(attack, answer)
            if wrong is not None:
                done.complaints.append(wrong)
            after_each(done.sent)

    await asyncio.gather(*(sender() for _ in range(at_once)))
    return done


def complaint(attack: Attack, answer: httpx.Response) -> str | None:
    """What is wrong with the answer to an attack; None where it is as it should be.

    Of a list whose items are all bad each item has its own problem, beside a status of 200.
    """
    if attack.target.is_list and answer.status_code == httpx.codes.OK:
        problems = [item.get("problem", item) for item in answer.json()]
        wrong = next(filter(None, map(_wrong_problem, problems)), None)
    elif not httpx.codes.is_client_error(answer.status_code):
        wrong = "expected a status of 4xx"
    elif answer.headers.get("content-type") != MEDIA_TYPE:
        wrong = f"expected {MEDIA_TYPE}; got {answer.headers.get('content-type')}"
    else:
        wrong = _wrong_problem(answer.json(), answer.status_code)
    if wrong is None and len(answer.content) > LONGEST_ANSWER:
        wrong = f"expected at most {LONGEST_ANSWER} bytes; got {len(answer.content)}"
    if wrong is None:
        return None
    return (
        f"{attack.kind}: POST {attack.target.path} {dict(attack.headers)} "
        f"{attack.content[:SHOWN]!r}: {wrong}: {answer.status_code} {answer.content[:SHOWN]!r}"
    )


def _wrong_problem(item: object, status: int | None = None) -> str | None:
    try:
        problem = Problem.model_validate(item)
    except ValidationError:
        return f"expected a problem; got {json.dumps(item)[:SHOWN]}"
    if not 400 <= problem.status < 500 or (status is not None and status != problem.status):
        return f"expected a problem of status {status or '4xx'}; got {problem.status}"
    if not problem.type.startswith(TYPE_PREFIX) or not problem.detail:
        return f"expected a type {TYPE_PREFIX}... and a detail; got {problem.type!r}"
    return None
