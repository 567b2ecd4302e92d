"""The registered games in the store, each with the version that its next writer must know."""

import datetime
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serve_app.game.ended_game import EndedGame
from serve_app.schemas import GameRegistration
from serve_app.storage.database import Database
from serve_app.storage.errors import StaleWriteError
from serve_app.storage.schema import games

FORGOTTEN_SECONDS = 86_400.0
UNPLAYED_SECONDS = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class GameSums:
    """What the journaled updates of a game come to; `last_received` is in epoch seconds."""

    state: str
    updates: int
    corrections: int
    last_received: float | None


@dataclass(frozen=True, slots=True)
class StoredGame:
    """A registered game, the day it counts for, and whether it was declared over.

    `sums` is None where an earlier version of the service wrote the game; `archive` names the file
    that its journal went to.
    """

    registration: GameRegistration
    day: datetime.date | None
    ended: bool
    version: int = 0
    sums: GameSums | None = None
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class GameAdvance:
    """A game as one commit leaves it; `version` is the one before."""

    game_id: str
    version: int
    day: datetime.date | None
    sums: GameSums


class Games:
    """The table of games. What writes belongs inside `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, registration: GameRegistration, day: datetime.date | None = None) -> None:
        """Register a game; raises StaleWriteError where it is registered."""
        self._database.transaction.execute(
            games.insert().values(
                game_id=registration.game_id,
                registration=registration.model_dump_json(),
                registered_at=time.time(),
                day=day and day.isoformat(),
            )
        )

    def advance(self, advances: Sequence[GameAdvance]) -> None:
        """Write how these games stand, each to its next version.

        Raises StaleWriteError where another writer has advanced one of them since it was read.
        """
        done = self._database.transaction.execute(
            _ADVANCE,
            [
                {
                    "its_game": advance.game_id,
                    "its_version": advance.version,
                    "day": advance.day and advance.day.isoformat(),
                    "state": advance.sums.state,
                    "updates": advance.sums.updates,
                    "corrections": advance.sums.corrections,
                    "last_received": advance.sums.last_received,
                }
                for advance in advances
            ],
        )
        if done.rowcount != len(advances):
            raise StaleWriteError(
                f"{len(advances)} games: expected to be the only writer; another one was first"
            )

    def end(self, game_id: str) -> None:
        """Declare a game over."""
        self._set(game_id, ended_at=time.time())

    def set_ended(self, ended: EndedGame) -> None:
        """Keep what an ended game teaches."""
        self._set(ended.game_id, ended=ended.to_json())

    def set_archive(self, game_ids: Iterable[str], file: str) -> None:
        """Note where the journal of these games went."""
        self._database.transaction.execute(
            games.update().where(games.c.game_id.in_(list(game_ids))).values(archive=file)
        )

    def _set(self, game_id: str, **values: object) -> None:
        self._database.transaction.execute(
            games.update().where(games.c.game_id == game_id).values(**values)
        )

    def get(self, game_id: str) -> StoredGame | None:
        """A registered game, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_GET, {"its_game": game_id}).one_or_none()
        return None if row is None else _stored(row)

    def versions(self, game_ids: Iterable[str]) -> dict[str, int]:
        """The versions of these games, of those that are registered."""
        with self._database.reading() as connection:
            rows = connection.execute(_VERSIONS, {"game_ids": list(game_ids)})
            return {row.game_id: row.version for row in rows}

    def archive_of(self, game_id: str) -> str | None:
        """The file that the journal of a game went to, or None."""
        with self._database.reading() as connection:
            return connection.execute(_ARCHIVE_OF, {"its_game": game_id}).scalar()

    def newest(self, limit: int) -> list[str]:
        """The ids of the `limit` newest registrations, oldest first."""
        newest_first = sa.select(games.c.game_id).order_by(
            games.c.registered_at.desc(), games.c.game_id.desc()
        )
        with self._database.reading() as connection:
            rows = connection.execute(newest_first.limit(limit)).scalars().all()
        return list(reversed(rows))

    def count_monitored(self, now: float) -> int:
        """Number of games at `now` (epoch seconds) that may still go on.

        Not those declared over, those unheard of for a day, nor those that never began within a
        week of their registration.
        """
        heard, registered = now - FORGOTTEN_SECONDS, now - UNPLAYED_SECONDS
        with self._database.reading() as connection:
            found = connection.execute(
                _COUNT_MONITORED, {"heard_since": heard, "registered_since": registered}
            )
            return found.scalar_one()

    def of_day(self, day: datetime.date) -> list[str]:
        """The ids of the games of one day, in the order of their registration."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(games.c.game_id)
                .where(games.c.day == day.isoformat())
                .order_by(games.c.registered_at, games.c.game_id)
            )
            return list(rows.scalars())


_ADVANCE = (
    games.update()
    .where(games.c.game_id == sa.bindparam("its_game"))
    .where(games.c.version == sa.bindparam("its_version"))
    .values(
        version=games.c.version + 1,
        day=sa.bindparam("day"),
        state=sa.bindparam("state"),
        updates=sa.bindparam("updates"),
        corrections=sa.bindparam("corrections"),
        last_received=sa.bindparam("last_received"),
    )
)
_GET = sa.select(
    games.c.registration,
    games.c.day,
    games.c.ended_at,
    games.c.version,
    games.c.state,
    games.c.updates,
    games.c.corrections,
    games.c.last_received,
    games.c.archive,
).where(games.c.game_id == sa.bindparam("its_game"))

_VERSIONS = sa.select(games.c.game_id, games.c.version).where(
    games.c.game_id.in_(sa.bindparam("game_ids", expanding=True))
)
_COUNT_MONITORED = sa.select(sa.func.count(games.c.game_id)).where(
    games.c.ended_at.is_(None),
    sa.or_(
        games.c.last_received > sa.bindparam("heard_since"),
        sa.and_(
            games.c.last_received.is_(None),
            games.c.registered_at > sa.bindparam("registered_since"),
        ),
    ),
)
_ARCHIVE_OF = sa.select(games.c.archive).where(games.c.game_id == sa.bindparam("its_game"))


def _stored(row: sa.Row[*tuple[Any, ...]]) -> StoredGame:
    registration, day, ended_at, version, state, updates, corrections, last_received, archive = row
    sums = None
    if updates is not None:
        sums = GameSums(state, updates, corrections, last_received)
    return StoredGame(
        GameRegistration.model_validate_json(registration),
        datetime.date.fromisoformat(day) if day else None,
        ended_at is not None,
        version,
        sums,
        archive,
    )
