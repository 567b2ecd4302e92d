"""The prediction log: each frozen prediction once, its revisions, its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serve_app.schemas import Outcome, Prediction, Revision
from serve_app.storage.database import Database
from serve_app.storage.schema import predictions

TRIGGER = "q2_6min"
LAST_OF_PATTERN = 17


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

    def count(self) -> int:
        """Number of predictions ever made."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count(predictions.c.id))).scalar_one()

    def resolved(self) -> list[ResolvedPrediction]:
        """The numbers of all predictions made in time and with an outcome, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_RESOLVED).all()
        return [ResolvedPrediction(*row[:-1]) for row in rows if not row[-1]]


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


def _number(path: tuple[str | int, ...]) -> sa.ColumnElement[float]:
    number: sa.ColumnElement[float] = predictions.c.frozen[path].as_float()
    return number


_RESOLVED = (
    sa.select(
        _number(("point_forecast",)),
        _number(("interval_lower",)),
        _number(("interval_upper",)),
        _number(("coverage_probability",)),
        _number(("pattern", LAST_OF_PATTERN)),
        predictions.c.outcome[("halftime_margin",)].as_float(),
        predictions.c.frozen[("made_after_halftime",)].as_boolean(),
    )
    .where(predictions.c.outcome.is_not(None))
    .order_by(predictions.c.id)
)


def _prediction(
    frozen: dict[str, Any], revisions: list[Any], outcome: dict[str, Any] | None
) -> Prediction:
    return Prediction.model_validate({**frozen, "revisions": revisions, "outcome": outcome})
