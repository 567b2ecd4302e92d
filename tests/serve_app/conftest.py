"""Builders that the service's tests share: games, updates, forecasts, shards without Ray."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from models.calibration.distribution import GRID_LEVELS, MarginDistribution, Shape
from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.training.bundle import Bundle
from serve_app.api.problems import ServiceProblem
from serve_app.game.due_forecast import DueForecast
from serve_app.live.live_service import LiveService
from serve_app.model.placement import NearPlacement, Placement
from serve_app.schemas import (
    EndResult,
    Forecast,
    GameRegistration,
    GameView,
    Prediction,
    ScoreResult,
)
from serve_app.settings import SHIPPED_BUNDLE, Settings
from serve_app.shards.forecasting_shard import ForecastingShard
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Update
from serve_app.storage.store import Store

NORMAL = Shape(np.asarray([NormalDist().inv_cdf(level) for level in GRID_LEVELS]), 0.3, 0.3)


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED_BUNDLE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.at(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store on each kind of database in turn."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    opened = Store.at(tmp_path / "data", url)
    yield opened
    opened.close()


class LocalShards:
    """The shards of the service as one shard in this process, which forecasts with `placement`."""

    def __init__(self, shard: GameShard, placement: NearPlacement) -> None:
        self._shard = shard
        self._forecasting = ForecastingShard(shard, placement, Settings())
        self._run = self._forecasting.run

    async def settle(self) -> None:
        """Wait until the running forecasts are made."""
        await self._forecasting.settle()

    async def register(self, registration: GameRegistration) -> GameView:
        return await self._run(lambda: self._shard.register(registration))

    async def post_scores(self, updates: Sequence[Update]) -> list[ScoreResult | ServiceProblem]:
        return await self._forecasting.post_scores(updates)

    async def game(self, game_id: str) -> GameView:
        return await self._run(lambda: self._shard.game(game_id))

    async def games(self, game_ids: Sequence[str]) -> list[GameView]:
        return await self._run(lambda: self._shard.games(game_ids))

    async def prediction(self, game_id: str) -> Prediction:
        return await self._run(lambda: self._shard.prediction(game_id))

    async def comparison(self, game_id: str) -> DueForecast:
        return await self._run(lambda: self._shard.comparison(game_id))

    async def end(self, game_id: str) -> EndResult:
        return await self._run(lambda: self._shard.end(game_id))

    async def ready(self) -> int:
        return 1


class NormalPlacement:
    """Forecasts that the margin stays, with normal errors; fails while told to.

    Each call's requests are in `calls`; `made` counts them. Where it is not `near` its forecasts
    have to be waited for.
    """

    def __init__(self, *, near: bool = True) -> None:
        self.calls: list[list[ForecastRequest]] = []
        self.failing = False
        self.near = near

    @property
    def made(self) -> int:
        return sum(map(len, self.calls))

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        return self._make(requests)

    def forecast_now(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast] | None:
        return self._make(requests) if self.near else None

    def _make(self, requests: Sequence[ForecastRequest]) -> list[MarginForecast]:
        if self.failing:
            raise RuntimeError("the models are down")
        self.calls.append(list(requests))
        return [margin_forecast(request) for request in requests]


def margin_forecast(request: ForecastRequest) -> MarginForecast:
    """Persistence with a spread of 6 points at either horizon."""
    point = request.state.margin
    spread = MarginDistribution(horizon=request.horizon, point=point, spread=6.0, shape=NORMAL)
    lower, upper = spread.interval(request.alpha)
    return MarginForecast(
        horizon=request.horizon,
        point_forecast=point,
        interval_lower=lower,
        interval_upper=upper,
        coverage_probability=1.0 - request.alpha,
        quantiles=spread.quantiles(),
        win_probability=spread.win_probability,
        distribution=spread,
        expected_margin=2.5,
        expected_margin_sd=1.5,
        strength="ratings",
        dejavu_prediction=point,
        lstm_prediction=point,
        dejavu_weight=0.5,
        lstm_weight=0.5,
        similar_games=(),
        model_version="test-1",
        calibration_version="test-1+0",
    )


@pytest.fixture
def placement() -> NormalPlacement:
    return NormalPlacement()


@pytest.fixture
def shard(store: Store) -> GameShard:
    return GameShard(store)


@pytest.fixture
async def shards(shard: GameShard, placement: NearPlacement):
    shards = LocalShards(shard, placement)
    yield shards
    await shards.settle()


@pytest.fixture
def service(shards: LocalShards, placement: Placement) -> LiveService:
    return LiveService(Settings(), shards, placement)


def registration(game_id: str = "g1") -> GameRegistration:
    return GameRegistration(game_id=game_id, home_team="BOS", away_team="LAL")


def update(elapsed: int, home: int, away: int = 0, *, game_id: str = "g1") -> Update:
    """An update at `elapsed` game seconds; a quarter's end belongs to that quarter."""
    quarter = max(1, -(-elapsed // 720))
    minutes, seconds = divmod(quarter * 720 - elapsed, 60)
    return Update(game_id, quarter, f"{minutes}:{seconds:02d}", home, away)


def updates(until: int, *, game_id: str = "g1", start: int = 0) -> list[Update]:
    """One update every 30 game seconds from `start` to `until`, home scoring 1 a minute."""
    return [
        update(elapsed, elapsed // 60, game_id=game_id) for elapsed in range(start, until + 1, 30)
    ]


def forecast(point: float = 4.0) -> Forecast:
    return Forecast(
        point_forecast=point,
        interval_lower=point - 12,
        interval_upper=point + 12,
        coverage_probability=0.95,
        model_version="test-1",
        expected_margin=2.0,
        strength="ratings",
    )
