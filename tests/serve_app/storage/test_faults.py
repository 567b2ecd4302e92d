"""A store that fails: nothing is acknowledged, nothing half-written, and it recovers by itself."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from serve_app.api.problems import Unavailable
from serve_app.schemas import ScoreResult
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import commit_together, read
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.database import Database
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.store import Store
from tests.postgresql import PostgresServer
from tests.serve_app.conftest import registration, update

Post = Callable[[int], ScoreResult | Unavailable]


def poster(shard: GameShard) -> Post:
    """Posts the update of one game second as the shard's actor does."""

    def post(second: int) -> ScoreResult | Unavailable:
        new: list[Update] = [update(second, second)]
        (answer,) = commit_together(shard.writing, [lambda: shard.apply(new)])
        if isinstance(answer, Unavailable):
            return answer
        (item,) = answer
        assert isinstance(item, Applied)
        return item.result

    return post


def expect_recovery(shard: GameShard, post: Post, store: Store, acknowledged: list[int]) -> None:
    """All that was acknowledged is there, once, and the next update is taken."""
    result = post(700)
    assert isinstance(result, ScoreResult)
    assert not result.duplicate
    fresh = GameShard(store)
    margins = {row.payload for row in fresh._store.journal.of_game("g1") if row.type == "score"}
    assert len(margins) == fresh.game("g1").updates == shard.game("g1").updates
    assert fresh.game("g1").updates == len(acknowledged) + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of a file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not umount:
        pytest.skip("expected root and mount(8), to mount a small file system")
    command = [mount, "-t", "tmpfs", "-o", f"size={2 << 20}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with pytest.raises(OSError, match="No space left"):
        file.write_bytes(bytes(4 << 20))


def test_a_full_disk_is_survived(small_disk: Path, caplog: pytest.LogCaptureFixture):
    store = Store.at(small_disk)
    shard = GameShard(store)
    post = poster(shard)
    shard.register(registration())
    acknowledged = [second for second in (60, 120) if isinstance(post(second), ScoreResult)]
    fill(small_disk / "filler")
    answers = {second: post(second) for second in range(121, 200)}
    refused = [answer for answer in answers.values() if isinstance(answer, Unavailable)]
    assert refused, "the write-ahead log never grew"
    assert "disk is full" in caplog.text or "I/O" in caplog.text
    assert refused[0].headers["Retry-After"] == "1"
    acknowledged += [s for s, answer in answers.items() if isinstance(answer, ScoreResult)]
    (small_disk / "filler").unlink()
    expect_recovery(shard, post, store, acknowledged)
    store.close()


def test_a_database_that_refuses_writes_is_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    store = Store.at(tmp_path)
    shard = GameShard(store)
    post = poster(shard)
    shard.register(registration())
    assert isinstance(post(60), ScoreResult)
    with store.database.reading() as connection:
        connection.execute(sa.text("PRAGMA query_only = ON"))
    refused = post(61)
    assert isinstance(refused, Unavailable)
    assert "readonly" in caplog.text
    assert read(lambda: GameShard(store).game("g1")).updates == 1  # reading goes on
    with store.database.reading() as connection:
        connection.execute(sa.text("PRAGMA query_only = OFF"))
    expect_recovery(shard, post, store, [60])
    store.close()


def test_a_locked_database_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    store = Store(Database.in_folder(tmp_path, wait_seconds=0.05))
    other = Store.at(tmp_path)
    shard = GameShard(store)
    post = poster(shard)
    shard.register(registration())
    assert isinstance(post(60), ScoreResult)
    with other.writing():
        refused = post(61)
        assert read(lambda: GameShard(store).game("g1")).updates == 1
    assert isinstance(refused, Unavailable)
    assert "locked" in caplog.text
    expect_recovery(shard, post, store, [60])
    store.close()
    other.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    store = Store.at(tmp_path / "file" / "data")
    with pytest.raises(StoreUnavailableError, match="Not a directory"):
        store.journal.last_seq()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_goes_away_and_comes_back_is_survived(
    postgresql: PostgresServer, tmp_path: Path, mode: str
):
    store = Store.at(tmp_path, postgresql.new_database())
    shard = GameShard(store)
    post = poster(shard)
    shard.register(registration())
    assert isinstance(post(60), ScoreResult)
    postgresql.stop(mode)
    try:
        refused = post(61)
        assert isinstance(refused, Unavailable)
        assert isinstance(post(62), Unavailable)
    finally:
        postgresql.start()
    expect_recovery(shard, post, store, [60])
    store.close()


def test_a_server_that_is_away_at_the_start_is_waited_for(
    postgresql: PostgresServer, tmp_path: Path
):
    url = postgresql.new_database()
    postgresql.stop()
    try:
        store = Store.at(tmp_path, url)
        shard = GameShard(store)
        (answer,) = commit_together(shard.writing, [lambda: shard.register(registration())])
        assert isinstance(answer, Unavailable)
    finally:
        postgresql.start()
    shard.register(registration())
    expect_recovery(shard, poster(shard), store, [])
    store.close()


def test_a_commit_waits_for_the_disk(any_store: Store):
    with any_store.database.writing() as connection:
        if connection.dialect.name == "postgresql":
            assert connection.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
            assert connection.execute(sa.text("SHOW fsync")).scalar() == "on"
            isolation = connection.execute(sa.text("SHOW transaction_isolation")).scalar()
            assert isolation == "read committed"
        else:
            full = 2
            assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == full
            assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"


def test_a_password_is_in_no_error(tmp_path: Path):
    database = Database(
        sa.make_url("postgresql+psycopg://me:pass-word@127.0.0.1:9/nowhere"), wait_seconds=1
    )
    with pytest.raises(StoreUnavailableError) as refused:
        Store(database).journal.last_seq()
    assert "pass-word" not in f"{refused.value} {refused.value.__cause__}"
