"""Builders that the service's tests share: games, updates, forecasts, shards without Ray."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from models.bundle import Bundle
from models.forecaster import ForecastRequest, MarginForecast
from serve_app.forecasting import Fused
from serve_app.game_session import DueForecast
from serve_app.game_shard import Applied, GameShard, Update
from serve_app.live_service import LiveService
from serve_app.problems import ServiceProblem
from serve_app.schemas import EndResult, Forecast, GameRegistration, GameView, Prediction
from serve_app.settings import SHIPPED_BUNDLE, Settings
from serve_app.store import Store


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED_BUNDLE)


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


class LocalShards:
    """The shards of the service as one shard in this process."""

    def __init__(self, shard: GameShard) -> None:
        self.shard = shard

    async def register(self, registration: GameRegistration) -> GameView:
        return self.shard.register(registration)

    async def apply(self, updates: Sequence[Update]) -> list[Applied | ServiceProblem]:
        return self.shard.apply(updates)

    async def record(self, due: DueForecast, forecast: Forecast) -> Prediction:
        return self.shard.record(due, forecast)

    async def game(self, game_id: str) -> GameView:
        return self.shard.game(game_id)

    async def games(self, game_ids: Sequence[str]) -> list[GameView]:
        return self.shard.games(game_ids)

    async def prediction(self, game_id: str) -> Prediction:
        return self.shard.prediction(game_id)

    async def end(self, game_id: str) -> EndResult:
        return self.shard.end(game_id)

    async def process_ids(self) -> list[int]:
        return [0]


class CountingPlacement(Fused):
    """Counts the forecasts it makes, and fails while told to."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle.forecaster)
        self.made = 0
        self.failing = False

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        if self.failing:
            raise RuntimeError("the models are down")
        self.made += len(requests)
        return await super().forecast(requests, similar=similar)


@pytest.fixture
def placement(bundle: Bundle) -> CountingPlacement:
    return CountingPlacement(bundle)


@pytest.fixture
def shard(store: Store) -> GameShard:
    return GameShard(store)


@pytest.fixture
def service(shard: GameShard, placement: CountingPlacement) -> LiveService:
    return LiveService(Settings(), LocalShards(shard), placement)


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
