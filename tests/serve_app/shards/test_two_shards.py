"""Two shards that both believe they hold a game: the store decides, on either database."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from serve_app.schemas import Prediction
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import commit_together
from serve_app.shards.shard_messages import Applied
from serve_app.storage.errors import StaleWriteError
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update, updates

T = TypeVar("T")


def committed(shard: GameShard, operation: Callable[[], T]) -> T:
    outcome: T | Exception
    (outcome,) = commit_together(shard.writing, [operation])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@pytest.fixture
def shards(any_store: Store) -> tuple[GameShard, GameShard]:
    """Both have the game in memory, as it stands at 6:00 of Q2."""
    one, other = GameShard(any_store), GameShard(any_store)
    one.register(registration())
    one.apply(updates(1080))
    assert other.game("g1").updates == 37
    return one, other


def test_one_prediction_is_made_and_both_tell_it(
    shards: tuple[GameShard, GameShard], any_store: Store
):
    one, other = shards
    (repeat,) = one.apply([update(1080, 18)])
    assert isinstance(repeat, Applied)
    due = repeat.due
    assert due is not None
    first: Prediction = committed(other, lambda: other.forecasts.record(due, forecast(7.0)))
    assert committed(one, lambda: one.forecasts.record(due, forecast(8.0))) == first
    assert one.prediction("g1") == other.prediction("g1") == first
    assert [row.type for row in any_store.journal.all_after()].count("prediction") == 1
    assert one.game("g1").state == "predicted"


def test_the_later_writer_is_refused_and_reads_anew(
    shards: tuple[GameShard, GameShard], any_store: Store
):
    one, other = shards
    other.apply([update(1090, 20)])
    with pytest.raises(StaleWriteError, match="only writer"):
        one.apply([update(1100, 21)])
    assert one.game("g1").updates == 38
    committed(one, lambda: one.apply([update(1100, 21)]))
    committed(other, lambda: other.apply([update(1110, 22)]))
    committed(one, lambda: one.apply([update(1120, 23)]))
    views = [shard.game("g1") for shard in (one, GameShard(any_store))]
    assert [(view.updates, view.margin) for view in views] == [(41, 23), (41, 23)]


def test_one_update_through_both_is_journaled_once(
    shards: tuple[GameShard, GameShard], any_store: Store
):
    one, other = shards
    new = update(1090, 20)
    (first,) = committed(one, lambda: one.apply([new]))
    (again,) = committed(other, lambda: other.apply([new]))
    assert isinstance(first, Applied)
    assert isinstance(again, Applied)
    assert (first.result.duplicate, again.result.duplicate) == (False, True)
    assert sum(row.type == "score" for row in any_store.journal.of_game("g1")) == 38


def test_a_game_registered_through_both_is_registered_once(any_store: Store):
    one, other = GameShard(any_store), GameShard(any_store)
    committed(one, lambda: one.register(registration()))
    assert committed(other, lambda: other.register(registration())).game_id == "g1"
    assert [row.type for row in any_store.journal.all_after()] == ["game"]
