"""The registry: webhooks are added, changed and taken away, and their deliveries looked at."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast, get_args

from serve_app.api.problems import (
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    WebhookDisabled,
    WebhookExists,
)
from serve_app.schemas import (
    ChangeType,
    Delivery,
    DeliveryState,
    EventType,
    Webhook,
    WebhookChange,
    WebhookRegistration,
    WebhookRules,
    WebhookWithSecret,
)
from serve_app.storage.deliveries import DeliveryRecord
from serve_app.storage.store import Store
from serve_app.storage.webhooks import WebhookRecord
from serve_app.webhooks.event import ping
from serve_app.webhooks.signature import new_secret

MOST_WEBHOOKS = 100
BOTH_SIGN_SECONDS = 86_400.0
ID_CHARACTERS = 16
PING_CHARACTERS = 12

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Registry:
    """The webhooks of a store, as those who manage them see them; every method blocks."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def register(self, wanted: WebhookRegistration) -> WebhookWithSecret:
        """Add a webhook, which hears what happens from now on.

        Raises WebhookExists where one does the same already, and TooManyWebhooks.
        """
        record = WebhookRecord(
            webhook_id=f"wh_{_random_text(ID_CHARACTERS)}",
            url=wanted.url,
            events=_in_order(wanted.events),
            rules=wanted.rules,
            description=wanted.description,
            created_at=self._now(),
            after_seq=0,
            secret=new_secret(),
        )
        with self._store.writing():
            present = self._store.webhooks.all()
            _expect_new(record, present)
            if len(present) >= MOST_WEBHOOKS:
                raise TooManyWebhooks(
                    f"expected at most {MOST_WEBHOOKS} webhooks; this is one more",
                    max_webhooks=MOST_WEBHOOKS,
                )
            record = replace(record, after_seq=self._store.journal.last_seq())
            self._store.webhooks.add(record)
        return self._with_secret(record)

    def all(self) -> list[Webhook]:
        """All webhooks, oldest first."""
        return [self._view(record) for record in self._store.webhooks.all()]

    def get(self, webhook_id: str) -> Webhook:
        """One webhook; raises UnknownWebhook."""
        return self._view(self._expect(webhook_id))

    def change(self, webhook_id: str, wanted: WebhookChange) -> Webhook:
        """Change what was named of a webhook; raises UnknownWebhook, WebhookExists."""
        given = wanted.model_fields_set
        with self._store.writing():
            before = self._expect(webhook_id)
            changes: dict[str, Any] = {
                name: getattr(wanted, name) for name in given - {"events", "enabled"}
            }
            if "events" in given:
                changes["events"] = _in_order(wanted.events)
            if "enabled" in given:
                changes |= self._switched(before, enabled=wanted.enabled)
            after = replace(before, **changes)
            _expect_new(after, self._store.webhooks.all())
            self._store.webhooks.update(after)
        return self._view(after)

    def _switched(self, record: WebhookRecord, *, enabled: bool) -> dict[str, Any]:
        """What switching on or off changes; one that is switched on hears what comes after."""
        if enabled == (record.disabled is None):
            return {}
        if not enabled:
            return {"disabled": "by_request"}
        return {"disabled": None, "after_seq": self._store.journal.last_seq()}

    def delete(self, webhook_id: str) -> None:
        """Take a webhook away with all that waits to be sent to it; raises UnknownWebhook."""
        with self._store.writing():
            self._expect(webhook_id)
            self._store.webhooks.delete(webhook_id)

    def rotate(self, webhook_id: str) -> WebhookWithSecret:
        """Give a webhook a new secret; the one before signs beside it for a day."""
        with self._store.writing():
            before = self._expect(webhook_id)
            after = replace(
                before,
                secret=new_secret(),
                previous_secret=before.secret,
                previous_until=self._now() + BOTH_SIGN_SECONDS,
            )
            self._store.webhooks.update(after)
        return self._with_secret(after)

    # --- deliveries ------------------------------------------------------------------------

    def test(self, webhook_id: str) -> Delivery:
        """Have a `ping` sent; raises UnknownWebhook, WebhookDisabled."""
        with self._store.writing():
            self._expect_enabled(webhook_id)
            sent = ping(webhook_id, _random_text(PING_CHARACTERS), self._now())
            self._store.deliveries.add([sent])
            return self.delivery(webhook_id, sent.delivery_id)

    def deliveries(
        self, webhook_id: str, state: DeliveryState | None, limit: int
    ) -> list[Delivery]:
        """The newest deliveries of a webhook, newest first; raises UnknownWebhook."""
        with self._store.reading():
            self._expect(webhook_id)
            return [_told(row) for row in self._store.deliveries.newest(webhook_id, state, limit)]

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """One delivery; raises UnknownWebhook, UnknownDelivery."""
        with self._store.reading():
            self._expect(webhook_id)
            found = self._store.deliveries.get(webhook_id, delivery_id)
        if found is None:
            raise UnknownDelivery(
                f"webhook {webhook_id}: expected the id of one of its deliveries; got "
                f"{delivery_id!r}"
            )
        return _told(found)

    def resend(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Have a delivery sent again under its id, whatever became of it; raises as `delivery`.

        And WebhookDisabled where nothing is sent.
        """
        with self._store.writing():
            self._expect_enabled(webhook_id)
            self.delivery(webhook_id, delivery_id)
            self._store.deliveries.restart(delivery_id, self._now())
            return self.delivery(webhook_id, delivery_id)

    # --- in common -------------------------------------------------------------------------

    def _expect(self, webhook_id: str) -> WebhookRecord:
        record = self._store.webhooks.get(webhook_id)
        if record is None:
            raise UnknownWebhook(f"expected the id of a webhook; got {webhook_id!r}")
        return record

    def _expect_enabled(self, webhook_id: str) -> None:
        if self._expect(webhook_id).disabled is not None:
            raise WebhookDisabled(
                f"webhook {webhook_id} is disabled, and nothing is sent to it; enable it first: "
                'PATCH {"enabled": true}'
            )

    def _view(self, record: WebhookRecord) -> Webhook:
        return Webhook(**self._fields(record))

    def _with_secret(self, record: WebhookRecord) -> WebhookWithSecret:
        return WebhookWithSecret(**self._fields(record), secret=record.secret)

    def _fields(self, record: WebhookRecord) -> dict[str, Any]:
        both_sign = len(record.secrets_at(self._now())) > 1
        return {
            "id": record.webhook_id,
            "url": record.url,
            "events": list(record.events),
            "rules": record.rules,
            "description": record.description,
            "enabled": record.disabled is None,
            "disabled_because": record.disabled,
            "created_at": _moment(record.created_at),
            "previous_secret_until": _moment(record.previous_until) if both_sign else None,
        }


def _expect_new(record: WebhookRecord, present: Sequence[WebhookRecord]) -> None:
    """A repeated registration, whose answer was lost perhaps, must not double what is sent."""
    for other in present:
        if other.webhook_id != record.webhook_id and _same(record, other):
            raise WebhookExists(
                f"webhook {other.webhook_id} has this url, these events and rules; a secret is "
                "shown once, and a new one made by POST /webhooks/{webhook_id}/rotate",
                webhook_id=other.webhook_id,
            )


def _same(one: WebhookRecord, other: WebhookRecord) -> bool:
    rules = [record.rules or WebhookRules() for record in (one, other)]
    return (one.url, one.events, rules[0]) == (other.url, other.events, rules[1])


def _in_order(events: Sequence[ChangeType]) -> tuple[str, ...]:
    return tuple(kind for kind in get_args(ChangeType) if kind in events)


def _told(record: DeliveryRecord) -> Delivery:
    is_pending = record.state == "pending"
    return Delivery(
        id=record.delivery_id,
        webhook_id=record.webhook_id,
        type=cast(EventType, record.type),
        seq=record.seq,
        game_id=record.game_id,
        state=record.state,
        attempts=record.attempts,
        created_at=_moment(record.created_at),
        next_attempt_at=_moment(record.next_attempt_at) if is_pending else None,
        last_attempt_at=None if record.last_attempt_at is None else _moment(record.last_attempt_at),
        last_status=record.last_status,
        last_error=record.last_error,
    )


def _moment(seconds: float | None) -> datetime:
    return datetime.fromtimestamp(seconds or 0.0, UTC)


def _random_text(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))
