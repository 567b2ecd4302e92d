from pathlib import Path

from serve_app.process.daily_archive import SECONDS_PER_DAY, DailyArchive
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, update

LONG_AFTER = 4e9  # seconds since the epoch


def ended(store: Store) -> None:
    """A game that is over, and another after it."""
    shard = GameShard(store)
    shard.register(registration())
    shard.apply([update(30, 2)])
    shard.end("g1")
    shard.register(registration("g2"))


class Clock:
    def __init__(self) -> None:
        self.now = LONG_AFTER

    def __call__(self) -> float:
        return self.now


def looked(daily: DailyArchive) -> bool:
    """Whether it was time; waits for what was started."""
    thread = daily.look()
    if thread is not None:
        thread.join(60)
        assert not thread.is_alive()
    return thread is not None


def test_old_journals_are_archived_once_a_day(store: Store, tmp_path: Path):
    ended(store)
    said: list[str] = []
    clock = Clock()
    settings = Settings(data_dir=tmp_path / "data", archive_after_days=30)
    daily = DailyArchive(settings, said.append, clock)
    assert looked(daily)
    assert store.games.archive_of("g1") is not None
    clock.now += SECONDS_PER_DAY - 1
    assert not looked(daily)
    clock.now += 1
    assert looked(daily)
    assert said == []


def test_what_goes_wrong_is_said_and_tried_again_the_next_day(store: Store, tmp_path: Path):
    ended(store)
    store.archive.folder.write_text("a file where the folder should be")
    said: list[str] = []
    clock = Clock()
    settings = Settings(data_dir=tmp_path / "data", archive_after_days=30)
    daily = DailyArchive(settings, said.append, clock)
    assert looked(daily)
    assert [text.startswith("old journals are not archived today: ") for text in said] == [True]
    store.archive.folder.unlink()
    clock.now += SECONDS_PER_DAY
    assert looked(daily)
    assert store.games.archive_of("g1") is not None


def test_a_service_keeps_all_unless_it_is_told(store: Store, tmp_path: Path):
    ended(store)
    daily = DailyArchive(Settings(data_dir=tmp_path / "data"), print, Clock())
    assert not looked(daily)
    assert store.games.archive_of("g1") is None
