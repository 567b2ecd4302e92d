"""Log records as they are written: one JSON object a line, with fields, without secrets."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import ray
from ray._common.formatters import JSONFormatter
from ray.serve._private.logging_utils import ServeContextFilter
from ray.serve.context import _RequestContext, _serve_request_context

from serve_app.access.keys import new_key
from serve_app.live.live_service import LiveService
from serve_app.shards.game_shard import GameShard
from serve_app.system.logs import (
    OURS,
    REDACTED,
    SERVE,
    log_as_replica,
    log_as_request,
    redact_secrets,
)
from tests.serve_app.conftest import NormalPlacement, registration, updates

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of the convention


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What Serve's logger of a replica writes, as JSON, while the process logs as one."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(ServeContextFilter())
    handler.setFormatter(JSONFormatter())
    serve = logging.getLogger(SERVE)
    before = serve.handlers[:], serve.level, logging.getLogRecordFactory()
    parents = {name: logging.getLogger(name).parent for name in OURS}
    serve.handlers[:] = [handler]
    serve.setLevel(logging.INFO)
    log_as_replica()
    yield written
    serve.handlers[:] = before[0]
    serve.setLevel(before[1])
    logging.setLogRecordFactory(before[2])
    for name, parent in parents.items():
        logging.getLogger(name).parent = parent


def records(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def test_a_failed_forecast_is_logged_with_its_game_and_its_request(
    lines: io.StringIO, service: LiveService, shard: GameShard, placement: NormalPlacement
):
    shard.register(registration())
    placement.failing = True
    context: Any = _serve_request_context
    token = context.set(_RequestContext(request_id="r-17", route="/scores"))
    try:
        await service.post_scores(updates(1080))
    finally:
        context.reset(token)
    (stays_due,) = [one for one in records(lines) if "stay due" in str(one["message"])]
    assert stays_due["game_ids"] == ["g1"]
    assert stays_due["request_id"] == "r-17"
    assert stays_due["levelname"] == "ERROR"
    assert "the models are down" in str(stays_due["exc_text"])


async def test_a_shard_logs_the_request_that_it_works_for(lines: io.StringIO):
    async def work(request_id: str) -> None:
        log_as_request(request_id)
        await asyncio.sleep(0)
        logging.getLogger("serve_app.test").warning("done")

    await asyncio.gather(work("r-1"), work("r-2"), work(""))
    assert [one.get("request_id") for one in records(lines)] == ["r-1", "r-2", None]


def test_no_secret_stands_in_a_line(lines: io.StringIO):
    key = new_key("k", ["read"], now=0.0).text
    logger = logging.getLogger("serve_app.test")
    logger.warning("a key: %s", key)
    try:
        raise ValueError(f"no such receiver: {WEBHOOK_SECRET}")
    except ValueError:
        logger.exception("a webhook of %d", 3)
    logging.getLogger("models.test").warning("plain %s and %d", "text", 7)
    text = lines.getvalue()
    assert key not in text
    assert WEBHOOK_SECRET not in text
    first, second, third = records(lines)
    assert first["message"] == f"a key: {REDACTED}"
    assert str(second["exc_text"]).startswith("Traceback (most recent call last):\n  File ")
    assert str(second["exc_text"]).endswith(f"ValueError: no such receiver: {REDACTED}")
    assert second["message"] == "a webhook of 3"
    assert third["message"] == "plain text and 7"


def test_a_message_whose_arguments_do_not_fit_is_left_to_logging(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("serve_app.test").warning("%d", "no number")
    logging.getLogger("serve_app.test").warning("%(one)s", {"another": 1})
    logging.getLogger("serve_app.test").warning("next")
    assert [one["message"] for one in records(lines)] == ["next"]


def test_secrets_are_taken_out_once_however_often_it_is_asked_for(lines: io.StringIO):
    make = logging.getLogRecordFactory()
    redact_secrets()
    assert logging.getLogRecordFactory() is make
    del lines


def test_the_encodings_are_ones_that_ray_has():
    for encoding in ("TEXT", "JSON"):
        assert ray.LoggingConfig(encoding).encoding == encoding
