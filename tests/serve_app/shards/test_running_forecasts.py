import asyncio
import logging
from collections.abc import Sequence

import pytest

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.schemas import GameView
from serve_app.settings import Settings
from serve_app.shards.forecasting_shard import ForecastingShard
from serve_app.shards.game_shard import GameShard
from serve_app.shards.running_forecasts import RunningForecasts
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards, NormalPlacement, registration, update, updates


class Gate(NormalPlacement):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        self.asked.set()
        await self.open.wait()
        return await super().forecast(requests, similar=similar)


async def now(seconds: float) -> None:
    """A sleep that is over at once."""
    await asyncio.sleep(0)


def runner(shard: GameShard, placement: NormalPlacement) -> RunningForecasts:
    return RunningForecasts(
        ForecastingShard(shard, placement, Settings()), placement, alpha=0.1, sleep=now
    )


def post(shard: GameShard, forecasts: RunningForecasts, *args: int, game_id: str = "g1") -> None:
    forecasts.take(
        getattr(item, "running", None) for item in shard.apply([update(*args, game_id=game_id)])
    )


def forecast_of(view: GameView) -> tuple[float, bool]:
    """The margin of the newest running forecast, and whether it speaks of halftime."""
    assert view.forecast is not None
    return view.forecast.final.point_forecast, view.forecast.halftime is not None


async def test_every_game_of_a_call_is_forecast_in_one(
    shard: GameShard, placement: NormalPlacement
):
    forecasts = runner(shard, placement)
    for number in range(3):
        shard.register(registration(f"g{number}"))
        post(shard, forecasts, 30, number, game_id=f"g{number}")
    await forecasts.settle()
    (call,) = placement.calls
    assert [(r.exclude_game_id, r.horizon, r.alpha) for r in call] == [
        (f"g{number}", horizon, 0.1) for number in range(3) for horizon in ("halftime", "final")
    ]
    assert [forecast_of(shard.game(f"g{number}")) for number in range(3)] == [
        (float(number), True) for number in range(3)
    ]


async def test_of_one_game_only_the_newest_waits_while_another_is_made(shard: GameShard):
    gate = Gate()
    forecasts = runner(shard, gate)
    shard.register(registration())
    post(shard, forecasts, 30, 1)
    await gate.asked.wait()
    for elapsed, home in ((40, 3), (50, 5), (55, 7)):
        post(shard, forecasts, elapsed, home)
    gate.open.set()
    await forecasts.settle()
    assert [call[0].state.margin for call in gate.calls] == [1.0, 7.0]
    assert forecast_of(shard.game("g1")) == (7.0, True)


async def test_after_the_half_only_the_final_is_forecast(
    shard: GameShard, placement: NormalPlacement
):
    forecasts = runner(shard, placement)
    shard.register(registration())
    shard.apply(updates(1410))
    for elapsed in (1430, 1440):
        post(shard, forecasts, elapsed, 30)
        await forecasts.settle()
    assert [[r.horizon for r in call] for call in placement.calls] == [
        ["halftime", "final"],
        ["final"],
    ]
    assert forecast_of(shard.game("g1")) == (30.0, False)


async def test_a_failure_is_logged_and_the_next_update_is_forecast(
    shard: GameShard, placement: NormalPlacement, caplog: pytest.LogCaptureFixture
):
    forecasts = runner(shard, placement)
    shard.register(registration())
    placement.failing = True
    with caplog.at_level(logging.ERROR):
        post(shard, forecasts, 30, 1)
        await forecasts.settle()
    assert "no running forecasts of ['g1']" in caplog.text
    assert shard.game("g1").forecast is None
    placement.failing = False
    post(shard, forecasts, 40, 3)
    await forecasts.settle()
    assert forecast_of(shard.game("g1")) == (3.0, True)


async def test_what_came_within_the_interval_is_forecast_at_its_end(
    store: Store, placement: NormalPlacement
):
    clock = [100.0]
    slept: list[float] = []

    async def pass_time(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds
        await asyncio.sleep(0)

    shard = GameShard(store, forecast_interval_seconds=5.0, now=lambda: clock[0])
    forecasts = RunningForecasts(
        ForecastingShard(shard, placement, Settings()), placement, alpha=0.05, sleep=pass_time
    )
    shard.register(registration())
    post(shard, forecasts, 30, 1)
    post(shard, forecasts, 32, 3)
    await forecasts.settle()
    assert 5.0 in slept
    assert forecast_of(shard.game("g1")) == (3.0, True)
    assert [call[0].state.margin for call in placement.calls] == [1.0, 3.0]


async def test_neither_the_answer_nor_the_prediction_waits_for_it(shard: GameShard):
    class OnlyPredictions(NormalPlacement):
        async def forecast(
            self, requests: Sequence[ForecastRequest], *, similar: int
        ) -> list[MarginForecast]:
            if any(request.horizon == "final" for request in requests):
                await asyncio.Event().wait()
            return await super().forecast(requests, similar=similar)

    shards = LocalShards(shard, OnlyPredictions(near=False))
    shard.register(registration())
    await shards.post_scores(updates(1050))
    async with asyncio.timeout(30):
        (crossed,) = await shards.post_scores([update(1080, 18)])
    assert getattr(crossed, "prediction", None) is not None


async def test_a_shard_gives_each_game_its_running_forecast(
    shards: LocalShards, shard: GameShard, placement: NormalPlacement
):
    shard.register(registration())
    await shards.post_scores(updates(600))
    await shards.settle()
    (call,) = placement.calls
    assert [request.state.elapsed_seconds for request in call] == [600.0, 600.0]
    assert forecast_of(await shards.game("g1")) == (10.0, True)
