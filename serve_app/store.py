"""The embedded store: a SQLite file with the journal of everything that happened.

The journal is the truth: buffers and states are rebuilt from it, and the live feed reads its new
rows. A row is on disk when `commit` returns (WAL, `synchronous=FULL`).
"""

import fcntl
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serve_app.schemas import GameRegistration, Outcome, Prediction, Revision

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
"""

TRIGGER = "q2_6min"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One thing that happened: `payload` is JSON text, `time` epoch seconds of the service."""

    seq: int
    game_id: str
    type: str
    time: float
    payload: str


@dataclass(frozen=True, slots=True)
class StoredGame:
    """A registered game, and whether it was declared over."""

    registration: GameRegistration
    ended: bool


@dataclass(frozen=True, slots=True)
class ResolvedPrediction:
    """The numbers of a frozen prediction whose outcome is known, in points.

    `margin` is the margin at the trigger, `actual` the one at halftime.
    """

    point: float
    lower: float
    upper: float
    coverage_probability: float
    margin: float
    actual: float


class Store:
    """One connection to the store; several processes may each have one on the same file."""

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
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA foreign_keys=ON")

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
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _read(self, query: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    # --- games and the journal -------------------------------------------------------------

    def add_game(self, registration: GameRegistration) -> None:
        """Register a game. To be called inside a transaction."""
        self._connection.execute(
            "INSERT INTO games (game_id, registration, registered_at) VALUES (?, ?, ?)",
            (registration.game_id, registration.model_dump_json(), time.time()),
        )

    def end_game(self, game_id: str) -> None:
        """Declare a game over. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE games SET ended_at = ? WHERE game_id = ?", (time.time(), game_id)
        )

    def append(self, entries: Sequence[tuple[str, str, float, str]]) -> None:
        """Append (game_id, type, time, payload) rows. To be called inside a transaction."""
        self._connection.executemany(
            "INSERT INTO journal (game_id, type, time, payload) VALUES (?, ?, ?, ?)", entries
        )

    def game(self, game_id: str) -> StoredGame | None:
        """A registered game, or None."""
        rows = self._read("SELECT registration, ended_at FROM games WHERE game_id = ?", (game_id,))
        return _stored_game(*rows[0]) if rows else None

    def newest_games(self, limit: int) -> list[str]:
        """The ids of the `limit` newest registrations, oldest first."""
        rows = self._read("SELECT game_id FROM games ORDER BY rowid DESC LIMIT ?", (limit,))
        return [row[0] for row in reversed(rows)]

    def scores(self, game_id: str) -> list[JournalRow]:
        """The journaled score updates of one game, in the order in which they came."""
        rows = self._read(
            "SELECT seq, game_id, type, time, payload FROM journal "
            "WHERE game_id = ? AND type = 'score' ORDER BY seq",
            (game_id,),
        )
        return [JournalRow(*row) for row in rows]

    def journal_after(self, seq: int, limit: int) -> list[JournalRow]:
        """At most `limit` rows of all games after `seq`, in order."""
        rows = self._read(
            "SELECT seq, game_id, type, time, payload FROM journal WHERE seq > ? "
            "ORDER BY seq LIMIT ?",
            (seq, limit),
        )
        return [JournalRow(*row) for row in rows]

    def last_seq(self) -> int:
        """The highest sequence number of the journal; 0 where it is empty."""
        return int(self._read("SELECT COALESCE(MAX(seq), 0) FROM journal")[0][0])

    # --- predictions -----------------------------------------------------------------------

    def freeze(self, prediction: Prediction) -> bool:
        """Store the one prediction of a game; False where another was first.

        To be called inside a transaction.
        """
        frozen = prediction.model_dump_json(exclude={"revisions", "outcome"})
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO predictions (game_id, trigger, model_version, frozen) "
            "VALUES (?, ?, ?, ?)",
            (prediction.game_id, TRIGGER, prediction.model_version, frozen),
        )
        return cursor.rowcount == 1

    def set_revisions(self, game_id: str, revisions: Sequence[Revision]) -> None:
        """Replace the revisions beside the frozen prediction. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE predictions SET revisions = ? WHERE game_id = ? AND trigger = ?",
            (json.dumps([r.model_dump(mode="json") for r in revisions]), game_id, TRIGGER),
        )

    def set_outcome(self, game_id: str, outcome: Outcome) -> None:
        """Set what happened at halftime. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE predictions SET outcome = ? WHERE game_id = ? AND trigger = ?",
            (outcome.model_dump_json(), game_id, TRIGGER),
        )

    def prediction(self, game_id: str) -> Prediction | None:
        """The prediction of one game with its revisions and outcome, or None."""
        rows = self._read(
            "SELECT frozen, revisions, outcome FROM predictions WHERE game_id = ? AND trigger = ?",
            (game_id, TRIGGER),
        )
        return _prediction(*rows[0]) if rows else None

    def predictions(self, since: int, limit: int) -> list[tuple[int, Prediction]]:
        """At most `limit` (id, prediction) pairs with an id over `since`, oldest first."""
        rows = self._read(
            "SELECT id, frozen, revisions, outcome FROM predictions WHERE id > ? "
            "ORDER BY id LIMIT ?",
            (since, limit),
        )
        return [(row[0], _prediction(*row[1:])) for row in rows]

    def count_predictions(self) -> int:
        """Number of predictions ever made."""
        return int(self._read("SELECT COUNT(*) FROM predictions")[0][0])

    def resolved_predictions(self) -> list[ResolvedPrediction]:
        """The numbers of all predictions made in time and with an outcome, oldest first."""
        rows = self._read(
            "SELECT frozen ->> '$.point_forecast', frozen ->> '$.interval_lower', "
            "frozen ->> '$.interval_upper', frozen ->> '$.coverage_probability', "
            "frozen ->> '$.pattern[#-1]', outcome ->> '$.halftime_margin' "
            "FROM predictions WHERE outcome IS NOT NULL "
            "AND NOT COALESCE(frozen ->> '$.made_after_halftime', 0) ORDER BY id"
        )
        return [ResolvedPrediction(*row) for row in rows]


def _stored_game(registration: str, ended_at: float | None) -> StoredGame:
    return StoredGame(GameRegistration.model_validate_json(registration), ended_at is not None)


def _prediction(frozen: str, revisions: str, outcome: str | None) -> Prediction:
    return Prediction.model_validate(
        {
            **json.loads(frozen),
            "revisions": json.loads(revisions),
            "outcome": json.loads(outcome) if outcome else None,
        }
    )
