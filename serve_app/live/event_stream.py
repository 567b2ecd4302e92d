"""A watcher's messages as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing

from fastapi import Response
from starlette.types import Receive, Scope, Send

from serve_app.api.connection import abort_connection
from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import ServiceProblem
from serve_app.live.message import Message
from serve_app.live.presence import send_while_present
from serve_app.live.watcher import Watcher

logger = logging.getLogger(__name__)

RETRY_MILLISECONDS = 1_000
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx and its kin would collect events into a page
]


class EventStream(Response):
    """Sends events until either side has had enough; `watch` opens the watcher.

    The `id` of an event is its `seq`: an EventSource that comes back names the last one.
    """

    def __init__(
        self,
        watch: Callable[[], AbstractAsyncContextManager[Watcher]],
        patience_seconds: float,
    ) -> None:
        self._watch = watch
        self._patience_seconds = patience_seconds
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            async with self._watch() as watcher:
                if not await self._stream(watcher, receive, send):
                    ended = abort_connection(scope)
                    logger.warning("a reader of events is dropped (connection ended: %s)", ended)
        except ServiceProblem as problem:
            await problem_response(problem)(scope, receive, send)

    async def _stream(self, watcher: Watcher, receive: Receive, send: Send) -> bool:
        """Whether it came to its end by itself; else the reader was too slow."""
        sent, _ = await send_while_present(watcher, self._send(watcher, send), _gone(receive))
        if isinstance(sent, TimeoutError):
            watcher.give_up()
        elif isinstance(sent, Exception):
            raise sent
        return not watcher.overrun

    async def _send(self, watcher: Watcher, send: Send) -> None:
        """Send all that comes; raises TimeoutError where the reader takes too long over one."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._body(send, f"retry: {RETRY_MILLISECONDS}\n")  # a line of the first event
        async with aclosing(watcher.messages()) as messages:
            async for message in messages:
                await self._body(send, event_text(message))
                del message  # a snapshot is large, and what comes next may be long in coming
        await self._body(send, "", more=False)

    async def _body(self, send: Send, text: str, *, more: bool = True) -> None:
        async with asyncio.timeout(self._patience_seconds):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})


def event_text(message: Message) -> str:
    """One event; a message is one line, for JSON has no line breaks of its own."""
    return f"id: {message.seq}\nevent: {message.type}\ndata: {message.text}\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
