"""Forecasts asked for while others are being made are made together, in one call.

A call to another process costs far more than a pattern does, so the busier a replica is, the fewer
calls it makes for each request; one that is not busy waits for nobody.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, replace

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.api.problems import Overloaded, Unavailable
from serve_app.model.placement import Placement

MAX_WAITING = 1_000  # callers


@dataclass(frozen=True, slots=True)
class _Asked:
    """One caller's requests, and where it waits for the answers."""

    requests: Sequence[ForecastRequest]
    similar: int
    answers: "asyncio.Future[list[MarginForecast]]"


class Coalesced:
    """A placement that asks another one for all who wait, one call at a time.

    A call that takes longer than `seconds` is given up: those behind it must not wait for it.
    """

    def __init__(self, placement: Placement, seconds: float) -> None:
        self._placement = placement
        self._seconds = seconds
        self._waiting: list[_Asked] = []
        self._making: asyncio.Task[None] | None = None

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order; the same to the bit as if asked alone.

        Raises Overloaded where too many wait already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded(f"forecasts: expected at most {MAX_WAITING} callers at once")
        answers: asyncio.Future[list[MarginForecast]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(requests, similar, answers))
        if self._making is None:
            # In a context of its own: in the caller's, Serve would take the shared call back when
            # that one caller hangs up.
            self._making = asyncio.create_task(self._make(), context=Context())
        return await answers

    async def _make(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                # Who has gone meanwhile, or whose time was up, is answered by nobody.
                await self._make_together([one for one in asked if not one.answers.done()])
        finally:
            self._making = None

    async def _make_together(self, asked: Sequence[_Asked]) -> None:
        if not asked:
            return
        try:
            async with asyncio.timeout(self._seconds):
                made = await self._placement.forecast(
                    [request for one in asked for request in one.requests],
                    similar=max(one.similar for one in asked),
                )
        except (asyncio.CancelledError, TimeoutError):
            _fail(asked, Unavailable("the models did not answer in time"))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who asked get it
            _fail(asked, error)
        else:
            _hand_out(asked, made)


def _fail(asked: Sequence[_Asked], error: Exception) -> None:
    for one in asked:
        if not one.answers.done():
            one.answers.set_exception(error)


def _hand_out(asked: Sequence[_Asked], made: Sequence[MarginForecast]) -> None:
    rest = iter(made)
    for one in asked:
        answers = [next(rest) for _ in one.requests]
        if not one.answers.done():  # done: the caller has gone, its time was up
            one.answers.set_result(
                [replace(a, similar_games=a.similar_games[: one.similar]) for a in answers]
            )
