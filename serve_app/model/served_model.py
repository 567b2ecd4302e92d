"""The model in service: its bundle, what it has learned since, and the next one's coming."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path

from models.calibration.adaptation import Adaptation
from models.calibration.learned_game import LearnedGame
from models.forecasters.forecaster import (
    ForecastRequest,
    MarginForecast,
    Observe,
    unobserved,
)
from models.game.game_state import GameState
from models.training.bundle import Bundle
from serve_app.game.ended_game import EndedGame
from serve_app.model.coalesced import Coalesced
from serve_app.model.forecasting import AsksDejavu, AsksLstm, Composed, Fused
from serve_app.model.game_lesson import lesson
from serve_app.model.learning import Learning
from serve_app.model.past_games import similar_past_games
from serve_app.model.placement import Placement
from serve_app.schemas import SimilarPastGame
from serve_app.settings import Settings
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store

logger = logging.getLogger(__name__)

TIP_OFF = ForecastRequest(state=GameState(pattern=(), margin=0.0, elapsed_seconds=0.0))
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


def load_bundle(folder: Path, settings: Settings) -> Bundle:
    """The bundle in a folder, with the ensemble weights in the settings."""
    return _weighted(Bundle.load(folder), settings)


def _weighted(bundle: Bundle, settings: Settings) -> Bundle:
    return bundle if settings.weights == "bundle" else bundle.with_weights(settings.weights)


@dataclass(slots=True)
class _InService:
    """One bundle in service, and how far its learned games were read from the store.

    `learned_as` is the version they are kept under: that of the bundle as it was trained, for what
    a game teaches does not depend on the ensemble weights.
    """

    folder: Path
    bundle: Bundle
    adaptation: Adaptation
    placement: Placement
    learning: Learning
    learned_as: str
    read_to: int = 0


class ServedModel:
    """Makes forecasts with the bundle in service, kept current by the games learned since.

    Every replica reads the learned games from the store before it forecasts, so all give the same
    answer. Given `dejavu` and `lstm` those are asked for the models' answers, else both models live
    in this process: it raises where those of the settings' bundle cannot be loaded. `observe` is
    told how long each component of a forecast took.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        dejavu: AsksDejavu | None = None,
        lstm: AsksLstm | None = None,
        observe: Observe = unobserved,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self._dejavu = dejavu
        self._lstm = lstm
        self._observe = observe
        self._sleep = sleep
        self._now = self._load(settings.bundle)
        self._changing: asyncio.Task[None] | None = None

    @property
    def bundle(self) -> Bundle:
        """The bundle in service."""
        return self._now.bundle

    @property
    def folder(self) -> Path:
        """Where the bundle in service is."""
        return self._now.folder

    @property
    def adaptation(self) -> Adaptation:
        """What it has learned, as far as the store tells now."""
        self._read_learned(self._now)
        return self._now.adaptation

    @property
    def known_adaptation(self) -> Adaptation:
        """What it has learned as far as this process has read; asks no store."""
        return self._now.adaptation

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order, all by the same bundle."""
        now = self._now
        self._read_learned(now)
        return await now.placement.forecast(requests, similar=similar)

    def forecast_now(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast] | None:
        """The same forecasts; None where the models live in other processes."""
        now = self._now
        if not isinstance(now.placement, Fused):
            return None
        self._read_learned(now)
        return now.placement.forecast_now(requests, similar=similar)

    async def similar(self, request: ForecastRequest, count: int) -> list[SimilarPastGame]:
        """The `count` past games most similar to a state, nearest first, all of the same bundle."""
        now = self._now
        self._read_learned(now)
        (made,) = await now.placement.forecast([request], similar=count)
        return similar_past_games(now.bundle.library, made.similar_games)

    async def begin_with(self, folder: Path) -> None:
        """Put the bundle in `folder` in service before the first request.

        Where it makes no forecast the one of the settings serves, and this one is tried again.
        """
        if folder != self._now.folder:
            try:
                self._now = await self._proved(folder)
            except Exception:
                logger.exception("%s serves instead", self._now.folder)
        self.change_to(folder)

    def change_to(self, folder: Path) -> None:
        """Put the bundle in `folder` in service behind the answers; returns at once.

        It first has to load, to make a forecast and to learn the finished games that it does not
        know. Until then the present one answers; later requests are answered by the new one. A
        bundle that cannot do this is logged and tried again, ever less often, until another one is
        asked for.
        """
        if self._changing is not None:
            self._changing.cancel()
        # In a context of its own: in the caller's, Serve would take it back with the caller.
        self._changing = asyncio.create_task(self._change(folder), context=Context())

    def wake(self) -> None:
        """A game has ended, or the service starts: learn what there is; returns at once."""
        self._now.learning.wake()

    async def settle(self) -> None:
        """Wait until no other bundle is coming and nothing is being learned."""
        while self._changing is not None and not self._changing.done():
            await asyncio.wait([self._changing])
        await self._now.learning.settle()

    async def _change(self, folder: Path) -> None:
        pause = FIRST_PAUSE_SECONDS
        while folder != self._now.folder:
            try:
                coming = await self._prepare(folder)
            except Exception:
                logger.exception(
                    "the bundle in %s is not in service, %s stays", folder, self._now.folder
                )
                await self._sleep(pause)
                pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)
            else:
                self._take_over(coming)

    async def _prepare(self, folder: Path) -> _InService:
        """The bundle in `folder`, which has made a forecast and learned all it can."""
        coming = await self._proved(folder)
        coming.learning.wake()
        try:
            await coming.learning.settle()
        except asyncio.CancelledError:  # another bundle is asked for
            coming.learning.stop()
            raise
        return coming

    async def _proved(self, folder: Path) -> _InService:
        """The bundle in `folder`, which has made a forecast."""
        coming = await asyncio.to_thread(self._load, folder)
        await coming.placement.forecast([TIP_OFF], similar=0)
        return coming

    def _take_over(self, coming: _InService) -> None:
        before, self._now = self._now, coming
        before.learning.stop()
        self.wake()
        logger.warning("%s is in service", coming.bundle.model_version)

    def _load(self, folder: Path) -> _InService:
        trained = Bundle.load(folder)
        bundle = _weighted(trained, self._settings)
        adaptation = bundle.adaptation()
        placement: Placement
        if self._dejavu is None or self._lstm is None:
            forecaster = bundle.load_forecaster(self._settings.device, adaptation)
            placement = Fused(forecaster, self._observe)
        else:
            placement = Coalesced(
                Composed(
                    folder, bundle.combiner(adaptation), self._dejavu, self._lstm, self._observe
                ),
                self._settings.request_timeout_seconds,
            )

        async def learn(ended: EndedGame) -> LearnedGame:
            self._read_learned(loaded)
            return await lesson(ended, placement, adaptation)

        version = trained.model_version
        learning = Learning(self._store, learn, version, known_until=bundle.strength.day)
        loaded = _InService(folder, bundle, adaptation, placement, learning, version)
        try:
            self._read_learned(loaded)
        except StoreError:  # every forecast reads it again, and fails where it cannot
            logger.exception("the learned games cannot be read yet")
        return loaded

    def _read_learned(self, model: _InService) -> None:
        """Take in what any replica has learned since the last look."""
        rows = self._store.lessons.learned_games(model.learned_as, model.read_to)
        if rows:
            games = [LearnedGame.from_payload(json.loads(row.payload)) for row in rows]
            model.adaptation.learn(games)
            model.read_to = rows[-1].version
