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
    """A delivery whose time has come: `attempts` were made since the last of its `restarts`."""

    delivery_id: str
    type: str
    body: str
    attempts: int
    restarts: int


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
    """What came of an attempt, and what is to become of its delivery; times are epoch seconds.

    `attempts` are those with this one; it was begun after so many `restarts`.
    """

    delivery_id: str
    state: DeliveryState
    attempts: int
    restarts: int
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
                "restarts": 0,
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
        """Keep what came of attempts, each of a delivery that stands as it stood when it was tried.

        Nothing is kept of one that is gone, that was restarted meanwhile, or of whose same attempt
        another dispatcher was told first.
        """
        rows = [
            {
                "its_id": result.delivery_id,
                "its_attempts": result.attempts - 1,
                "its_restarts": result.restarts,
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
            .values(
                state="pending",
                attempts=0,
                restarts=webhook_deliveries.c.restarts + 1,
                next_attempt_at=now,
            )
        )

    def forgettable(self, delivered_before: float, before: float, limit: int) -> list[str]:
        """The ids of at most `limit` deliveries that are of no more use; one may come twice.

        Of no use are those of deleted webhooks, what was delivered and is from before
        `delivered_before` (epoch seconds), and from before `before` what is dead or belongs to a
        disabled webhook.
        """
        parameters = {"delivered_before": delivered_before, "before": before, "most": limit}
        with self._database.reading() as connection:
            return list(connection.execute(_FORGETTABLE, parameters).scalars())

    def forget(self, delivery_ids: Sequence[str]) -> None:
        """Delete deliveries that are not waiting to be sent, and emptied webhooks deleted before.

        What was restarted since it was found to be of no use stays.
        """
        connection = self._database.transaction
        if delivery_ids:
            connection.execute(_FORGET, {"its_ids": list(delivery_ids)})
        connection.execute(_DELETE_EMPTY)

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


def _among(chosen: sa.Select[str], *conditions: sa.ColumnElement[bool]) -> sa.Select[str]:
    """The ids of deliveries of these webhooks: each index of deliveries begins with the webhook."""
    return sa.select(webhook_deliveries.c.delivery_id).where(
        webhook_deliveries.c.webhook_id.in_(chosen), *conditions
    )


_DUE = (
    sa.select(
        webhook_deliveries.c.delivery_id,
        webhook_deliveries.c.type,
        webhook_deliveries.c.body,
        webhook_deliveries.c.attempts,
        webhook_deliveries.c.restarts,
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
    .where(
        webhook_deliveries.c.delivery_id == sa.bindparam("its_id"),
        _is("pending"),
        webhook_deliveries.c.attempts == sa.bindparam("its_attempts"),
        webhook_deliveries.c.restarts == sa.bindparam("its_restarts"),
    )
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
_EVERY = sa.select(webhooks.c.webhook_id)
_DISABLED = _EVERY.where(webhooks.c.disabled.is_not(None))
_FORGETTABLE = sa.union_all(
    _among(_EVERY.where(webhooks.c.disabled == DELETED)),
    _among(
        _EVERY,
        _is("delivered"),
        webhook_deliveries.c.created_at < sa.bindparam("delivered_before"),
    ),
    _among(_EVERY, _is("dead"), webhook_deliveries.c.created_at < sa.bindparam("before")),
    _among(_DISABLED, webhook_deliveries.c.created_at < sa.bindparam("before")),
).limit(sa.bindparam("most"))
_FORGET = webhook_deliveries.delete().where(
    webhook_deliveries.c.delivery_id.in_(sa.bindparam("its_ids", expanding=True)),
    sa.or_(sa.not_(_is("pending")), webhook_deliveries.c.webhook_id.in_(_DISABLED)),
)
_DELETE_EMPTY = webhooks.delete().where(
    webhooks.c.disabled == DELETED,
    ~sa.exists().where(webhook_deliveries.c.webhook_id == webhooks.c.webhook_id),
)
