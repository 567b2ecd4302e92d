"""What finished games taught each model version."""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from serve_app.game.ended_game import EndedGame
from serve_app.storage.database import Database
from serve_app.storage.errors import StaleWriteError
from serve_app.storage.schema import games, learned_games


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """What one finished game taught: `payload` is JSON text, `day` YYYY-MM-DD.

    `version` grows with every game that any model version learns.
    """

    version: int
    game_id: str
    day: str
    payload: str


class Lessons:
    """The table of learned games; `bundle` is a model version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unlearned_games(self, bundle: str, after: datetime.date | None = None) -> list[EndedGame]:
        """The ended games that the model version `bundle` has not learned from, by day.

        Only those of days after `after`, where one is given.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(games.c.ended)
                .where(games.c.ended.is_not(None), _is_unlearned(bundle))
                .where(games.c.day > (after.isoformat() if after else ""))
                .order_by(games.c.day, games.c.game_id)
            )
            return [EndedGame.from_json(text) for text in rows.scalars()]

    def count_unlearned(self, bundle: str, day: datetime.date) -> int:
        """How many games of a day `bundle` has not learned from: under way, or not yet learned."""
        with self._database.reading() as connection:
            return connection.execute(
                sa.select(sa.func.count(games.c.game_id)).where(
                    games.c.day == day.isoformat(), _is_unlearned(bundle)
                )
            ).scalar_one()

    def add(self, bundle: str, game_id: str, day: datetime.date, payload: str) -> bool:
        """Keep what `bundle` learned from a game (JSON text); False where that was known."""
        try:
            with self._database.writing() as connection:
                connection.execute(
                    learned_games.insert().values(
                        bundle=bundle, game_id=game_id, day=day.isoformat(), payload=payload
                    )
                )
        except StaleWriteError:
            return False
        return True

    def learned_games(self, bundle: str, after_version: int = 0) -> list[LearnedRow]:
        """What `bundle` learned after `after_version`, in the order in which it did."""
        with self._database.reading() as connection:
            rows = connection.execute(
                _LEARNED, {"its_bundle": bundle, "after_version": after_version}
            ).all()
        return [LearnedRow(*row) for row in rows]


_LEARNED = (
    sa.select(
        learned_games.c.version,
        learned_games.c.game_id,
        learned_games.c.day,
        learned_games.c.payload,
    )
    .where(learned_games.c.bundle == sa.bindparam("its_bundle"))
    .where(learned_games.c.version > sa.bindparam("after_version"))
    .order_by(learned_games.c.version)
)


def _is_unlearned(bundle: str) -> sa.ColumnElement[bool]:
    learned = sa.select(learned_games.c.game_id).where(learned_games.c.bundle == bundle)
    return games.c.game_id.not_in(learned)
