"""Migrations: old stores, new stores, stores of a later version; on both databases."""

import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from serve_app.schemas import EXAMPLE_URL, WebhookRegistration
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage import schema
from serve_app.storage.database import FILE_NAME
from serve_app.storage.errors import StoreVersionError
from serve_app.storage.migrate import NEWEST
from serve_app.storage.store import Store
from serve_app.webhooks.intake import Intake
from serve_app.webhooks.registry import Registry
from tests.serve_app.conftest import registration

# As the versions before migrations made it.
OLD = """
CREATE TABLE games (game_id TEXT PRIMARY KEY, registration TEXT NOT NULL,
    registered_at REAL NOT NULL, ended_at REAL);
CREATE TABLE journal (seq INTEGER PRIMARY KEY AUTOINCREMENT,
    game_id TEXT NOT NULL REFERENCES games, type TEXT NOT NULL, time REAL NOT NULL,
    payload TEXT NOT NULL);
CREATE INDEX journal_scores ON journal (game_id, seq) WHERE type = 'score';
CREATE INDEX journal_forecasts ON journal (game_id, seq) WHERE type = 'forecast';
CREATE TABLE predictions (id INTEGER PRIMARY KEY AUTOINCREMENT,
    game_id TEXT NOT NULL REFERENCES games, trigger TEXT NOT NULL, model_version TEXT NOT NULL,
    frozen TEXT NOT NULL, revisions TEXT NOT NULL DEFAULT '[]', outcome TEXT,
    UNIQUE (game_id, trigger));
"""


def old_store(folder: Path) -> None:
    old = sqlite3.connect(folder / FILE_NAME)
    old.executescript(OLD)
    written = registration().model_dump_json(exclude={"playoffs"})
    old.execute("INSERT INTO games VALUES ('g1', ?, 1.0, NULL)", (written,))
    # Sequence 1 was used twice, which was allowed then.
    for sequence, home in ((0, 0), (1, 2), (1, 3), (None, 5)):
        payload = {
            "quarter": 1,
            "time_remaining": f"{11 - home}:00",
            "score_home": home,
            "score_away": 0,
            "timestamp": None,
            "sequence": sequence,
            "margin": home,
            "game_minute": home + 1,
            "state": "live",
            "flags": [],
        }
        old.execute(
            "INSERT INTO journal (game_id, type, time, payload) VALUES ('g1', 'score', 5.0, ?)",
            (json.dumps(payload),),
        )
    old.commit()
    old.close()


def test_a_store_of_an_earlier_version_goes_on_where_it_was(tmp_path: Path):
    old_store(tmp_path)
    for _ in range(2):  # the second time there is nothing to do
        store = Store.at(tmp_path)
        shard = GameShard(store)
        view = shard.game("g1")
        assert (view.updates, view.margin, view.day) == (4, 5, None)
        (again, refused) = shard.apply(
            [Update("g1", 1, "9:00", 2, 0, None, 1), Update("g1", 1, "8:00", 3, 0, None, 1)]
        )
        assert isinstance(again, Applied)
        assert again.result.duplicate
        assert not isinstance(refused, Applied)
        store.close()


def test_webhooks_of_a_store_that_had_none_hear_what_comes_next(tmp_path: Path):
    old_store(tmp_path)
    store = Store.at(tmp_path)
    wanted = WebhookRegistration(url=EXAMPLE_URL, events=["score"])
    hook = Registry(store).register(wanted)
    GameShard(store).apply([Update("g1", 1, "5:00", 9, 0)])
    Intake(store).take()
    (told,) = store.deliveries.newest(hook.id, None, 100)
    assert told.seq == store.journal.last_seq()
    store.close()


def test_the_migrations_make_the_tables_that_the_code_expects(any_store: Store):
    with any_store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            difference
            for difference in compare_metadata(context, schema.METADATA)
            # Names of tables that hold only Alembic's own version.
            if "alembic_version" not in str(difference)
        ]
        assert differences == []
        assert context.get_current_revision() == NEWEST


def test_a_store_of_a_later_version_is_refused(any_store: Store):
    with any_store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    later = Store(type(any_store.database)(any_store.database.url))
    with pytest.raises(StoreVersionError, match=f"up to {NEWEST}.*9999"):
        later.journal.last_seq()
    later.close()
