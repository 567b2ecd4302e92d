import asyncio
from collections.abc import Sequence

import pytest

from serve_app.api.problems import UnknownGame
from serve_app.live.live_service import LiveService
from serve_app.schemas import PredictRequest, ScoreResult
from serve_app.shards.game_shard import GameShard
from tests.serve_app.conftest import (
    NormalPlacement,
    registration,
    update,
    updates,
)


def predictions(results: Sequence[object]) -> list[object]:
    return [r.prediction for r in results if isinstance(r, ScoreResult) and r.prediction]


@pytest.fixture(params=[True, False], ids=["near", "far"])
def placement(request: pytest.FixtureRequest) -> NormalPlacement:
    return NormalPlacement(near=request.param)


async def test_the_crossing_update_is_answered_with_the_prediction(
    service: LiveService, shard: GameShard, placement: NormalPlacement
):
    shard.register(registration())
    results = await service.post_scores(updates(1110))
    assert [isinstance(r, ScoreResult) and r.prediction is not None for r in results] == (
        [False] * 36 + [True] + [False]
    )
    assert placement.made == 1
    assert predictions(await service.post_scores([update(1140, 19)])) == []


async def test_updates_at_the_same_time_make_one_prediction(service: LiveService, shard: GameShard):
    shard.register(registration())
    await service.post_scores(updates(1050))
    answers = await asyncio.gather(
        *(service.post_scores([update(1080 + delay, 20)]) for delay in range(8)),
        service.post_scores([update(1080, 20)]),
    )
    made = [p for answer in answers for p in predictions(answer)]
    assert made
    assert all(p == shard.prediction("g1") for p in made)


async def test_while_the_models_fail_updates_stand_and_the_forecast_stays_due(
    service: LiveService, shard: GameShard, placement: NormalPlacement
):
    shard.register(registration())
    placement.failing = True
    results = await service.post_scores(updates(1080))
    assert all(isinstance(r, ScoreResult) and r.accepted for r in results)
    assert predictions(results) == []
    placement.failing = False
    (made,) = predictions(await service.post_scores([update(1080, 18)]))
    assert made == shard.prediction("g1")


async def test_a_list_over_two_games_predicts_both_and_names_the_unknown(
    service: LiveService, shard: GameShard
):
    shard.register(registration("a"))
    shard.register(registration("b"))
    batch = [*updates(1080, game_id="a"), update(60, 1, game_id="?"), *updates(1080, game_id="b")]
    results = await service.post_scores(batch)
    assert isinstance(results[37], UnknownGame)
    assert shard.prediction("a").game_id == "a"
    assert shard.prediction("b").game_id == "b"


async def test_a_forecast_alone_and_in_a_batch_are_the_same_to_the_bit(service: LiveService):
    requests = [
        PredictRequest(
            pattern=[float((m * n) % 23 - 11) for m in range(18)],
            expected_margin=n / 7,
            return_explanation=n % 2 == 0,
        )
        for n in range(1, 40)
    ]
    together = await service.predict(requests)
    alone = [(await service.predict([request]))[0] for request in requests]
    assert together == alone
