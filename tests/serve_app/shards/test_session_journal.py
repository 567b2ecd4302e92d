"""A session read back from its journal is the session that was."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.schemas import GameView
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.database import Database
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, updates

CLOCKS = st.sampled_from(
    [(1, "12:00"), (1, "6:00"), (1, "0:00"), (2, "12:00"), (2, "6:01"), (2, "6:00"), (2, "5:30")]
    + [(2, f"{minute}:{second:02d}") for minute in range(6, 12) for second in (0, 30)]
    + [(1, f"{minute}:00") for minute in range(12)]
    + [(2, "0:00"), (3, "12:00"), (4, "0:00")]
)
UPDATES = st.builds(
    lambda clock, home, away, stamp, sequence, source: Update(
        "g1", clock[0], clock[1], home, away, stamp, sequence, source
    ),
    CLOCKS,
    st.integers(0, 30),
    st.integers(0, 30),
    st.none() | st.sampled_from([1.0, 2.0, 3.0]),
    st.none() | st.integers(0, 40),
    st.none() | st.sampled_from(["a", "b"]),
)


def seen(shard: GameShard) -> tuple[GameView, object]:
    session = shard._sessions.get("g1")
    view = shard.game("g1").model_copy(update={"feed_lag_seconds": None})
    return view, (
        session.due,
        session.version,
        session._sequences,
        session.buffer._keys,
        session.buffer._observations,
        session.buffer._superseded,
        session.buffer._changes,
    )


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.lists(UPDATES, min_size=1, max_size=12), max_size=6),
    dense=st.booleans(),
    predict=st.booleans(),
    end=st.booleans(),
)
def test_memory_holds_nothing_that_the_store_cannot_rebuild(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Update]],
    *,
    dense: bool,
    predict: bool,
    end: bool,
):
    folder: Path = tmp_path_factory.mktemp("journal")
    store = Store(Database.in_folder(folder, durable=False))
    shard = GameShard(store, now=lambda: 1_700_000_000.0)
    shard.register(registration())
    if dense:
        shard.apply(updates(1050))
    for batch in batches:
        for item in shard.apply(batch):
            if predict and isinstance(item, Applied) and item.due is not None:
                shard.forecasts.record(item.due, forecast())
    if end:
        shard.end("g1")
    back = GameShard(store, now=lambda: 1_700_000_000.0)
    assert seen(back) == seen(shard)
    store.close()


def test_a_game_of_an_earlier_version_is_played_move_by_move(store: Store):
    shard = GameShard(store)
    shard.register(registration())
    shard.apply(updates(1080))
    with store.writing():
        store.database.transaction.exec_driver_sql("UPDATE games SET updates = NULL, state = NULL")
    back = GameShard(store)
    assert seen(back)[0] == seen(shard)[0]
