"""Running forecasts: made behind the answers, for several games that wait in one call.

One call to the models is under way at a time, so there is at most one forecast of a game in
flight; what comes meanwhile waits, and of one game only its newest. What still waits when its shard
dies is asked for by the game's next update.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Any, Protocol

from models.forecasters.forecaster import ForecastRequest
from models.game.horizon import END_MINUTE, Horizon
from models.game.league import SECONDS_PER_MINUTE
from serve_app.game.due_forecast import DueForecast
from serve_app.model.forecast_answer import as_answer
from serve_app.model.placement import Placement
from serve_app.shards.running_pace import Wait
from serve_app.shards.shard_messages import MadeForecast

logger = logging.getLogger(__name__)

# Answers go out first, and posts that come at once share one call to the models.
GATHER_SECONDS = 0.02
# Where the models live in this process a call holds everything up: other work gets in between.
GAMES_AT_ONCE = 4
# Beyond so many the one that has waited longest is left out: its game's next update asks again.
MAX_WAITING = 10_000
HALFTIME_SECONDS = END_MINUTE["halftime"] * SECONDS_PER_MINUTE


class RunningShards(Protocol):
    """What is asked of the shards."""

    async def running(  # noqa: D102
        self, game_ids: Sequence[str]
    ) -> list[DueForecast | Wait]: ...
    async def record_running(self, made: Sequence[MadeForecast]) -> None: ...  # noqa: D102


class RunningForecasts:
    """Makes and keeps what the shards hand out, in the background. Errors are logged."""

    def __init__(
        self,
        shards: RunningShards,
        placement: Placement,
        *,
        alpha: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shards = shards
        self._placement = placement
        self._alpha = alpha
        self._sleep = sleep
        self._newest: dict[str, DueForecast] = {}
        self._making: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, asked: Iterable[DueForecast | Wait | None]) -> None:
        """Have these made; returns at once."""
        for item in asked:
            if isinstance(item, Wait):
                if len(self._tasks) < MAX_WAITING:
                    self._start(self._ask_again(item))
            elif item is not None:
                if item.game_id not in self._newest and len(self._newest) >= MAX_WAITING:
                    del self._newest[next(iter(self._newest))]
                self._newest[item.game_id] = item
        if self._newest and self._making is None:
            self._making = self._start(self._make_waiting())

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, work: Any) -> asyncio.Task[None]:  # noqa: ANN401 - a coroutine
        # Kept until it is done, and in a context of its own: in the caller's, Serve would take it
        # back when that caller hangs up.
        task: asyncio.Task[None] = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask_again(self, wait: Wait) -> None:
        await self._sleep(wait.seconds)
        try:
            self.take(await self._shards.running([wait.game_id]))
        except Exception:
            logger.exception(
                "no running forecast of %s", wait.game_id, extra={"game_id": wait.game_id}
            )

    async def _make_waiting(self) -> None:
        try:
            await self._sleep(GATHER_SECONDS)
            while self._newest:
                chosen = list(self._newest)[:GAMES_AT_ONCE]
                await self._make([self._newest.pop(game_id) for game_id in chosen])
                await asyncio.sleep(0)
        finally:
            self._making = None

    async def _make(self, dues: Sequence[DueForecast]) -> None:
        requests = [request_of(due, horizon, self._alpha) for due in dues for horizon in _of(due)]
        try:
            made = iter(await self._placement.forecast(requests, similar=0))
            answers = [
                {horizon: as_answer(next(made), explain=False) for horizon in _of(due)}
                for due in dues
            ]
            await self._shards.record_running(
                [
                    MadeForecast(due, answer.get("halftime"), answer["final"])
                    for due, answer in zip(dues, answers, strict=True)
                ]
            )
        except Exception:
            games = [due.game_id for due in dues]
            logger.exception("no running forecasts of %s", games, extra={"game_ids": games})


def _of(due: DueForecast) -> tuple[Horizon, ...]:
    """The horizons that are still ahead."""
    first_half = due.state.elapsed_seconds < HALFTIME_SECONDS and due.clock.quarter <= 2
    return ("halftime", "final") if first_half else ("final",)


def request_of(due: DueForecast, horizon: Horizon, alpha: float) -> ForecastRequest:
    """What the models are asked for a forecast that fell due."""
    return ForecastRequest(
        state=due.state,
        horizon=horizon,
        alpha=alpha,
        home_team=due.home_team,
        away_team=due.away_team,
        expected_margin=due.expected_margin,
        date=due.day,
        playoffs=due.playoffs,
        exclude_game_id=due.game_id,
    )
