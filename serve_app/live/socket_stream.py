"""A watcher's messages over a WebSocket."""

import asyncio
import logging
from contextlib import aclosing

from fastapi import WebSocket, WebSocketDisconnect
from starlette.status import (
    WS_1009_MESSAGE_TOO_BIG,
    WS_1012_SERVICE_RESTART,
    WS_1013_TRY_AGAIN_LATER,
)

from serve_app.api.connection import abort_connection
from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import ServiceProblem
from serve_app.live.frames import text_frame, write_frame_of
from serve_app.live.presence import send_while_present
from serve_app.live.watcher import Watcher

logger = logging.getLogger(__name__)

DENIAL = "websocket.http.response"
CLOSE_SECONDS = 2.0
# Watchers have nothing to say; the keep-alive texts that some clients send are shorter.
MAX_SAID = 1_000


async def stream_to(socket: WebSocket, watcher: Watcher, patience_seconds: float) -> None:
    """Accept the socket and send until either side has had enough."""
    await socket.accept()
    write_frame = write_frame_of(socket.scope)
    if write_frame is not None:
        watcher.tell_by(lambda message: write_frame(text_frame(message.text)))
    code = await _serve(socket, watcher, patience_seconds)
    if code is not None:
        await _close(socket, code, min(patience_seconds, CLOSE_SECONDS))


async def deny(socket: WebSocket, problem: ServiceProblem) -> None:
    """Answer a handshake with a problem."""
    if DENIAL in socket.scope.get("extensions", {}):
        await socket.send_denial_response(problem_response(problem))
    else:
        await socket.close(WS_1013_TRY_AGAIN_LATER)


async def _serve(socket: WebSocket, watcher: Watcher, patience_seconds: float) -> int | None:
    """Send until it is over; the close code, None where the client has gone."""
    sent, read = await send_while_present(
        watcher, _send(socket, watcher, patience_seconds), _read(socket)
    )
    if read is not None:
        return read
    if isinstance(sent, TimeoutError):
        watcher.give_up()
    if watcher.overrun:
        return WS_1013_TRY_AGAIN_LATER
    if isinstance(sent, Exception):
        logger.error("a watcher could not be told on", exc_info=sent)
        return WS_1013_TRY_AGAIN_LATER
    return sent if isinstance(sent, int) else None


async def _send(socket: WebSocket, watcher: Watcher, seconds: float) -> int | None:
    """Send all that comes; raises TimeoutError where the client takes too long over one."""
    async with aclosing(watcher.messages()) as messages:
        async for message in messages:
            try:
                async with asyncio.timeout(seconds):
                    await socket.send_text(message.text)
            except (WebSocketDisconnect, RuntimeError):
                return None
            del message  # a snapshot is large, and what comes next may be long in coming
    return WS_1012_SERVICE_RESTART


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
