import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.api.problems import Unavailable
from serve_app.schemas import Prediction, ScoreResult
from serve_app.settings import Settings
from serve_app.shards.forecasting_shard import ForecastingShard
from serve_app.shards.game_shard import GameShard
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from tests.serve_app.conftest import NormalPlacement, registration, update, updates


async def crossing(shard: GameShard, placement: NormalPlacement) -> ScoreResult:
    """The answer to the update that crosses the trigger."""
    shards = ForecastingShard(shard, placement, Settings())
    shard.register(registration())
    *_, crossed = await shards.post_scores(updates(1080))
    await shards.settle()
    assert isinstance(crossed, ScoreResult)
    return crossed


@pytest.mark.parametrize(
    ("near", "commits"),
    [(True, [["score", "prediction"]]), (False, [["score"], ["prediction"]])],
)
async def test_the_score_that_crosses_and_its_prediction_are_one_commit_where_models_are_near(
    store: Store, near: bool, commits: list[list[str]]
):
    told: list[list[JournalRow]] = []
    shard = GameShard(store, notify=lambda rows: told.append(list(rows)))
    shards = ForecastingShard(shard, NormalPlacement(near=near), Settings())
    shard.register(registration())
    await shards.post_scores(updates(1050))
    await shards.settle()
    told.clear()
    await shards.post_scores([update(1080, 18)])
    assert [[row.type for row in rows] for rows in told] == commits
    await shards.settle()


async def test_near_or_far_the_prediction_is_the_same(store: Store, tmp_path: Path):
    ones = [
        await crossing(GameShard(one, now=lambda: 1_700_000_000.0), NormalPlacement(near=near))
        for near, one in ((True, store), (False, Store.at(tmp_path / "far")))
    ]
    assert ones[0].prediction is not None
    assert ones[0] == ones[1]


async def test_what_fails_at_once_is_made_after_the_updates(shard: GameShard):
    class Moody(NormalPlacement):
        def forecast_now(
            self, requests: Sequence[ForecastRequest], *, similar: int
        ) -> list[MarginForecast] | None:
            raise RuntimeError("not now")

    crossed = await crossing(shard, Moody())
    assert crossed.prediction == shard.prediction("g1")


@pytest.mark.parametrize("error", [RuntimeError, StoreUnavailableError])
async def test_a_prediction_that_cannot_be_kept_keeps_no_score_out(
    store: Store,
    shard: GameShard,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
):
    def refuse(prediction: Prediction) -> None:
        raise error("this one is not written")

    placement = NormalPlacement()
    shards = ForecastingShard(shard, placement, Settings())
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(store.predictions, "freeze", refuse)
        crossed = await crossing(shard, placement)
    assert crossed.accepted
    assert crossed.prediction is None
    assert "forecast of g1 stays due" in caplog.text
    assert [row.type for row in store.journal.all_after()].count("score") == 37
    (again,) = await shards.post_scores([update(1080, 18)])
    await shards.settle()
    assert isinstance(again, ScoreResult)
    assert again.duplicate
    assert again.prediction == shard.prediction("g1")


async def test_an_error_of_the_database_over_a_forecast_spoils_no_update(any_store: Store):
    class Reader(NormalPlacement):
        def forecast_now(
            self, requests: Sequence[ForecastRequest], *, similar: int
        ) -> list[MarginForecast] | None:
            any_store.database.transaction.execute(sa.text("SELECT * FROM nowhere"))
            return None

    shard = GameShard(any_store)
    crossed = await crossing(shard, Reader())
    assert not crossed.duplicate
    assert crossed.prediction == shard.prediction("g1")
    assert [row.type for row in any_store.journal.all_after()].count("score") == 37


async def test_a_store_that_is_away_is_asked_once(
    store: Store, shard: GameShard, placement: NormalPlacement, monkeypatch: pytest.MonkeyPatch
):
    tries: list[int] = []

    def away(entries: Sequence[object]) -> None:
        tries.append(len(entries))
        raise StoreUnavailableError("away")

    shards = ForecastingShard(shard, placement, Settings())
    shard.register(registration())
    monkeypatch.setattr(store.journal, "append", away)
    with pytest.raises(Unavailable):
        await shards.post_scores(updates(60))
    assert tries == [3]


async def test_two_shards_that_cross_at_the_same_time_keep_one_prediction(any_store: Store):
    shards = [
        ForecastingShard(GameShard(any_store), NormalPlacement(), Settings()) for _ in range(2)
    ]
    GameShard(any_store).register(registration())
    for one in shards:
        await one.post_scores(updates(1050))
    answers = await asyncio.gather(
        shards[0].post_scores([update(1080, 18)]), shards[1].post_scores([update(1081, 21)])
    )
    for one in shards:
        await one.settle()
    assert [row.type for row in any_store.journal.all_after()].count("prediction") == 1
    made = any_store.predictions.get("g1")
    assert made is not None
    told = [one.prediction for (one,) in answers if isinstance(one, ScoreResult)]
    assert len(told) == 2
    assert [one for one in told if one is not None] == [made]
