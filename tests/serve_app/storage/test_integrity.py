import pytest
import sqlalchemy as sa

from serve_app.storage.integrity import findings
from serve_app.storage.retention import archive_ended
from serve_app.storage.schema import cursors, games, journal, predictions
from serve_app.storage.store import Store
from tests.serve_app.storage.conftest import LATER, night


@pytest.fixture
def archived(any_store: Store) -> Store:
    """A store with games of which two are archived."""
    night(any_store)
    archive_ended(any_store, before=LATER)
    return any_store


def test_a_night_is_sound(archived: Store):
    assert findings(archived) == []


def spoil(store: Store, statement: sa.Update | sa.Delete | sa.Insert) -> list[str]:
    with store.database.writing() as connection:
        connection.execute(statement)
    return findings(store)


def test_a_lost_update_is_found(archived: Store):
    one = sa.select(sa.func.max(journal.c.seq)).where(journal.c.type == "score").scalar_subquery()
    assert spoil(archived, journal.delete().where(journal.c.seq == one)) == [
        "game 'live': expected 41 updates in its journal; got 40"
    ]


def test_a_prediction_without_its_journal_row_is_found(archived: Store):
    assert spoil(archived, journal.delete().where(journal.c.type == "prediction")) == [
        "game 'live': expected its journal to tell of 1 predictions; it does of 0"
    ]
    assert len(spoil(archived, predictions.delete().where(predictions.c.game_id == "g1"))) == 2


def test_a_game_that_was_written_has_a_version(archived: Store):
    assert spoil(archived, games.update().where(games.c.game_id == "g1").values(version=0)) == [
        "game 'g1': expected a version from 1, for it was written; got less"
    ]


def test_an_archived_row_that_is_in_the_journal_too_is_found(archived: Store):
    row = journal.insert().values(seq=1, game_id="g1", type="game", time=1.0, payload="{}")
    (found,) = spoil(archived, row)
    assert "'g1': expected its journal to go on after row" in found


def test_an_archive_that_is_not_there_is_found(archived: Store):
    for path in archived.archive.folder.iterdir():
        path.write_bytes(b"no Parquet")
    found = findings(archived)
    assert [line[:9] for line in found] == ["game 'g1'", "game 'g2'"]
    assert all("expected its journal in the archive" in line for line in found)


def test_a_row_of_no_game_is_found(store: Store):
    night(store)
    other = sa.create_engine(store.database.url)  # which checks no foreign keys
    with other.begin() as connection:
        connection.execute(
            journal.insert().values(game_id="nobody", type="game", time=1.0, payload="{}")
        )
    other.dispose()
    assert any("expected its row in games; there is none" in line for line in findings(store))


def test_a_reader_that_is_beyond_the_journal_is_found(archived: Store):
    ahead = cursors.update().values(seq=archived.journal.last_seq() + 1)
    (found,) = spoil(archived, ahead)
    assert "the cursor 'webhooks': expected at most" in found
