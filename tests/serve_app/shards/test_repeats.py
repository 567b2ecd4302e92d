"""Repeats: told from news by source and sequence, or by content."""

from serve_app.api.problems import SequenceReused
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update, updates


def posted(shard: GameShard, *batch: Update) -> list[bool | str]:
    """Whether each was a duplicate, or the name of its problem."""
    return [
        item.result.duplicate if isinstance(item, Applied) else item.name
        for item in shard.apply(batch)
    ]


def numbered(sequence: int, home: int, source: str | None = None, stamp: float | None = None):
    return Update("g1", 1, "6:00", home, 0, stamp, sequence, source)


def test_a_sequence_is_one_update_of_its_source(shard: GameShard):
    shard.register(registration())
    assert posted(shard, numbered(4, 10), numbered(4, 10, stamp=9.0)) == [False, True]
    assert posted(shard, numbered(4, 10, "court-side")) == [False]
    assert posted(shard, numbered(4, 12)) == ["sequence_reused"]
    (refused,) = shard.apply([numbered(4, 12)])
    assert isinstance(refused, SequenceReused)
    assert "expected sequence 4 to repeat Q1 6:00 10-0; got Q1 6:00 12-0" in refused.detail
    assert shard.game("g1").updates == 2


def test_a_number_that_was_skipped_may_come_late(shard: GameShard):
    shard.register(registration())
    assert posted(shard, numbered(1, 2), numbered(5, 10), numbered(3, 6)) == [False] * 3
    assert shard.game("g1").margin == 10
    assert posted(shard, numbered(3, 6), numbered(5, 10)) == [True, True]


def test_numbers_of_two_sources_do_not_compare(shard: GameShard):
    shard.register(registration())
    posted(shard, numbered(900, 10, "fast"), numbered(3, 12, "slow"))
    assert shard.game("g1").margin == 12


def test_without_a_stamp_a_score_is_news_again_once_another_took_its_place(shard: GameShard):
    shard.register(registration())
    wrong, right = update(360, 12), update(360, 10)
    assert posted(shard, right, right, wrong, wrong, right, right) == [
        *(False, True),
        *(False, True),
        *(False, True),
    ]
    assert shard.game("g1").margin == 10


def test_a_repeat_is_answered_as_the_first_was_also_after_a_restart(store: Store):
    shard = GameShard(store)
    shard.register(registration())
    batch = [*updates(1050), Update("g1", 2, "6:00", 40, 0, None, 77)]
    applied = [item for item in shard.apply(batch) if isinstance(item, Applied)]
    assert applied[-1].result.flags == ["score_jump"]
    assert applied[-1].due is not None
    made = shard.forecasts.record(applied[-1].due, forecast())
    shard.apply([update(1200, 60)])
    for one in (shard, GameShard(store)):
        again = [item for item in one.apply(batch) if isinstance(item, Applied)]
        for first, repeat in zip(applied, again, strict=True):
            expected = first.result.model_copy(update={"duplicate": True})
            assert repeat.result.model_copy(update={"prediction": None}) == expected
        assert again[-1].result.prediction == made
