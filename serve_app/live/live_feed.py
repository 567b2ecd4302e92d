"""The live feed over WebSocket: a snapshot on connect, then every change, to every watcher.

A client that does not keep up is dropped, never waited for: it comes back with a new snapshot.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.status import (
    WS_1009_MESSAGE_TOO_BIG,
    WS_1012_SERVICE_RESTART,
    WS_1013_TRY_AGAIN_LATER,
)

from serve_app.access.access import Access
from serve_app.access.guarded_api import GuardedAPI
from serve_app.api.connection import abort_connection
from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import ServiceProblem
from serve_app.live.broadcast import Broadcast, Watcher

logger = logging.getLogger(__name__)

DENIAL = "websocket.http.response"
# How long one message may wait for a client to take what was sent before.
PATIENCE_SECONDS = 20.0
CLOSE_SECONDS = 2.0
# Watchers have nothing to say; the keep-alive texts that some clients send are shorter.
MAX_SAID = 1_000


def build_feed(
    broadcast: Broadcast, access: Access | None = None, patience_seconds: float = PATIENCE_SECONDS
) -> FastAPI:
    """The WebSocket application: `/live` below the route prefix of its deployment.

    Nothing guards it without `access`.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(broadcast.run())
        yield
        task.cancel()
        broadcast.finish()

    feed = GuardedAPI(
        access=access, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )

    @feed.websocket("/live")
    async def live(socket: WebSocket) -> None:
        try:
            async with broadcast.watch() as (snapshot, watcher):
                await socket.accept()
                code = await _serve(socket, snapshot, watcher, patience_seconds)
                if code is not None:
                    await _close(socket, code, min(patience_seconds, CLOSE_SECONDS))
        except ServiceProblem as problem:
            await _deny(socket, problem)

    return feed


async def _serve(
    socket: WebSocket, snapshot: str, watcher: Watcher, patience_seconds: float
) -> int | None:
    """Send until either side has had enough; the close code, None where the client has gone."""
    sending = asyncio.create_task(_send(socket, snapshot, watcher, patience_seconds))
    reading = asyncio.create_task(_read(socket))
    watcher.when_overrun(sending.cancel)  # it may hang in a send
    try:
        await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, reading):
            task.cancel()
        ended = await asyncio.gather(sending, reading, return_exceptions=True)
    if isinstance(ended[1], int):
        return ended[1]
    if watcher.overrun or isinstance(ended[0], TimeoutError):
        return WS_1013_TRY_AGAIN_LATER
    return ended[0] if isinstance(ended[0], int) else None


async def _send(socket: WebSocket, snapshot: str, watcher: Watcher, seconds: float) -> int | None:
    """Send all that comes; raises TimeoutError where the client takes too long over one."""
    text = snapshot
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            async with asyncio.timeout(seconds):
                await socket.send_text(text)
            message = await watcher.messages.get()
            if message is None:
                return WS_1012_SERVICE_RESTART
            text = message[1]
    return None


async def _read(socket: WebSocket) -> int | None:
    """Read until the client has gone, which is how that is noticed, or says too much."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if len(message.get("text") or message.get("bytes") or "") > MAX_SAID:
            return WS_1009_MESSAGE_TOO_BIG


async def _close(socket: WebSocket, code: int, seconds: float) -> None:
    """Say why, and where the client does not even take that, end its connection."""
    try:
        async with asyncio.timeout(seconds):
            await socket.close(code)
    except TimeoutError:
        ended = abort_connection(socket.scope)
        logger.warning("a watcher that reads nothing is dropped (connection ended: %s)", ended)
    except (WebSocketDisconnect, RuntimeError):
        pass  # it has gone by itself


async def _deny(socket: WebSocket, problem: ServiceProblem) -> None:
    """Answer a handshake with a problem."""
    if DENIAL in socket.scope.get("extensions", {}):
        await socket.send_denial_response(problem_response(problem))
    else:
        await socket.close(WS_1013_TRY_AGAIN_LATER)
