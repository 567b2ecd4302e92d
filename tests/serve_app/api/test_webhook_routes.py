"""The routes of webhooks, over a store and without anything that sends."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from serve_app.api.problem_answers import answer_problems
from serve_app.api.webhook_routes import add_webhook_routes
from serve_app.schemas import Problem
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.registry import MOST_WEBHOOKS

WANTED = {"url": "https://receiver.example/hook", "events": ["outcome", "prediction"]}
UNKNOWN = "wh_aaaaaaaaaaaaaaaa"


class Names:
    """A name server that tests move."""

    address = "1.1.1.1"

    async def __call__(self, _: str, __: int) -> Sequence[str]:
        return [self.address]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def http(store: Store, names: Names) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings()
    api = FastAPI()
    answer_problems(api)
    add_webhook_routes(api, settings, store, Destinations.of(settings, names))
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


def problem(answer: httpx.Response, status: int, name: str) -> Problem:
    assert answer.status_code == status, answer.text
    found = Problem.model_validate_json(answer.content)
    assert found.type == f"urn:problem:{name}"
    return found


async def register(http: httpx.AsyncClient, **changes: object) -> dict[str, Any]:
    answer = await http.post("/webhooks", json={**WANTED, **changes})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_secret_is_shown_once(http: httpx.AsyncClient):
    made = await register(http, description="A board", rules={"min_abs_forecast": 5})
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made["enabled"] is True
    assert made["events"] == ["prediction", "outcome"]
    assert made["rules"]["min_abs_forecast"] == 5
    path = f"/webhooks/{made['id']}"
    assert (await http.get(path)).json() == made
    assert (await http.get("/webhooks")).json() == [made]
    changed = await http.patch(path, json={"enabled": False})
    tried = await http.get(f"{path}/deliveries")
    assert secret not in changed.text + tried.text


async def test_the_same_registration_again_names_the_first(http: httpx.AsyncClient):
    made = await register(http)
    again = {**WANTED, "events": ["prediction", "outcome", "outcome"], "rules": {}}
    found = problem(await http.post("/webhooks", json=again), 409, "webhook_exists")
    assert found.model_extra == {"webhook_id": made["id"]}
    other = await register(http, events=["outcome"])
    changed = await http.patch(f"/webhooks/{other['id']}", json={"events": WANTED["events"]})
    problem(changed, 409, "webhook_exists")
    assert len((await http.get("/webhooks")).json()) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"url": "http:receiver.example"}, "url"),
        ({"url": "https://user:word@receiver.example/"}, "url"),
        ({"url": "https://receiver.example/#part"}, "url"),
        ({"url": "https://receiver.example:0/"}, "url"),
        ({"url": "https://receiver.example:65536/"}, "url"),
        ({"url": "https://receiver.example/ä"}, "url"),
        ({"url": "https://receiver.example/\n"}, "url"),
        ({"url": "https://receiver.example/" + "a" * 500}, "url"),
        ({"url": 5}, "url"),
        ({"events": []}, "events"),
        ({"events": ["ping"]}, "events.0"),
        ({"events": ["score"] * 8}, "events"),
        ({"rules": {"min_abs_forecast": -1}}, "rules.min_abs_forecast"),
        ({"rules": {"min_abs_forecast": "5"}}, "rules.min_abs_forecast"),
        ({"rules": {"forecast_above": 101}}, "rules.forecast_above"),
        ({"rules": {"minimum": 5}}, "rules.minimum"),
        ({"rules": {"forecast_horizon": "quarter"}}, "rules.forecast_horizon"),
        ({"description": "a" * 201}, "description"),
        ({"description": "two\nlines"}, "description"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
async def test_a_wrong_field_is_named(
    changes: dict[str, object], named: str, http: httpx.AsyncClient
):
    answer = await http.post("/webhooks", json={**WANTED, **changes})
    errors = (problem(answer, 422, "invalid_request").model_extra or {})["errors"]
    assert [error["field"] for error in errors] == [named]


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1:8443/a",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://[:::]/",
    ],
)
async def test_an_address_that_is_not_to_be_called_is_refused(url: str, http: httpx.AsyncClient):
    problem(await http.post("/webhooks", json={**WANTED, "url": url}), 403, "forbidden_address")
    made = await register(http)
    changed = await http.patch(f"/webhooks/{made['id']}", json={"url": url})
    problem(changed, 403, "forbidden_address")


async def test_so_is_a_name_of_one(http: httpx.AsyncClient, names: Names):
    names.address = "192.168.0.1"
    problem(await http.post("/webhooks", json=WANTED), 403, "forbidden_address")
    assert (await http.get("/webhooks")).json() == []


async def test_there_are_so_many_and_no_more(http: httpx.AsyncClient):
    made = [
        await register(http, url=f"https://receiver.example/{number}")
        for number in range(MOST_WEBHOOKS)
    ]
    found = problem(await http.post("/webhooks", json=WANTED), 409, "too_many_webhooks")
    assert found.model_extra == {"max_webhooks": MOST_WEBHOOKS}
    assert (await http.delete(f"/webhooks/{made[0]['id']}")).status_code == 204
    await register(http)


async def test_what_is_left_out_of_a_change_stays(http: httpx.AsyncClient):
    made = await register(http, rules={"forecast_above": 2.5})
    path = f"/webhooks/{made['id']}"
    unchanged = (await http.patch(path, json={})).json()
    assert unchanged == {key: value for key, value in made.items() if key != "secret"}
    moved = (await http.patch(path, json={"url": "https://receiver.example/new"})).json()
    assert (moved["url"], moved["events"]) == ("https://receiver.example/new", made["events"])
    assert moved["rules"]["forecast_above"] == 2.5
    assert (await http.patch(path, json={"rules": None})).json()["rules"] is None
    off = (await http.patch(path, json={"enabled": False})).json()
    assert (off["enabled"], off["disabled_because"]) == (False, "by_request")
    on = (await http.patch(path, json={"enabled": True, "events": ["score"]})).json()
    assert (on["enabled"], on["disabled_because"], on["events"]) == (True, None, ["score"])


@pytest.mark.parametrize("change", [{"url": None}, {"events": []}, {"enabled": None}, {"id": "x"}])
async def test_a_wrong_change_changes_nothing(change: dict[str, object], http: httpx.AsyncClient):
    made = await register(http)
    path = f"/webhooks/{made['id']}"
    before = (await http.get(path)).json()
    problem(await http.patch(path, json=change), 422, "invalid_request")
    assert (await http.get(path)).json() == before


async def test_a_ping_waits_to_be_sent_and_can_be_sent_again(http: httpx.AsyncClient):
    path = f"/webhooks/{(await register(http))['id']}"
    sent = (await http.post(f"{path}/test")).json()
    assert (sent["type"], sent["state"], sent["attempts"]) == ("ping", "pending", 0)
    assert (await http.get(f"{path}/deliveries")).json() == [sent]
    assert (await http.get(f"{path}/deliveries?state=pending&limit=1")).json() == [sent]
    assert (await http.get(f"{path}/deliveries?state=dead")).json() == []
    again = (await http.post(f"{path}/deliveries/{sent['id']}/resend")).json()
    assert again["id"] == sent["id"]
    await http.patch(path, json={"enabled": False})
    for action in ("test", f"deliveries/{sent['id']}/resend"):
        problem(await http.post(f"{path}/{action}"), 409, "webhook_disabled")
    for query in ("state=sent", "limit=0", "limit=1001"):
        problem(await http.get(f"{path}/deliveries?{query}"), 422, "invalid_request")


async def test_a_rotation_shows_the_new_secret_once(http: httpx.AsyncClient):
    made = await register(http)
    path = f"/webhooks/{made['id']}"
    rotated = (await http.post(f"{path}/rotate")).json()
    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["previous_secret_until"] is not None
    assert "secret" not in (await http.get(path)).json()


async def test_one_that_is_deleted_is_unknown(http: httpx.AsyncClient):
    made = await register(http)
    path = f"/webhooks/{made['id']}"
    sent = (await http.post(f"{path}/test")).json()
    assert (await http.delete(path)).status_code == 204
    assert (await http.get("/webhooks")).json() == []
    assert (await http.post("/webhooks", json=WANTED)).status_code == 201
    for method, route in (
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/rotate"),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/deliveries/{sent['id']}/resend"),
        ("GET", f"/webhooks/{UNKNOWN}"),
    ):
        problem(await http.request(method, route), 404, "unknown_webhook")
    problem(await http.patch(path, json={"enabled": True}), 404, "unknown_webhook")
    problem(await http.get("/webhooks/other"), 422, "invalid_request")


async def test_a_delivery_of_another_webhook_is_unknown(http: httpx.AsyncClient):
    one, other = await register(http), await register(http, events=["score"])
    sent = (await http.post(f"/webhooks/{one['id']}/test")).json()
    answer = await http.post(f"/webhooks/{other['id']}/deliveries/{sent['id']}/resend")
    problem(answer, 404, "unknown_delivery")
