"""Where the messages of this service's processes go, and what never stands in them.

A replica's messages go where Serve's own go: the same file, in the form that `logging_config`
names, with the id of the request. Those of shards and the hub go through the root logger, which Ray
sets up in the same form; `log_as_request` gives them the id. What a message is about stands in
fields: `game_id` or `game_ids`.
"""

import logging
import re
import traceback
from contextvars import ContextVar
from typing import Any

from serve_app.access.keys import KEY_FORM

OURS = ("serve_app", "models")
SERVE = "ray.serve"
# API keys, and the secrets of webhooks (Standard Webhooks: whsec_ and base64).
_SECRET = re.compile(rf"{KEY_FORM}|whsec_[A-Za-z0-9+/=_-]+")
REDACTED = "[redacted]"
_REQUEST = ContextVar("request", default="")


def log_as_replica() -> None:
    """Send this process's messages where Serve's own go; called in a replica."""
    for name in OURS:
        logging.getLogger(name).parent = logging.getLogger(SERVE)
    redact_secrets()


def log_as_request(request_id: str) -> None:
    """Have what this task logs from now on carry the id of the request that it works for."""
    _REQUEST.set(request_id)


def redact_secrets() -> None:
    """Take secrets out of whatever this process logs, exceptions included; once is enough."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def make_redacted(*arguments: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - logging's
        record = _redacted(make(*arguments, **named))
        if request_id := _REQUEST.get():
            record.request_id = request_id
        return record

    make_redacted.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted)


def _redacted(record: logging.LogRecord) -> logging.LogRecord:
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - logging says itself what is wrong with the arguments
        return record
    if _SECRET.search(text):
        record.msg, record.args = _SECRET.sub(REDACTED, text), ()
    if record.exc_info and record.exc_info[0] is not None:
        # Not left to the formatter: it prints, which Serve has changed to print tuples.
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        record.exc_text = _SECRET.sub(REDACTED, trace)
    return record
