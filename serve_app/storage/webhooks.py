"""The registered webhooks, with the secrets by which they sign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from serve_app.schemas import WebhookRules
from serve_app.storage.database import Database
from serve_app.storage.schema import webhook_deliveries, webhooks

# Of one that was deleted the row stays until its deliveries are gone.
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """What is kept of a webhook; times are seconds since the epoch.

    `events` are change types. It hears what came after the row `after_seq` of the journal.
    `disabled` says why it is not sent to; None where it is.
    """

    webhook_id: str
    url: str
    events: tuple[str, ...]
    rules: WebhookRules | None
    description: str | None
    created_at: float
    after_seq: int
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_until: float | None = None
    disabled: str | None = None

    def secrets_at(self, now: float) -> list[str]:
        """The secrets that sign: its own, and the one before while that is good still."""
        if self.previous_secret is None or now >= (self.previous_until or 0.0):
            return [self.secret]
        return [self.secret, self.previous_secret]


class Webhooks:
    """The table of webhooks. What writes belongs inside `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: WebhookRecord) -> None:
        """Keep a new webhook."""
        self._database.transaction.execute(
            webhooks.insert().values(webhook_id=record.webhook_id, **_cells(record))
        )

    def update(self, record: WebhookRecord) -> None:
        """Replace what is kept of a webhook."""
        self._database.transaction.execute(_of_id(record.webhook_id).values(**_cells(record)))

    def disable(self, webhook_id: str, url: str, reason: str) -> None:
        """Send nothing more to a webhook of this URL; one that was deleted stays so."""
        self._database.transaction.execute(
            _of_id(webhook_id)
            .where(webhooks.c.url == url, webhooks.c.disabled.is_(None))
            .values(disabled=reason)
        )

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook and its secrets; `Deliveries.forget` does the rest bit by bit."""
        self._database.transaction.execute(
            _of_id(webhook_id).values(disabled=DELETED, secret="", previous_secret=None)
        )

    def get(self, webhook_id: str) -> WebhookRecord | None:
        """A webhook, or None."""
        found = self._read(_EXISTING.where(webhooks.c.webhook_id == webhook_id))
        return found[0] if found else None

    def all(self) -> Sequence[WebhookRecord]:
        """All webhooks, oldest first."""
        return self._read(_EXISTING.order_by(webhooks.c.created_at, webhooks.c.webhook_id))

    def enabled(self) -> Sequence[WebhookRecord]:
        """Those that are sent to."""
        return self._read(_ENABLED)

    def with_due(self, now: float) -> Sequence[str]:
        """The ids of those that are sent to and have a delivery that is due."""
        with self._database.reading() as connection:
            return connection.execute(_WITH_DUE, {"now": now}).scalars().all()

    def pending_count(self) -> int:
        """How many deliveries wait to be made to webhooks that are sent to."""
        with self._database.reading() as connection:
            return connection.execute(_PENDING).scalar_one()

    def _read(self, query: sa.Select[Any]) -> list[WebhookRecord]:
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]


_EXISTING = sa.select(webhooks).where(
    webhooks.c.disabled.is_(None) | (webhooks.c.disabled != DELETED)
)
_ENABLED = sa.select(webhooks).where(webhooks.c.disabled.is_(None))
_WITH_DUE = sa.select(webhooks.c.webhook_id).where(
    webhooks.c.disabled.is_(None),
    sa.exists().where(
        webhook_deliveries.c.webhook_id == webhooks.c.webhook_id,
        webhook_deliveries.c.state == sa.literal_column("'pending'"),
        webhook_deliveries.c.next_attempt_at <= sa.bindparam("now"),
    ),
)
# Written out, for a bound value would hide from SQLite that an index has these rows alone.
_PENDING = (
    sa.select(sa.func.count())
    .select_from(webhook_deliveries)
    .where(
        webhook_deliveries.c.webhook_id.in_(
            sa.select(webhooks.c.webhook_id).where(webhooks.c.disabled.is_(None))
        ),
        webhook_deliveries.c.state == sa.literal_column("'pending'"),
    )
)


def _of_id(webhook_id: str) -> sa.Update:
    return webhooks.update().where(webhooks.c.webhook_id == webhook_id)


def _cells(record: WebhookRecord) -> dict[str, object]:
    return {
        "url": record.url,
        "events": " ".join(record.events),
        "rules": record.rules and record.rules.model_dump_json(),
        "description": record.description,
        "secret": record.secret,
        "previous_secret": record.previous_secret,
        "previous_until": record.previous_until,
        "created_at": record.created_at,
        "after_seq": record.after_seq,
        "disabled": record.disabled,
    }


def _record(row: "sa.Row[Any]") -> WebhookRecord:
    return WebhookRecord(
        webhook_id=row.webhook_id,
        url=row.url,
        events=tuple(row.events.split()),
        rules=None if row.rules is None else WebhookRules.model_validate_json(row.rules),
        description=row.description,
        created_at=row.created_at,
        after_seq=row.after_seq,
        secret=row.secret,
        previous_secret=row.previous_secret,
        previous_until=row.previous_until,
        disabled=row.disabled,
    )
