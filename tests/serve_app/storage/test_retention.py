import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from serve_app.api.problems import Unavailable
from serve_app.schemas import WebhookChange
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.database import Database
from serve_app.storage.errors import StaleWriteError, StoreUnavailableError
from serve_app.storage.games import Games
from serve_app.storage.integrity import findings
from serve_app.storage.journal import Journal, JournalRow
from serve_app.storage.retention import archive_ended
from serve_app.storage.store import Store
from serve_app.webhooks.intake import Intake
from serve_app.webhooks.registry import Registry
from tests.serve_app.conftest import registration, update, updates
from tests.serve_app.storage.conftest import LATER, contents, night, play, shard_on

FILE = "journal-2024-01-05-1.parquet"


def journal_of(store: Store, game_id: str) -> list[JournalRow]:
    stored = store.games.get(game_id)
    assert stored is not None
    return store.journal_of(stored)


def archives(store: Store) -> dict[str, str | None]:
    return {name: store.games.archive_of(name) for name in store.games.newest(100)}


def posted(shard: GameShard, *items: Update) -> list[bool]:
    """Whether each of these updates is a duplicate."""
    applied = shard.apply(items)
    return [item.result.duplicate for item in applied if isinstance(item, Applied)]


def test_an_archived_game_answers_as_before(any_store: Store):
    shard = night(any_store)
    names = ("g1", "g2", "live")
    views = [shard.game(name) for name in names]
    journals = [journal_of(any_store, name) for name in names]
    assert archive_ended(any_store, before=LATER) == [FILE]
    assert archives(any_store) == {"g1": FILE, "g2": FILE, "live": None}
    assert {row.game_id for row in any_store.journal.all_after()} == {"live"}
    back = shard_on(any_store)
    assert [back.game(name) for name in names] == views
    assert back.end("g1") == shard.end("g1")
    assert back.prediction("g1") == shard.prediction("g1")
    assert [journal_of(any_store, name) for name in names] == journals
    assert archive_ended(any_store, before=LATER) == []


def test_a_repeat_of_an_archived_update_is_known(any_store: Store):
    shard = night(any_store)
    first, late = update(600, 10, game_id="g1"), update(615, 11, game_id="g1")
    archive_ended(any_store, before=LATER)
    for one in (shard, shard_on(any_store)):
        assert posted(one, first) == [True]
    assert posted(shard_on(any_store), late, late, first) == [False, True, True]
    view = shard_on(any_store).game("g1")
    assert view.updates == 98
    scores = [row for row in journal_of(any_store, "g1") if row.type == "score"]
    assert len(scores) == 98
    assert json.loads(scores[-1].payload)["score_home"] == 11


def test_a_later_run_archives_what_came_since_with_the_rest(any_store: Store):
    night(any_store)
    archive_ended(any_store, before=LATER)
    shard = shard_on(any_store)
    late = [update(seconds, 9, game_id="g1") for seconds in (601, 602)]
    assert posted(shard, *late) == [False, False]
    posted(shard, update(1210, 20, game_id="live"))
    before = journal_of(any_store, "g1")
    second = FILE.replace("-1.", "-2.")
    assert archive_ended(any_store, before=LATER) == [second]
    assert archives(any_store) == {"g1": second, "g2": FILE, "live": None}
    assert journal_of(any_store, "g1") == before
    assert posted(shard_on(any_store), *late) == [True, True]
    assert findings(any_store) == []


def test_a_game_that_nobody_ended_goes_when_nobody_posts_any_more(any_store: Store):
    shard = GameShard(any_store, now=lambda: 1_000.0)
    for game_id in ("left", "last"):
        shard.register(registration(game_id))
        shard.apply(updates(120, game_id=game_id))
    assert archive_ended(any_store, before=999.0) == []
    assert len(archive_ended(any_store, before=1_001.0)) == 1
    assert any_store.journal.of_game("left") == []
    back = GameShard(any_store, now=lambda: 2_000.0)
    back.apply([update(150, 9, game_id="left")])
    assert back.game("left").updates == shard.game("last").updates + 1


def test_what_webhooks_have_yet_to_be_told_of_stays_in_the_journal(any_store: Store):
    shard = night(any_store)
    (hook,) = any_store.webhooks.all()
    Registry(any_store).change(hook.webhook_id, WebhookChange(enabled=True))
    play(shard, "told", until=1170)
    shard.end("told")
    play(shard, "later", until=1170)
    assert archive_ended(any_store, before=LATER) == [FILE]
    assert archives(any_store)["told"] is None
    Intake(any_store).take()
    assert len(archive_ended(any_store, before=LATER)) == 1
    assert archives(any_store)["told"] is not None
    told = any_store.deliveries.newest(hook.webhook_id, "pending", 100)
    assert [row.type for row in told if row.game_id == "told"] == ["ended", "prediction"]


def test_only_games_that_ended_long_ago_go(any_store: Store):
    night(any_store)
    assert archive_ended(any_store, before=1.0) == []
    assert not any_store.archive.folder.exists()


def test_the_last_row_stays_for_the_live_feed_counts_on_from_it(any_store: Store):
    shard = shard_on(any_store)
    for name in ("g1", "g2"):
        play(shard, name)
        shard.end(name)
    last = any_store.journal.last_seq()
    archive_ended(any_store, before=LATER)
    assert archives(any_store) == {"g1": FILE, "g2": None}
    assert any_store.journal.last_seq() == last


def test_a_night_of_many_games_is_several_files(any_store: Store):
    shard = shard_on(any_store)
    names = [f"g{number:02}" for number in range(23)]
    for name in names:
        play(shard, name, until=1170)
        shard.end(name)
    assert len(archive_ended(any_store, before=LATER)) == 2
    of_games = list(archives(any_store).values())
    assert [of_games.count(file) for file in sorted({f for f in of_games if f})] == [20, 2]
    assert shard_on(any_store).game("g21").updates == 40


class FailingStore(Store):
    """Fails where it is told to, in the middle of archiving."""

    def __init__(self, database: Database, folder: Path, *, point: str) -> None:
        super().__init__(database, folder)
        self.point = point
        self.games = _FailingGames(database, self)
        self.journal = _FailingJournal(database, self)

    def reach(self, point: str) -> None:
        if point == self.point:
            raise KeyboardInterrupt(point)


class _FailingGames(Games):
    def __init__(self, database: Database, store: FailingStore) -> None:
        super().__init__(database)
        self._store = store

    def set_archive(self, game_ids: Iterable[str], file: str) -> None:
        self._store.reach("begun")
        super().set_archive(game_ids, file)
        self._store.reach("named")


class _FailingJournal(Journal):
    def __init__(self, database: Database, store: FailingStore) -> None:
        super().__init__(database)
        self._store = store

    def drop(self, game_ids: Iterable[str], first: int, last: int) -> int:
        dropped = super().drop(game_ids, first, last)
        self._store.reach("dropped")
        return dropped


@pytest.mark.parametrize("point", ["written", "begun", "named", "dropped", "in use"])
def test_cut_short_anywhere_it_loses_nothing_and_repeats(point: str, any_store: Store):
    night(any_store)
    before, names = contents(any_store), ("g1", "g2", "live")
    views = [shard_on(any_store).game(name) for name in names]
    journals = [journal_of(any_store, name) for name in names]
    failing = FailingStore(any_store.database, any_store.archive.folder, point=point)

    def tell(what: str) -> None:
        failing.reach("in use" if "in use" in what else "written")

    with pytest.raises(KeyboardInterrupt, match=point):
        archive_ended(failing, before=LATER, tell=tell)
    if point != "in use":
        assert contents(any_store) == before
    assert [shard_on(any_store).game(name) for name in names] == views
    archive_ended(any_store, before=LATER)
    assert {row.game_id for row in any_store.journal.all_after()} == {"live"}
    assert [shard_on(any_store).game(name) for name in names] == views
    assert [journal_of(any_store, name) for name in names] == journals
    assert findings(any_store) == []


def test_a_file_cut_short_is_passed_over(any_store: Store):
    night(any_store)
    any_store.archive.folder.mkdir(parents=True)
    (any_store.archive.folder / FILE).write_bytes(b"PAR1 half of a")
    assert archive_ended(any_store, before=LATER) == [FILE.replace("-1.", "-2.")]
    assert shard_on(any_store).game("g1").updates == 97


def test_an_update_that_comes_while_it_is_archived_stays_in_the_journal(any_store: Store):
    shard = night(any_store)
    late = update(615, 11, game_id="g1")

    def post_late(what: str) -> None:
        assert posted(shard, late) == ["in use" in what]

    archive_ended(any_store, before=LATER, tell=post_late)
    assert [row.game_id for row in any_store.journal.all_after()].count("g1") == 1
    assert len(journal_of(any_store, "g1")) == 101 + 1
    assert shard_on(any_store).game("g1").updates == 98
    assert findings(any_store) == []


def test_of_two_runs_at_once_one_archives(any_store: Store):
    night(any_store)

    def be_faster(_: str) -> None:
        if archives(any_store)["g1"] is None:
            archive_ended(any_store, before=LATER)

    with pytest.raises(StaleWriteError, match="another run was faster"):
        archive_ended(any_store, before=LATER, tell=be_faster)
    assert shard_on(any_store).game("g1").updates == 97
    assert findings(any_store) == []


def test_where_the_archive_cannot_be_written_all_stays(any_store: Store):
    night(any_store)
    before = contents(any_store)
    any_store.archive.folder.parent.mkdir(parents=True, exist_ok=True)
    any_store.archive.folder.write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailableError, match=r"expected to write and read journal-2024"):
        archive_ended(any_store, before=LATER)
    assert contents(any_store) == before


def test_a_missing_file_is_named(any_store: Store, caplog: pytest.LogCaptureFixture):
    night(any_store)
    archive_ended(any_store, before=LATER)
    path = any_store.archive.folder / FILE
    content = path.read_bytes()
    path.unlink()
    shard = shard_on(any_store)
    with pytest.raises(Unavailable, match="'g1': its archived journal"):
        shard.game("g1")
    assert str(path) in caplog.text
    assert shard.game("live").updates == 41
    path.write_bytes(content)
    assert shard.game("g1").updates == 97
