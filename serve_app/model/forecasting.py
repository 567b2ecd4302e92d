"""One forecaster, two placements: both models in this process, or in deployments of their own.

Both run the same objects on the same numbers and combine them with the same code, so their
answers are the same to the last bit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from models.forecasters.forecaster import (
    Combiner,
    Component,
    Forecaster,
    ForecastRequest,
    MarginForecast,
    Observe,
    unobserved,
)
from models.forecasters.live_models import DejavuForecast
from models.game.game_state import GameState

AnswerT = TypeVar("AnswerT")


class Fused:
    """Both models live in this process."""

    def __init__(self, forecaster: Forecaster, observe: Observe = unobserved) -> None:
        self._forecaster = forecaster
        self._observe = observe

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order."""
        return self.forecast_now(requests, similar=similar)

    def forecast_now(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """The same, without an event loop."""
        return self._forecaster.forecast(requests, similar=similar, observe=self._observe)


@dataclass(frozen=True, slots=True)
class LstmQuestion:
    """One game state for the network of the bundle in folder `bundle`; margins in points."""

    bundle: Path
    state: GameState
    expected_margin: float


@dataclass(frozen=True, slots=True)
class DejavuQuestion:
    """One game state for the similarity search of the bundle in folder `bundle`."""

    bundle: Path
    state: GameState
    expected_margin: float
    exclude_game_id: str | None
    similar: int


AsksDejavu = Callable[[list[DejavuQuestion]], Awaitable[list[DejavuForecast]]]
AsksLstm = Callable[[list[LstmQuestion]], Awaitable[list[tuple[float, float]]]]


class Composed:
    """Each model is a deployment of its own; both are asked at once, for one and the same bundle.

    The bundle is named in every question, so that a new one comes into service in both models with
    the very request that asks for it.
    """

    def __init__(
        self,
        bundle: Path,
        combiner: Combiner,
        dejavu: AsksDejavu,
        lstm: AsksLstm,
        observe: Observe = unobserved,
    ) -> None:
        self._bundle = bundle
        self._combiner = combiner
        self._dejavu = dejavu
        self._lstm = lstm
        self._observe = observe

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order."""
        if not requests:
            return []
        begun = time.perf_counter()
        expectations = [self._combiner.expect(request) for request in requests]
        looked_up = time.perf_counter()
        rows = list(zip(requests, expectations, strict=True))
        dejavu, lstm = await asyncio.gather(
            self._timed(
                "dejavu",
                self._dejavu(
                    [
                        DejavuQuestion(self._bundle, r.state, e.margin, r.exclude_game_id, similar)
                        for r, e in rows
                    ]
                ),
            ),
            self._timed(
                "lstm",
                self._lstm([LstmQuestion(self._bundle, r.state, e.margin) for r, e in rows]),
            ),
        )
        answered = time.perf_counter()
        forecasts = [
            self._combiner.combine(request, expectation, analogy, recurrent)
            for (request, expectation), analogy, recurrent in zip(rows, dejavu, lstm, strict=True)
        ]
        self._observe("ensemble", looked_up - begun + time.perf_counter() - answered)
        return forecasts

    async def _timed(self, component: Component, answer: Awaitable[AnswerT]) -> AnswerT:
        """What a model answers; how long it took is told where it did."""
        begun = time.perf_counter()
        answered = await answer
        self._observe(component, time.perf_counter() - begun)
        return answered
