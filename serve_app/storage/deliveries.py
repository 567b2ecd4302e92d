"""The deliveries of webhooks: what is to be sent, what came of it, how far the journal was read.

Deliveries are written in the transaction that moves the place in the journal: a crash at any point
leaves either the event to be read, or its deliveries to be made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import sqlalchemy as sa

from serve_app.schemas import DeliveryState
from serve_app.storage.database import Database
from serve_app.storage.errors import StaleWriteError
from serve_app.storage.schema import cursors, webhook_deliveries, webhooks
from serve_app.storage.webhooks import DELETED

CURSOR = "webhooks"


class NewDelivery(NamedTuple):
    """What is to be sent: `body` as it is, `created_at` in epoch seconds; `seq` of the journal."""

    delivery_id: str
    webhook_id: str
    seq: int | None
    game_id: str | None
    type: str
    body: str
    created_at: float


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery whose time has come: `attempts` were made before."""

    delivery_id: str
    type: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """How a delivery stands; times are epoch seconds."""

    delivery_id: str
    webhook_id: str
    seq: int | None
    game_id: str | None
    type: str
    created_at: float
    state: DeliveryState
    attempts: int
    next_attempt_at: float
    last_attempt_at: float | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What came of an attempt, and what is to become of its delivery; times are epoch seconds."""

    delivery_id: str
    state: DeliveryState
    attempts: int
    attempted_at: float
    next_attempt_at: float
    status: int | None
    error: str | None


class Deliveries:
    """The table of deliveries. What writes belongs inside `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- the place in the journal ----------------------------------------------------------

    def position(self) -> int:
        """The number of the row of the journal up to which deliveries were written; 0 at first."""
        query = sa.select(cursors.c.seq).where(cursors.c.name == CURSOR)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def move(self, before: int, after: int) -> None:
        """Note that the journal was read on; raises StaleWriteError where another one has."""
        connection = self._database.transaction
        moved = connection.execute(
            cursors.update()
            .where(cursors.c.name == CURSOR, cursors.c.seq == before)
            .values(seq=after)
        )
        if moved.rowcount:
            return
        if before:
            raise StaleWriteError(f"webhooks: expected to go on after row {before}; another did")
        connection.execute(cursors.insert().values(name=CURSOR, seq=after))

    # --- what is to be sent ----------------------------------------------------------------

    def add(self, deliveries: Sequence[NewDelivery]) -> None:
        """Have these sent; raises StaleWriteError where one is there already."""
        rows = [
            {
                **delivery._asdict(),
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": delivery.created_at,
            }
            for delivery in deliveries
        ]
        if rows:
            self._database.transaction.execute(webhook_deliveries.insert(), rows)

    def due(self, webhook_id: str, now: float, limit: int) -> list[DueDelivery]:
        """At most `limit` deliveries of a webhook whose time has come, the longest due first."""
        parameters = {"its_webhook": webhook_id, "now": now, "most": limit}
        with self._database.reading() as connection:
            return [DueDelivery(*row) for row in connection.execute(_DUE, parameters)]

    def record(self, results: Sequence[AttemptResult]) -> None:
        """Keep what came of attempts; of a delivery that is gone, nothing."""
        rows = [
            {
                "its_id": result.delivery_id,
                "state": result.state,
                "attempts": result.attempts,
                "next_attempt_at": result.next_attempt_at,
                "last_attempt_at": result.attempted_at,
                "last_status": result.status,
                "last_error": result.error,
            }
            for result in results
        ]
        if rows:
            self._database.transaction.execute(_RECORD, rows)

    def restart(self, delivery_id: str, now: float) -> None:
        """Have a delivery sent again, with as many attempts as a new one."""
        self._database.transaction.execute(
            webhook_deliveries.update()
            .where(webhook_deliveries.c.delivery_id == delivery_id)
            .values(state="pending", attempts=0, next_attempt_at=now)
        )

    def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` deliveries that are of no more use; returns their number.

        Of no use are those of deleted webhooks, and those from before `before` (epoch seconds) that
        are not waiting to be sent. Deleted webhooks go with the last of their deliveries.
        """
        connection = self._database.transaction
        chosen = connection.execute(_FORGETTABLE, {"before": before, "most": limit}).scalars().all()
        if chosen:
            connection.execute(
                webhook_deliveries.delete().where(webhook_deliveries.c.delivery_id.in_(chosen))
            )
        connection.execute(_DELETE_EMPTY)
        return len(chosen)

    # --- what became of it -----------------------------------------------------------------

    def get(self, webhook_id: str, delivery_id: str) -> DeliveryRecord | None:
        """A delivery of a webhook, or None."""
        found = self._read(
            _RECORDS.where(
                webhook_deliveries.c.webhook_id == webhook_id,
                webhook_deliveries.c.delivery_id == delivery_id,
            )
        )
        return found[0] if found else None

    def newest(
        self, webhook_id: str, state: DeliveryState | None, limit: int
    ) -> list[DeliveryRecord]:
        """At most `limit` deliveries of a webhook, newest first; of one state where it is named."""
        query = _RECORDS.where(webhook_deliveries.c.webhook_id == webhook_id)
        if state is not None:
            query = query.where(_is(state))
        newest_first = (webhook_deliveries.c.created_at.desc(), webhook_deliveries.c.seq.desc())
        return self._read(query.order_by(*newest_first).limit(limit))

    def _read(self, query: sa.Select[Any]) -> list[DeliveryRecord]:
        with self._database.reading() as connection:
            return [DeliveryRecord(*row) for row in connection.execute(query)]


def _is(state: DeliveryState) -> sa.ColumnElement[bool]:
    """Written out, for a bound value would hide from SQLite that an index has these rows alone."""
    return webhook_deliveries.c.state == sa.literal_column(f"'{state}'")


_DUE = (
    sa.select(
        webhook_deliveries.c.delivery_id,
        webhook_deliveries.c.type,
        webhook_deliveries.c.body,
        webhook_deliveries.c.attempts,
    )
    .where(
        webhook_deliveries.c.webhook_id == sa.bindparam("its_webhook"),
        _is("pending"),
        webhook_deliveries.c.next_attempt_at <= sa.bindparam("now"),
    )
    .order_by(webhook_deliveries.c.next_attempt_at, webhook_deliveries.c.seq)
    .limit(sa.bindparam("most"))
)
_RECORD = (
    webhook_deliveries.update()
    .where(webhook_deliveries.c.delivery_id == sa.bindparam("its_id"))
    .values(
        state=sa.bindparam("state"),
        attempts=sa.bindparam("attempts"),
        next_attempt_at=sa.bindparam("next_attempt_at"),
        last_attempt_at=sa.bindparam("last_attempt_at"),
        last_status=sa.bindparam("last_status"),
        last_error=sa.bindparam("last_error"),
    )
)
_RECORDS = sa.select(*(webhook_deliveries.c[field.name] for field in fields(DeliveryRecord)))
_FORGETTABLE = (
    sa.select(webhook_deliveries.c.delivery_id)
    .join(webhooks, webhooks.c.webhook_id == webhook_deliveries.c.webhook_id)
    .where(
        sa.or_(
            webhooks.c.disabled == DELETED,
            sa.and_(
                webhook_deliveries.c.created_at < sa.bindparam("before"),
                sa.or_(webhooks.c.disabled.is_not(None), sa.not_(_is("pending"))),
            ),
        )
    )
    .limit(sa.bindparam("most"))
)
_DELETE_EMPTY = webhooks.delete().where(
    webhooks.c.disabled == DELETED,
    ~sa.exists().where(webhook_deliveries.c.webhook_id == webhooks.c.webhook_id),
)
