"""The prediction log: each frozen prediction once, its revisions, its outcome."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serve_app.schemas import GameRegistration, Outcome, Prediction, Revision
from serve_app.storage.database import Database
from serve_app.storage.resolved import (
    DatedPrediction,
    ResolvedPrediction,
    game_day,
    read_resolved,
)
from serve_app.storage.schema import games, predictions

TRIGGER = "q2_6min"


@dataclass(frozen=True, slots=True)
class LoggedPrediction:
    """A row of the log with its game; `number` is its place, `day` the day of the game."""

    number: int
    prediction: Prediction
    registration: GameRegistration
    day: datetime.date


class Predictions:
    """The table of predictions. What writes belongs inside `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def freeze(self, prediction: Prediction) -> None:
        """Store the one prediction of a game; raises StaleWriteError where there is one."""
        self._database.transaction.execute(
            predictions.insert().values(
                game_id=prediction.game_id,
                trigger=TRIGGER,
                model_version=prediction.model_version,
                frozen=prediction.model_dump(mode="json", exclude={"revisions", "outcome"}),
                revisions=[],
            )
        )

    def set_revisions(self, game_id: str, revisions: Sequence[Revision]) -> None:
        """Replace the revisions beside the frozen prediction."""
        self._set(game_id, revisions=[revision.model_dump(mode="json") for revision in revisions])

    def set_outcome(self, game_id: str, outcome: Outcome) -> None:
        """Set what happened at halftime."""
        self._set(game_id, outcome=outcome.model_dump(mode="json"))

    def _set(self, game_id: str, **values: object) -> None:
        self._database.transaction.execute(
            predictions.update()
            .where(predictions.c.game_id == game_id, predictions.c.trigger == TRIGGER)
            .values(**values)
        )

    def get(self, game_id: str) -> Prediction | None:
        """The prediction of one game with its revisions and outcome, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_GET, {"its_game": game_id}).one_or_none()
        return None if row is None else _prediction(*row)

    def page(self, since: int, limit: int) -> list[tuple[int, Prediction]]:
        """At most `limit` (id, prediction) pairs with an id over `since`, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_PAGE, {"since": since, "most": limit}).all()
        return [(row[0], _prediction(*row[1:])) for row in rows]

    def logged(self, page: int) -> Iterator[list[LoggedPrediction]]:
        """The whole log with its games, oldest first, `page` rows in memory at a time."""
        since = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(_LOGGED, {"since": since, "most": page}).all()
            if not rows:
                return
            yield [
                LoggedPrediction(
                    number,
                    _prediction(*parts),
                    GameRegistration.model_validate_json(game),
                    game_day(day, parts[0]["made_at"]),
                )
                for number, *parts, game, day in rows
            ]
            since = rows[-1].id

    def count(self) -> int:
        """Number of predictions ever made."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count(predictions.c.id))).scalar_one()

    def resolved(self) -> Sequence[ResolvedPrediction]:
        """The numbers of all predictions made in time and with an outcome, oldest first."""
        with self._database.reading() as connection:
            return _counted(connection.execute(_RESOLVED))

    def newest_resolved(self, most: int) -> Sequence[ResolvedPrediction]:
        """Of the newest `most` predictions with an outcome those made in time, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_NEWEST_RESOLVED, {"most": most}).all()
        return _counted(reversed(rows))

    def resolved_by_day(
        self,
        since: datetime.date = datetime.date.min,
        until: datetime.date = datetime.date.max,
        *,
        most_days: int,
    ) -> list[DatedPrediction]:
        """What `resolved` has of the newest `most_days` game days from `since` to `until`.

        By day, and oldest first within it. A game of an earlier version of the service may have no
        day: it counts for the day on which its prediction was made.
        """
        span = {"since": since.isoformat(), "until": until.isoformat()}
        with self._database.reading() as connection:
            days = connection.execute(_PREDICTED_DAYS, {**span, "most": most_days}).scalars().all()
            # So much less to read: there are years of days before the newest ones.
            oldest = {"since": days[-1]} if len(days) == most_days else {}
            dated = _counted(connection.execute(_DATED, {**span, **oldest}))
        newest = sorted({one.day for one in dated if since <= one.day <= until})[-most_days:]
        return sorted(
            (one for one in dated if newest and newest[0] <= one.day <= newest[-1]),
            key=lambda one: one.day,
        )


_PARTS = (predictions.c.frozen, predictions.c.revisions, predictions.c.outcome)
_GET = sa.select(*_PARTS).where(
    predictions.c.game_id == sa.bindparam("its_game"), predictions.c.trigger == TRIGGER
)
_PAGE = (
    sa.select(predictions.c.id, *_PARTS)
    .where(predictions.c.id > sa.bindparam("since"))
    .order_by(predictions.c.id)
    .limit(sa.bindparam("most"))
)
_LOGGED = _PAGE.add_columns(games.c.registration, games.c.day).join_from(
    predictions, games, predictions.c.game_id == games.c.game_id
)


_RESOLVED = (
    sa.select(sa.cast(predictions.c.frozen, sa.Text), sa.cast(predictions.c.outcome, sa.Text))
    .where(predictions.c.outcome.is_not(None))
    .order_by(predictions.c.id)
)
_NEWEST_RESOLVED = (
    _RESOLVED.order_by(None).order_by(predictions.c.id.desc()).limit(sa.bindparam("most"))
)
_IN_SPAN = games.c.day.between(sa.bindparam("since"), sa.bindparam("until"))
_PREDICTED_DAYS = (
    sa.select(games.c.day)
    .join_from(games, predictions, games.c.game_id == predictions.c.game_id)
    .where(_IN_SPAN)
    .distinct()
    .order_by(games.c.day.desc())
    .limit(sa.bindparam("most"))
)
_DATED = (
    _RESOLVED.add_columns(games.c.day)
    .join_from(predictions, games, predictions.c.game_id == games.c.game_id)
    .where(sa.or_(_IN_SPAN, games.c.day.is_(None)))
)


def _prediction(
    frozen: dict[str, Any], revisions: list[Any], outcome: dict[str, Any] | None
) -> Prediction:
    return Prediction.model_validate({**frozen, "revisions": revisions, "outcome": outcome})


def _counted(rows: Iterable[Sequence[Any]]) -> list[DatedPrediction]:
    found = (read_resolved(*row) for row in rows)
    return [one for one in found if one is not None]
