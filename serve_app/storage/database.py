"""The database file of the store: opened, brought to the present schema, written in transactions.

SQLite with WAL and `synchronous=FULL`: a row is on disk when `commit` returns.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "halftime.sqlite3"
BUSY_TIMEOUT_SECONDS = 10

_SCHEMA = """
CREATE TABLE IF NOT EXISTS games (
    game_id TEXT PRIMARY KEY,
    registration TEXT NOT NULL,
    registered_at REAL NOT NULL,
    ended_at REAL
);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    game_id TEXT NOT NULL REFERENCES games,
    type TEXT NOT NULL,
    time REAL NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_scores ON journal (game_id, seq) WHERE type = 'score';
CREATE INDEX IF NOT EXISTS journal_forecasts ON journal (game_id, seq) WHERE type = 'forecast';
CREATE TABLE IF NOT EXISTS predictions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    game_id TEXT NOT NULL REFERENCES games,
    trigger TEXT NOT NULL,
    model_version TEXT NOT NULL,
    frozen TEXT NOT NULL,
    revisions TEXT NOT NULL DEFAULT '[]',
    outcome TEXT,
    UNIQUE (game_id, trigger)
);
CREATE TABLE IF NOT EXISTS learned_games (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    bundle TEXT NOT NULL,
    game_id TEXT NOT NULL,
    day TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (bundle, game_id)
);
"""
# Columns that came later, by table: a store of an earlier version gets them when it is opened.
# `day` is the game day (YYYY-MM-DD), `ended` what an ended game teaches, as JSON.
_LATER_COLUMNS = {"games": ("day", "ended")}


class Database:
    """One connection to the file; several processes may each have one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / FILE_NAME,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        # One process at a time: the switch to WAL waits for nobody, it fails on a file in use.
        with (folder / "opening.lock").open("w") as opening:
            fcntl.flock(opening, fcntl.LOCK_EX)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.executescript(_SCHEMA)
            self._add_later_columns()
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA foreign_keys=ON")

    def _add_later_columns(self) -> None:
        for table, columns in _LATER_COLUMNS.items():
            present = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            for column in columns:
                if column not in present:
                    self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are on disk when it ends, or none is where it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a failed commit may have ended it itself
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, query: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()
