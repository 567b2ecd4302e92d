"""One exchange with the service, without I/O: a request, its answer, when to try again.

The clients of `serve_app.client` are two thin shells, sync and async, around this.

Everything in this contract is safe to repeat. Reads and `predict` change nothing; a registration
with the same content gets the same answer; the service recognises a score update that it has;
the end of a game is the same account each time. So a request whose answer was lost is sent again.
"""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import update_wrapper
from typing import Any, Generic, TypeVar, get_args

import httpx
from pydantic import ValidationError

from serve_app.client.errors import (
    NO_TYPE,
    AnswerError,
    AnswerTimeoutError,
    ClientError,
    ProblemError,
    UnreachableError,
    is_temporary,
    problem_error,
)
from serve_app.schemas import Problem

DEFAULT_URL = "http://127.0.0.1:8000"
KEY_VARIABLE = "HALFTIME_API_KEY"
"""Where programs find their key: not on a command line, which everybody on the machine can read."""
DEFAULT_TIMEOUT = httpx.Timeout(15.0, connect=3.0)
"""Longer than the service allows itself, so that its own 504 arrives."""
EXCERPT_CHARACTERS = 200

T = TypeVar("T")


def checked_url(text: str) -> httpx.URL:
    """The service's address, checked at once instead of at the first request."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"base_url: expected an address like {DEFAULT_URL}; {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"base_url: expected an address like {DEFAULT_URL}; got {url!r}")
    return url


def auth_headers(api_key: str | None) -> dict[str, str]:
    """The key as a header; None takes that of the environment, if there is one.

    The message about a bad key does not hold it.
    """
    if api_key is None:
        api_key = os.environ.get(KEY_VARIABLE) or None
    if api_key is None:
        return {}
    if not api_key or not all("!" <= character <= "~" for character in api_key):
        raise ValueError("api_key: expected printable ASCII characters without blanks")
    return {"Authorization": f"Bearer {api_key}"}


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request of the contract and the reader of its answer.

    `read` turns the bytes of an answer into its type and raises ValueError (a pydantic
    ValidationError is one) on anything else.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes | None = None
    params: dict[str, str | int] = field(default_factory=dict)
    repeat: bool = True
    """False for probes, which tell the state of this moment."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def request(self) -> dict[str, Any]:
        """The arguments of `httpx.Client.request`."""
        headers = {} if self.body is None else {"Content-Type": "application/json"}
        return {
            "method": self.method,
            "url": self.path,
            "params": self.params or None,
            "content": self.body,
            "headers": headers,
        }

    def answer(self, response: httpx.Response) -> T:
        """The typed answer; raises ProblemError or AnswerError where there is none."""
        if not response.is_success:
            raise _refusal(self, response)
        try:
            return self.read(response.content)
        except ValueError as error:
            raise AnswerError(f"{self}: the answer is not the contract's: {error}") from error


def describe(method: Callable[..., Any], build: Callable[..., Any]) -> None:
    """Gives a client's method the name, the text and the signature of its route."""
    update_wrapper(method, build)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(build)
    (answer,) = get_args(signature.return_annotation)
    vars(method)["__signature__"] = signature.replace(
        parameters=[own, *signature.parameters.values()], return_annotation=answer
    )


# --- answers that are none ------------------------------------------------------------------


def _refusal(call: Call[Any], response: httpx.Response) -> ProblemError:
    """The error of a response that is not a success."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem(
            type=NO_TYPE,
            title=response.reason_phrase or "No reason given",
            status=response.status_code,
            detail=response.content[:EXCERPT_CHARACTERS].decode(errors="replace"),
        )
    return problem_error(
        problem,
        request=str(call),
        status=response.status_code,
        retry_after_seconds=_retry_after_seconds(response.headers),
    )


def _retry_after_seconds(headers: httpx.Headers) -> float | None:
    """`Retry-After` in seconds; a date counts from the answer's own `Date`, not our clock."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)


def no_answer(call: Call[Any], error: httpx.HTTPError) -> ClientError:
    """The client's error for a failed exchange."""
    message = f"{call}: {type(error).__name__}: {error}"
    if isinstance(error, httpx.TimeoutException):
        return AnswerTimeoutError(message)
    if isinstance(error, httpx.TransportError):
        return UnreachableError(message)
    return AnswerError(message)


# --- when to try again ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often to try, and how long to wait between: doubling, with full jitter.

    Attributes:
        attempts: tries in all; 1 never repeats.
        first_wait_seconds: the longest first wait.
        longest_wait_seconds: no wait is longer; a service that asks for more patience than this
            is not waited for, and its error is raised.
    """

    attempts: int = 4
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts: expected 1 or more; got {self.attempts}")
        if not 0 <= self.first_wait_seconds <= self.longest_wait_seconds:
            raise ValueError(
                "first_wait_seconds: expected 0 to longest_wait_seconds "
                f"({self.longest_wait_seconds:g}); got {self.first_wait_seconds:g}"
            )

    def wait_seconds(self, failures: int, asked: float | None, draw: float) -> float:
        """The wait after so many failures in a row; `draw` is uniform in [0, 1).

        `asked` is the service's Retry-After, which is honoured: the jitter comes on top. 0 says
        that a next try may come at once, not that all of them may.
        """
        if asked:
            return asked + draw * self.first_wait_seconds
        # The exponent is capped so that a night of failures does not overflow a float.
        doubled = self.first_wait_seconds * 2.0 ** min(failures - 1, 60)
        return draw * min(doubled, self.longest_wait_seconds)


DEFAULT_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """The exchange is over: the typed answer."""

    answer: T


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after so many seconds."""

    seconds: float


def judge(
    call: Call[T],
    outcome: httpx.Response | httpx.HTTPError,
    *,
    attempt: int,
    retry: Retry,
    draw: float,
) -> Answered[T] | Wait:
    """What follows from the outcome of attempt number `attempt` (from 1).

    Raises ClientError where the outcome is an error and no further attempt is due.
    """
    try:
        if isinstance(outcome, httpx.HTTPError):
            raise no_answer(call, outcome) from outcome
        return Answered(call.answer(outcome))
    except ClientError as error:
        if not (call.repeat and is_temporary(error)) or attempt >= retry.attempts:
            raise
        asked = error.retry_after_seconds if isinstance(error, ProblemError) else None
        if asked is not None and asked > retry.longest_wait_seconds:
            raise
        return Wait(retry.wait_seconds(attempt, asked, draw))
