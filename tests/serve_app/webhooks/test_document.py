"""What docs/webhooks.md says is so."""

import re
from pathlib import Path
from typing import get_args

from serve_app.access.scopes import ROUTE_SCOPES
from serve_app.schemas import ChangeType, WebhookRules
from serve_app.settings import Settings
from serve_app.webhooks.dispatcher import (
    DEAD_KEPT_SECONDS,
    DELIVERED_KEPT_SECONDS,
    LONGEST_ERROR,
    SENDINGS_EACH,
)
from serve_app.webhooks.registry import BOTH_SIGN_SECONDS, MOST_WEBHOOKS
from serve_app.webhooks.schedule import DELAYS_SECONDS, MOST_ATTEMPTS
from serve_app.webhooks.sender import ATTEMPT_SECONDS

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
TEXT = " ".join(DOCUMENT.split())
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


def test_its_example_verifies():
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102
    assert names["event_id"] == "msg_1"


def test_every_event_rule_route_and_setting_is_told():
    for name in (*get_args(ChangeType), *WebhookRules.model_fields):
        assert f"`{name}`" in DOCUMENT, name
    for method, path in ROUTE_SCOPES:
        if path.startswith("/webhooks"):
            assert f"{method} {path}" in DOCUMENT, path
            assert ROUTE_SCOPES[method, path] == "admin"
    for name in Settings.model_fields:
        assert not name.startswith("webhook_") or f"| `{name}` |" in DOCUMENT, name


def test_its_numbers_are_those_of_the_code():
    assert f"at most {MOST_WEBHOOKS} webhooks" in TEXT
    assert f"for {BOTH_SIGN_SECONDS / 3_600:g} hours the one before" in TEXT
    assert f"2xx within {ATTEMPT_SECONDS:g} seconds" in TEXT
    assert f"{SENDINGS_EACH} sendings of its own" in TEXT
    assert f"was delivered is kept for {DELIVERED_KEPT_SECONDS / 86_400:g} days" in TEXT
    assert f"a disabled webhook for {DEAD_KEPT_SECONDS / 86_400:g} days" in TEXT
    assert f"an error {LONGEST_ERROR} characters are kept" in SECURITY
    assert MOST_ATTEMPTS == 10
    assert "**Ten attempts**" in TEXT
    assert f"{sum(DELAYS_SECONDS) / 3_600:.0f} hours" in TEXT
    words = [f"{seconds} s" for seconds in DELAYS_SECONDS[:1]]
    words += [f"{seconds // 60} min" for seconds in DELAYS_SECONDS[1:3]]
    words += [f"{seconds // 3_600} h" for seconds in DELAYS_SECONDS[3:]]
    assert f"{', '.join(words[:-1])} and {words[-1]}" in TEXT
