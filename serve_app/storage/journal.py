"""The journal: everything that happened, in the order in which it was committed.

It is the truth that buffers and states are rebuilt from, and the outbox of the live feed: what is
told to watchers is read from here, so nothing is told that was not committed, and nothing that was
is forgotten.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from serve_app.schemas import RunningForecast
from serve_app.storage.database import Database
from serve_app.storage.schema import journal


class JournalEntry(NamedTuple):
    """What is to be written: `time` is epoch seconds, `payload` JSON text.

    `identity` is that of a score update within its game.
    """

    game_id: str
    type: str
    time: float
    payload: str
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One thing that happened: `payload` is JSON text, `time` epoch seconds of the service.

    `identity` is that of a score update within its game.
    """

    seq: int
    game_id: str
    type: str
    time: float
    payload: str
    identity: str | None = None


class ScoreRows(NamedTuple):
    """The score updates of one game: their payloads with commas between them, and the latest time.

    One text, because a row of the database a score takes longer than all else about it.
    """

    payloads: str | None
    latest_time: float | None


class Journal:
    """The table of the journal. What writes belongs inside `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entries: Sequence[JournalEntry]) -> list[JournalRow]:
        """Write entries in order, and say how they are numbered.

        Raises StaleWriteError where an identity is there already.
        """
        if not entries:
            return []
        transaction = self._database.transaction
        transaction.execute(journal.insert(), [entry._asdict() for entry in entries])
        # There is one writer at a time, so these are the last numbers, without a gap.
        first = int(transaction.execute(_LAST_SEQ).scalar_one()) - len(entries) + 1
        return [JournalRow(seq, *entry) for seq, entry in enumerate(entries, first)]

    def drop(self, game_ids: Iterable[str], first: int, last: int) -> int:
        """Forget the rows `first` to `last` of these games, once archived; returns their number."""
        done = self._database.transaction.execute(
            journal.delete()
            .where(journal.c.game_id.in_(list(game_ids)))
            .where(journal.c.seq.between(first, last))
        )
        return done.rowcount

    def score_payload(self, game_id: str, identity: str) -> str | None:
        """The payload of the update with this identity, or None."""
        with self._database.reading() as connection:
            return connection.execute(
                _PAYLOAD, {"its_game": game_id, "its_identity": identity}
            ).scalar()

    def scores(self, game_id: str) -> ScoreRows:
        """A game's score updates, in the order in which they came."""
        with self._database.reading() as connection:
            row = connection.execute(_SCORES, {"its_game": game_id}).one()
        return ScoreRows(*row)

    def of_game(self, game_id: str) -> list[JournalRow]:
        """All that happened in one game, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                _ROWS.where(journal.c.game_id == game_id).order_by(journal.c.seq)
            ).all()
        return [JournalRow(*row) for row in rows]

    def running_forecast(self, game_id: str) -> RunningForecast | None:
        """The newest running forecast of one game, or None."""
        with self._database.reading() as connection:
            payload = connection.execute(_NEWEST_FORECAST, {"its_game": game_id}).scalar()
        if payload is None:
            return None
        return RunningForecast.model_validate(json.loads(payload)["forecast"])

    def forecasts(self, game_id: str) -> list[str]:
        """The payloads of a game's running forecasts, in the order in which they were made."""
        with self._database.reading() as connection:
            return list(connection.execute(_FORECASTS, {"its_game": game_id}).scalars())

    def after(self, seq: int, limit: int) -> list[JournalRow]:
        """At most `limit` rows of all games after `seq`, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(_AFTER, {"its_seq": seq, "most": limit}).all()
        return [JournalRow(*row) for row in rows]

    def all_after(self, seq: int = 0, page: int = 2_000) -> Iterator[JournalRow]:
        """Every row after `seq`, in order, a page in memory at a time."""
        while rows := self.after(seq, page):
            yield from rows
            seq = rows[-1].seq

    def time_of(self, seq: int) -> float | None:
        """When the row of this number was written, in epoch seconds; None where there is none."""
        with self._database.reading() as connection:
            return connection.execute(_TIME, {"its_seq": seq}).scalar()

    def last_seq(self) -> int:
        """The highest sequence number of the journal; 0 where it is empty."""
        with self._database.reading() as connection:
            return int(connection.execute(_LAST_SEQ).scalar_one())


_ROWS = sa.select(*journal.columns)
_AFTER = (
    _ROWS.where(journal.c.seq > sa.bindparam("its_seq"))
    .order_by(journal.c.seq)
    .limit(sa.bindparam("most"))
)
_SCORES_IN_ORDER = (
    sa.select(journal.c.time, journal.c.payload)
    .where(journal.c.game_id == sa.bindparam("its_game"), journal.c.type == "score")
    .order_by(journal.c.seq)
    .subquery()
)
_SCORES = sa.select(
    sa.func.aggregate_strings(_SCORES_IN_ORDER.c.payload, ","), sa.func.max(_SCORES_IN_ORDER.c.time)
)
_PAYLOAD = sa.select(journal.c.payload).where(
    journal.c.game_id == sa.bindparam("its_game"),
    journal.c.identity == sa.bindparam("its_identity"),
)
_FORECASTS_OF = sa.select(journal.c.payload).where(
    journal.c.game_id == sa.bindparam("its_game"), journal.c.type == "forecast"
)
_FORECASTS = _FORECASTS_OF.order_by(journal.c.seq)
_NEWEST_FORECAST = _FORECASTS_OF.order_by(journal.c.seq.desc()).limit(1)
_TIME = sa.select(journal.c.time).where(journal.c.seq == sa.bindparam("its_seq"))
_LAST_SEQ = sa.select(sa.func.coalesce(sa.func.max(journal.c.seq), 0))
