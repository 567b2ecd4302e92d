"""One forecaster, two placements: both models in this process, or in deployments of their own.

Both run the same objects on the same numbers and combine them with the same code, so their
answers are the same to the last bit.
"""

import asyncio
import logging
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
from serve_app.api.problems import Unavailable

logger = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")


class Fused:
    """Both models live in this process; they are loaded when they are first needed.

    Torch takes seconds to import, and scores can be taken without it. Where they do not load every
    forecast is a problem of the service, and tries again.
    """

    def __init__(self, load: Callable[[], Forecaster], observe: Observe = unobserved) -> None:
        self._load = load
        self._observe = observe
        self._forecaster: Forecaster | None = None
        self._loading = asyncio.Lock()

    @property
    def loading(self) -> bool:
        """Whether the models are being loaded."""
        return self._loading.locked()

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order."""
        forecaster = self._forecaster or await self._loaded()
        return forecaster.forecast(requests, similar=similar, observe=self._observe)

    async def _loaded(self) -> Forecaster:
        """The models, loaded once, beside whatever else this process has to do."""
        async with self._loading:
            if self._forecaster is None:
                try:
                    self._forecaster = await asyncio.to_thread(self._load)
                except Exception as error:
                    logger.exception("the models do not load")
                    raise Unavailable("the models do not load; the log says more") from error
        return self._forecaster


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

    @property
    def loading(self) -> bool:
        """Never: a replica of a model takes requests once it has loaded."""
        return False

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
