"""Listening to the live feed, without I/O: where a listener is, and how it goes on."""

import logging
from collections.abc import Sequence
from typing import Any, get_args

import httpx
from httpx_sse import ServerSentEvent
from pydantic import TypeAdapter

from serve_app.client.errors import (
    AnswerError,
    ClientError,
    ProblemError,
    is_no_service,
    is_temporary,
)
from serve_app.client.exchange import Call, Retry, no_answer
from serve_app.schemas import AnyMessage, ChangeType

logger = logging.getLogger(__name__)

EVENTS = "/ws/events"
# The feed says something every 15 s: whoever hears nothing for so long has lost it.
TIMEOUT = httpx.Timeout(10.0, read=40.0)
# `resumed` and `heartbeat` only tell where the feed is; kinds of a newer service are passed over.
TOLD = frozenset({"snapshot", "system", *get_args(ChangeType)})
OPENINGS = frozenset({"snapshot", "resumed"})

_read: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)


def is_events(response: httpx.Response) -> bool:
    """Whether an answer is a stream of events; any other is an error or not the service's."""
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("text/event-stream")


class Listening:
    """One listener: what it asks for when it connects, and what it makes of each event."""

    def __init__(self, since: int | None, games: Sequence[str], types: Sequence[str]) -> None:
        self._since = since
        self._chosen = _named("game", games) + _named("type", types)
        self._failures = 0
        self._told_of_outage = False
        self._call: Call[None] = Call("GET", EVENTS, lambda _: None)

    def request(self) -> dict[str, Any]:
        """The arguments of `httpx_sse.connect_sse`: all after the last message."""
        since = [] if self._since is None else [("since", str(self._since))]
        return {"method": "GET", "url": EVENTS, "params": since + self._chosen, "timeout": TIMEOUT}

    def refuse(self, response: httpx.Response) -> None:
        """Raise the error of an answer, read to its end, that is no stream of events."""
        self._call.answer(response)
        raise AnswerError(f"{self._call}: expected a stream of events; got status 200 without one")

    def take(self, event: ServerSentEvent) -> AnyMessage | None:
        """The message of an event, or None where it has nothing to tell; raises AnswerError."""
        try:
            message = _read.validate_json(event.data) if event.event in TOLD else None
            self._since = int(event.id) if event.id else self._since
        except ValueError as error:
            raise AnswerError(f"{self._call}: an event is not the contract's: {error}") from error
        if event.event not in OPENINGS:  # a feed that only begins, again and again, is not hurried
            self._failures = 0
            self._told_of_outage = False
        return message

    def pause(
        self, failure: httpx.HTTPError | ClientError | None, retry: Retry, draw: float
    ) -> float:
        """The seconds to wait before the next connection; raises what no waiting mends."""
        asked = None
        if failure is not None:
            error = (
                no_answer(self._call, failure) if isinstance(failure, httpx.HTTPError) else failure
            )
            if not (is_temporary(error) or is_no_service(error)):
                raise error
            if not self._told_of_outage:
                logger.warning("%s; trying on", error)
                self._told_of_outage = True
            if isinstance(error, ProblemError) and error.retry_after_seconds is not None:
                asked = min(error.retry_after_seconds, retry.longest_wait_seconds)
        self._failures += 1
        return retry.wait_seconds(self._failures, asked, draw)


def _named(parameter: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """One parameter a value; raises TypeError on a text, which is a sequence of its letters."""
    if isinstance(values, str):
        raise TypeError(f"{parameter}s: expected a list of texts; got the text {values!r}")
    return [(parameter, value) for value in values]
