"""Posts the nights to a service: many games at once, each game's updates strictly in order."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import httpx

from serve_app.client.exchange import KEY_VARIABLE
from serve_app.replay.delivery import Clock, Delivery, SystemClock
from serve_app.replay.errors import RefusedError, ReplayError
from serve_app.replay.night import Night, ScheduledGame
from serve_app.replay.pace import MS
from serve_app.replay.poll_stream import Update, clock_text
from serve_app.replay.tally import Tally

NO_KEY = f". Give a key with the scopes read and ingest in {KEY_VARIABLE}"
# What to do where a game is refused, by the type of the problem.
ADVICE = {
    "urn:problem:conflict": ". To play a night again on the same store give it a prefix "
    "(--prefix again-)",
    "urn:problem:unauthorized": NO_KEY,
    "urn:problem:forbidden": NO_KEY,
}
QUEUED_BATCHES = 2  # per lane: bounds how far one lane may run ahead of the others
# No list holds more of the schedule than this, or one could bring the trigger and the halftime of
# a game at once, which no scraper does that is up.
LONGEST_LIST_MS = 600 * MS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to post.

    `speed` is the multiple of real time, None for as fast as the service takes it. A lane is a
    share of the games whose posts go out one after another; several lanes are under way at once.
    """

    speed: float | None = None
    post: Literal["list", "single"] = "list"
    list_size: int = 100
    lanes: int = 4

    @property
    def batch_size(self) -> int:
        """Updates per request."""
        return self.list_size if self.post == "list" else 1


class Witness(Protocol):
    """Told of what the runner posts; a chaos run keeps it as evidence."""

    def sent(self, updates: Sequence[Update]) -> None:
        """These updates are about to be sent for the first time."""
        ...

    def answered(self, update: Update, result: dict[str, Any]) -> None:
        """This update got its final answer, and it was no problem."""
        ...


class _Lane:
    """The batches of some games on their way: lists of updates, and ids of games that ended."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[list[Update] | str | None] = asyncio.Queue(QUEUED_BATCHES)
        self.batch: list[Update] = []

    async def flush(self) -> None:
        """Hand over what has been gathered; waits while the lane is full."""
        if self.batch:
            batch, self.batch = self.batch, []
            await self.queue.put(batch)


class Runner:
    """Plays nights, one after another, and keeps a tally of the answers."""

    def __init__(
        self,
        delivery: Delivery,
        options: RunOptions,
        *,
        clock: Clock | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._delivery = delivery
        self._options = options
        self._clock = clock or SystemClock()
        self._witness = witness
        self.tally = Tally(on_result=witness.answered if witness else None)

    async def play(self, night: Night) -> None:
        """Register the night's games, post their updates, end each game after its last update.

        Raises RefusedError where a game cannot be registered, DeliveryError where the service
        stays away.
        """
        for game in night.games:
            await self._register(game)
        lanes = [_Lane() for _ in range(min(self._options.lanes, len(night.games)))]
        failures: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in lanes:
                    tasks.create_task(self._post(lane))
                tasks.create_task(self._dispatch(night, lanes))
        except* ReplayError as group:
            failures.extend(group.exceptions)
        if failures:
            raise failures[0]

    async def _register(self, game: ScheduledGame) -> None:
        registration: dict[str, Any] = {
            "game_id": game.game_id,
            "home_team": game.recording.home,
            "away_team": game.recording.away,
            "start_time": game.start_time,
            "playoffs": game.recording.playoffs,
        }
        if game.recording.expected_margin is not None:
            registration["expected_margin"] = game.recording.expected_margin
        answer = await self._delivery.post("/games", json.dumps(registration).encode())
        if not answer.is_success:
            problem = _problem(answer)
            said = f"{answer.status_code} {problem.get('detail', problem)}"
            advice = ADVICE.get(str(problem.get("type")), "")
            raise RefusedError(f"registering game {game.game_id}: {said}{advice}")

    async def _dispatch(self, night: Night, lanes: Sequence[_Lane]) -> None:
        """Hand the updates to the lanes in schedule order, when they are due."""
        left = Counter({game.game_id: len(game.updates) for game in night.games})
        lane_of = {game.game_id: lanes[i % len(lanes)] for i, game in enumerate(night.games)}
        updates = night.updates()
        begun, poll = self._clock.now(), 0
        for update in updates:
            if self._options.speed and update.sent_ms > poll:
                poll = update.sent_ms
                due = begun + (poll - updates[0].sent_ms) / MS / self._options.speed
                await self._wait(due, lanes)
            lane = lane_of[update.game_id]
            if lane.batch and update.sent_ms - lane.batch[0].sent_ms >= LONGEST_LIST_MS:
                await lane.flush()
            lane.batch.append(update)
            left[update.game_id] -= 1
            if left[update.game_id] == 0:
                await lane.flush()
                await lane.queue.put(update.game_id)
            elif len(lane.batch) >= self._options.batch_size:
                await lane.flush()
        for lane in lanes:
            await lane.flush()
            await lane.queue.put(None)

    async def _wait(self, due: float, lanes: Sequence[_Lane]) -> None:
        """Where the next poll lies ahead, let everything gathered so far go and wait for it."""
        if self._clock.now() < due:
            for lane in lanes:
                await lane.flush()
            await self._clock.sleep(max(due - self._clock.now(), 0.0))

    async def _post(self, lane: _Lane) -> None:
        while (item := await lane.queue.get()) is not None:
            if isinstance(item, str):
                await self._end(item)
            elif self._options.post == "list":
                await self._post_list(item)
            else:
                await self._post_single(item[0])

    async def _post_list(self, updates: list[Update]) -> None:
        patience = self._delivery.patience()
        if self._witness is not None:
            self._witness.sent(updates)
        while updates:
            body = json.dumps([message(update, with_game=True) for update in updates])
            answer = await self._delivery.post("/scores", body.encode())
            if not answer.is_success:
                self.tally.take_problem(_problem(answer), len(updates))
                return
            updates = self.tally.take_list(updates, answer.json())
            if updates:
                await patience.pause(f"POST /scores: {len(updates)} updates to be sent again")

    async def _post_single(self, update: Update) -> None:
        body = json.dumps(message(update, with_game=False)).encode()
        if self._witness is not None:
            self._witness.sent([update])
        answer = await self._delivery.post(f"/games/{update.game_id}/scores", body)
        if answer.is_success:
            self.tally.take_result(update, answer.json())
        else:
            self.tally.take_problem(_problem(answer))

    async def _end(self, game_id: str) -> None:
        answer = await self._delivery.post(f"/games/{game_id}/end")
        self.tally.ends[game_id] = answer.json() if answer.is_success else _problem(answer)


def message(update: Update, *, with_game: bool) -> dict[str, Any]:
    """An update as the HTTP contract has it; `with_game` for lists over several games."""
    stamp = datetime.fromtimestamp(update.timestamp_ms / MS, UTC)
    body = {
        "quarter": update.quarter,
        "time_remaining": clock_text(update.remaining_ms),
        "score_home": update.score_home,
        "score_away": update.score_away,
        "timestamp": stamp.isoformat(timespec="milliseconds"),
        "sequence": update.sequence,
    }
    return {"game_id": update.game_id, **body} if with_game else body


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem details of an answer, or its status and beginning where it has none."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"status": answer.status_code, "detail": answer.text[:200]}
