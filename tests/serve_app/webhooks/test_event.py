"""Which webhooks hear of a row of the journal, and what they are told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from serve_app.live.message import change
from serve_app.schemas import WebhookRules
from serve_app.storage.journal import JournalRow
from serve_app.storage.webhooks import WebhookRecord
from serve_app.webhooks.event import deliveries_of, meets, ping
from serve_app.webhooks.signature import new_secret

HOOK = WebhookRecord(
    webhook_id="wh_aaaabbbbccccdddd",
    url="https://receiver.invalid/",
    events=("prediction", "forecast", "score"),
    rules=None,
    description=None,
    created_at=1.0,
    after_seq=10,
    secret=new_secret(),
)


def row(kind: str, payload: dict[str, Any], seq: int = 11) -> JournalRow:
    return JournalRow(seq, "g1", kind, 1_704_500_000.25, json.dumps(payload))


def distribution(point: float, half_width: float = 4.0) -> dict[str, Any]:
    return {
        "point_forecast": point,
        "interval_lower": point - half_width,
        "interval_upper": point + half_width,
    }


def prediction(point: float) -> JournalRow:
    return row("prediction", {"prediction": distribution(point), "updates": 18})


def test_the_body_holds_the_live_message_to_the_letter():
    told = prediction(3.0)
    (delivery,) = deliveries_of(told, [HOOK])
    body = json.loads(delivery.body)
    assert list(body) == ["type", "timestamp", "data"]
    assert body["type"] == "prediction"
    assert body["timestamp"] == "2024-01-06T00:13:20.250000+00:00"
    assert delivery.body.endswith(f'"data": {change(told).text}}}')
    assert (body["data"]["seq"], body["data"]["game_id"]) == (11, "g1")
    assert (delivery.seq, delivery.game_id, delivery.created_at) == (11, "g1", told.time)


def test_the_same_row_and_webhook_have_the_same_id_and_others_others():
    (first,), (again,) = (
        deliveries_of(prediction(3.0), [HOOK]),
        deliveries_of(prediction(3), [HOOK]),
    )
    other = replace(HOOK, webhook_id="wh_otherotherother2")
    ids = {delivery.delivery_id for delivery in deliveries_of(prediction(3.0), [HOOK, other])}
    assert first.delivery_id == again.delivery_id
    assert len(ids) == 2
    assert first.delivery_id in ids
    assert "." not in first.delivery_id
    assert len({ping(HOOK.webhook_id, unique, 1.0).delivery_id for unique in "ab"}) == 2


def test_it_hears_its_events_from_its_registration_on():
    assert deliveries_of(row("score", {"margin": 1}, seq=10), [HOOK]) == []
    assert len(deliveries_of(row("score", {"margin": 1}, seq=11), [HOOK])) == 1
    assert deliveries_of(row("outcome", {"outcome": {}}), [HOOK]) == []


@pytest.mark.parametrize(
    ("rules", "kept", "broken"),
    [
        ({"min_abs_forecast": 5.0}, (5.0, -5.0, 80.0), (4.9, -4.9, 0.0)),
        ({"interval_excludes_zero": True}, (4.1, -4.1), (4.0, -4.0, 0.0)),
        ({"forecast_above": 2.5}, (2.6,), (2.5, -9.0)),
        ({"forecast_below": -2.5}, (-2.6,), (-2.5, 9.0)),
        ({"forecast_above": -1.0, "forecast_below": 1.0}, (0.0,), (-1.0, 1.0)),
        ({"min_abs_forecast": 3.0, "forecast_above": 0.0}, (3.0,), (-3.0, 2.0)),
        ({}, (0.0,), ()),
    ],
)
@pytest.mark.parametrize("kind", ["prediction", "revision", "forecast"])
def test_a_forecast_is_told_where_it_keeps_every_rule(
    kind: str, rules: dict[str, Any], kept: tuple[float, ...], broken: tuple[float, ...]
):
    def told(point: float) -> bool:
        payload = {
            "prediction": {"prediction": distribution(point)},
            "revision": {"revision": {"forecast": distribution(point)}},
            "forecast": {"forecast": {"halftime": distribution(point), "final": distribution(50)}},
        }[kind]
        return meets(WebhookRules.model_validate(rules), row(kind, payload))

    assert all(told(point) for point in kept)
    assert not any(told(point) for point in broken)


def test_a_running_forecast_is_judged_at_the_horizon_of_the_rules():
    payload = {"forecast": {"halftime": distribution(2.0), "final": distribution(9.0)}}
    halftime = WebhookRules(min_abs_forecast=5.0)
    final = WebhookRules(min_abs_forecast=5.0, forecast_horizon="final")
    assert not meets(halftime, row("forecast", payload))
    assert meets(final, row("forecast", payload))
    second_half = {"forecast": {"halftime": None, "final": distribution(9.0)}}
    assert not meets(halftime, row("forecast", second_half))
    assert meets(final, row("forecast", second_half))


@pytest.mark.parametrize("kind", ["score", "outcome", "ended", "game"])
def test_what_has_no_forecast_passes_every_rule(kind: str):
    rules = WebhookRules(min_abs_forecast=100.0, interval_excludes_zero=True)
    assert meets(rules, row(kind, {"margin": 1}))
