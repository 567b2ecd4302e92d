"""What SECURITY.md says is there is there."""

import re
from pathlib import Path

import pytest

from serve_app.access.access import CHECK_SECONDS
from serve_app.access.key_ring import HOLD_SECONDS
from serve_app.access.keys import KEY_FORM
from serve_app.access.scopes import ROUTE_SCOPES, SCOPES
from serve_app.access.tickets import TICKET_SECONDS
from serve_app.api.absent_feed_routes import PATHS

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT)
# What could call an address that somebody names. The rest of `serve_app` are clients of the
# service and what starts it.
SERVICE_ROOMS = (
    *("access", "api", "dashboard", "game", "live", "model", "shards", "storage"),
    "webhooks",
)
CALLERS = (
    r"^\s*(?:import|from) "
    r"(?:httpx|httpcore|requests|aiohttp|urllib\.request|urllib3|http\.client)\b"
)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_is_named_exists(path: str, name: str):
    assert re.search(rf"^ *(?:async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


def test_each_of_the_ten_risks_has_a_test():
    rows = re.findall(r"^\| API(\d+) .*$", DOCUMENT, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, 11))
    for row in re.findall(r"^\| API\d+ .*$", DOCUMENT, re.MULTILINE):
        assert "::test_" in row, row


def test_numbers_and_names_are_those_of_the_code():
    assert f"refused within {HOLD_SECONDS:g} seconds" in DOCUMENT
    assert f"believes them for {HOLD_SECONDS:g} seconds" in DOCUMENT
    assert f"closed (1008) within {HOLD_SECONDS + CHECK_SECONDS:g}" in DOCUMENT
    assert f"once within {TICKET_SECONDS} seconds" in DOCUMENT
    assert f"`{KEY_FORM}`" in DOCUMENT
    assert all(f"`{scope}`" in DOCUMENT for scope in SCOPES)
    routes = {path for (_, path), scope in ROUTE_SCOPES.items() if scope is None} - {PATHS}
    named = {"/docs", "/openapi.json", "/asyncapi.json", "/health", "/ready"}
    assert routes - {"/", "/assets/{name}"} == named
    for path in named:
        assert f"{path}`" in DOCUMENT


def test_nothing_but_the_sender_of_webhooks_calls_an_address():
    rooms = [ROOT / "serve_app" / room for room in SERVICE_ROOMS]
    sources = [path for room in rooms for path in room.rglob("*.py")]
    assert len(sources) > 40
    callers = [path for path in sources if re.search(CALLERS, path.read_text("utf-8"), re.M)]
    assert [str(path.relative_to(ROOT)) for path in callers] == ["serve_app/webhooks/sender.py"]
