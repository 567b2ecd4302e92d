"""Events: what of the journal a webhook is told, and in which words.

The body is `{type, timestamp, data}`. `data` of a change is its live message to the letter, `seq`
and all, so that a receiver can match the two.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from serve_app.live.message import change
from serve_app.schemas import WebhookRules
from serve_app.storage.deliveries import NewDelivery
from serve_app.storage.journal import JournalRow
from serve_app.storage.webhooks import WebhookRecord

PING = "ping"


def deliveries_of(row: JournalRow, webhooks: Iterable[WebhookRecord]) -> list[NewDelivery]:
    """What these webhooks are to be told of one row; the same row and webhook have the same id."""
    hearing = [
        webhook
        for webhook in webhooks
        if row.type in webhook.events
        and row.seq > webhook.after_seq
        and (webhook.rules is None or meets(webhook.rules, row))
    ]
    if not hearing:
        return []
    body = _body(row.type, row.time, change(row).text)
    return [
        NewDelivery(
            _delivery_id(webhook.webhook_id, str(row.seq)),
            webhook.webhook_id,
            row.seq,
            row.game_id,
            row.type,
            body,
            row.time,
        )
        for webhook in hearing
    ]


def ping(webhook_id: str, unique: str, now: float) -> NewDelivery:
    """An event that says nothing, to try a receiver with; `unique` tells one from another."""
    body = _body(PING, now, json.dumps({"webhook_id": webhook_id}))
    return NewDelivery(
        _delivery_id(webhook_id, f"ping_{unique}"), webhook_id, None, None, PING, body, now
    )


def meets(rules: WebhookRules, row: JournalRow) -> bool:
    """Whether a row has no forecast to judge, or one that keeps every rule."""
    if row.type not in ("prediction", "revision", "forecast"):
        return True
    forecast = _forecast(row, rules)
    return forecast is not None and _keeps(rules, forecast)


def _forecast(row: JournalRow, rules: WebhookRules) -> dict[str, Any] | None:
    """The distribution of a row that is judged; None where a running forecast lacks it."""
    payload = json.loads(row.payload)
    found: dict[str, Any] | None
    match row.type:
        case "prediction":
            found = payload["prediction"]
        case "revision":
            found = payload["revision"]["forecast"]
        case _:
            found = payload["forecast"].get(rules.forecast_horizon)
    return found


def _keeps(rules: WebhookRules, forecast: dict[str, Any]) -> bool:
    point, lower, upper = (
        forecast[name] for name in ("point_forecast", "interval_lower", "interval_upper")
    )
    return (
        (rules.min_abs_forecast is None or abs(point) >= rules.min_abs_forecast)
        and (not rules.interval_excludes_zero or lower > 0 or upper < 0)
        and (rules.forecast_above is None or point > rules.forecast_above)
        and (rules.forecast_below is None or point < rules.forecast_below)
    )


def _body(kind: str, moment: float, data: str) -> str:
    head = {"type": kind, "timestamp": datetime.fromtimestamp(moment, UTC).isoformat()}
    return f'{json.dumps(head)[:-1]}, "data": {data}}}'


def _delivery_id(webhook_id: str, what: str) -> str:
    return f"msg_{webhook_id.removeprefix('wh_')}_{what}"
