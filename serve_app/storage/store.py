"""The embedded store: the journal of everything that happened, and what was made of it.

The journal is the truth: buffers and states are rebuilt from it, and the live feed reads its new
rows.
"""

import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from serve_app.game.ended_game import EndedGame
from serve_app.schemas import GameRegistration, Outcome, Prediction, Revision, RunningForecast
from serve_app.storage.database import Database

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
    """A registered game, the day it counts for, and whether it was declared over."""

    registration: GameRegistration
    day: datetime.date | None
    ended: bool


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """What one finished game taught: `payload` is JSON text, `day` YYYY-MM-DD.

    `version` grows with every game that any model version learns.
    """

    version: int
    game_id: str
    day: str
    payload: str


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


class Store(Database):
    """One connection to the store; several processes may each have one on the same file."""

    # --- games and the journal -------------------------------------------------------------

    def add_game(self, registration: GameRegistration, day: datetime.date | None = None) -> None:
        """Register a game. To be called inside a transaction."""
        self._connection.execute(
            "INSERT INTO games (game_id, registration, registered_at, day) VALUES (?, ?, ?, ?)",
            (
                registration.game_id,
                registration.model_dump_json(),
                time.time(),
                day and day.isoformat(),
            ),
        )

    def set_day(self, game_id: str, day: datetime.date) -> None:
        """Fix the day of a game that has none yet. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE games SET day = ? WHERE game_id = ? AND day IS NULL",
            (day.isoformat(), game_id),
        )

    def end_game(self, game_id: str) -> None:
        """Declare a game over. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE games SET ended_at = ? WHERE game_id = ?", (time.time(), game_id)
        )

    def drop_running_forecasts(self, game_id: str) -> None:
        """Forget a game's running forecasts, once nobody needs them. Inside a transaction."""
        self._connection.execute(
            "DELETE FROM journal WHERE game_id = ? AND type = 'forecast'", (game_id,)
        )

    def set_ended(self, ended: EndedGame) -> None:
        """Keep what an ended game teaches. To be called inside a transaction."""
        self._connection.execute(
            "UPDATE games SET ended = ? WHERE game_id = ?",
            (ended.to_json(), ended.game_id),
        )

    def append(self, entries: Sequence[tuple[str, str, float, str]]) -> None:
        """Append (game_id, type, time, payload) rows. To be called inside a transaction."""
        self._connection.executemany(
            "INSERT INTO journal (game_id, type, time, payload) VALUES (?, ?, ?, ?)", entries
        )

    def game(self, game_id: str) -> StoredGame | None:
        """A registered game, or None."""
        rows = self._read(
            "SELECT registration, day, ended_at FROM games WHERE game_id = ?", (game_id,)
        )
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

    def running_forecast(self, game_id: str) -> RunningForecast | None:
        """The newest running forecast of one game, or None."""
        rows = self._read(
            "SELECT payload ->> '$.forecast' FROM journal "
            "WHERE game_id = ? AND type = 'forecast' ORDER BY seq DESC LIMIT 1",
            (game_id,),
        )
        return RunningForecast.model_validate_json(rows[0][0]) if rows else None

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

    # --- what finished games taught --------------------------------------------------------

    def unlearned_games(self, bundle: str, after: datetime.date | None = None) -> list[EndedGame]:
        """The ended games that the model version `bundle` has not learned from, by day.

        Only those of days after `after`, where one is given.
        """
        rows = self._read(
            "SELECT ended FROM games WHERE ended IS NOT NULL AND day > ? AND game_id NOT IN "
            "(SELECT game_id FROM learned_games WHERE bundle = ?) ORDER BY day, game_id",
            (after.isoformat() if after else "", bundle),
        )
        return [EndedGame.from_json(row[0]) for row in rows]

    def count_unlearned(self, bundle: str, day: datetime.date) -> int:
        """How many games of a day `bundle` has not learned from: under way, or not yet learned."""
        rows = self._read(
            "SELECT COUNT(*) FROM games WHERE day = ? AND game_id NOT IN "
            "(SELECT game_id FROM learned_games WHERE bundle = ?)",
            (day.isoformat(), bundle),
        )
        return int(rows[0][0])

    def add_learned(self, bundle: str, game_id: str, day: datetime.date, payload: str) -> bool:
        """Keep what `bundle` learned from a game (JSON text); False where that was known."""
        with self.transaction():
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO learned_games (bundle, game_id, day, payload) "
                "VALUES (?, ?, ?, ?)",
                (bundle, game_id, day.isoformat(), payload),
            )
            return cursor.rowcount == 1

    def learned_games(self, bundle: str, after_version: int = 0) -> list[LearnedRow]:
        """What `bundle` learned after `after_version`, in the order in which it did."""
        rows = self._read(
            "SELECT version, game_id, day, payload FROM learned_games "
            "WHERE bundle = ? AND version > ? ORDER BY version",
            (bundle, after_version),
        )
        return [LearnedRow(*row) for row in rows]


def _stored_game(registration: str, day: str | None, ended_at: float | None) -> StoredGame:
    return StoredGame(
        GameRegistration.model_validate_json(registration),
        datetime.date.fromisoformat(day) if day else None,
        ended_at is not None,
    )


def _prediction(frozen: str, revisions: str, outcome: str | None) -> Prediction:
    return Prediction.model_validate(
        {
            **json.loads(frozen),
            "revisions": json.loads(revisions),
            "outcome": json.loads(outcome) if outcome else None,
        }
    )
