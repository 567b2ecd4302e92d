"""The live feed over WebSocket: a snapshot on connect, then every change, to every watcher."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.status import WS_1012_SERVICE_RESTART, WS_1013_TRY_AGAIN_LATER

from serve_app.live.live_hub import Message
from serve_app.schemas import GameView

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 10.0
RETRY_SECONDS = 0.5


class Watcher:
    """One client's waiting messages; `overrun` once it was too slow to take them."""

    def __init__(self, limit: int) -> None:
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue(limit + 1)
        self.overrun = False
        self._limit = limit

    def put(self, message: Message) -> None:
        """Queue a message; a client that is too far behind is given up instead of waited for."""
        if self.overrun:
            return
        if self.messages.qsize() >= self._limit:
            self.overrun = True
            self.finish()
        else:
            self.messages.put_nowait(message)

    def finish(self) -> None:
        """Wake the sender for the last time."""
        with contextlib.suppress(asyncio.QueueFull):
            self.messages.put_nowait(None)


class Broadcast:
    """Carries the hub's messages to the watchers of this process.

    `messages_after(seq, timeout)` and `snapshot()` are how it reaches the hub and the games.
    """

    def __init__(
        self,
        last_seq: Callable[[], Awaitable[int]],
        messages_after: Callable[[int, float], Awaitable[Sequence[Message]]],
        snapshot: Callable[[], Awaitable[Sequence[GameView]]],
        queue_messages: int,
    ) -> None:
        self._ask_last_seq = last_seq
        self._messages_after = messages_after
        self._snapshot = snapshot
        self._queue_messages = queue_messages
        self._watchers: set[Watcher] = set()
        self._seq = 0
        self._started = asyncio.Event()

    @property
    def watching(self) -> int:
        """Number of connected watchers."""
        return len(self._watchers)

    async def run(self) -> None:
        """Carry messages until cancelled; outlives a restart of the hub."""
        while True:
            try:
                if not self._started.is_set():
                    self._seq = await self._ask_last_seq()
                    self._started.set()
                messages = await self._messages_after(self._seq, LONG_POLL_SECONDS)
            except Exception:
                logger.exception("the live hub does not answer; asking again")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for message in messages:
                for watcher in self._watchers:
                    watcher.put(message)
                self._seq = message[0]

    def finish(self) -> None:
        """Let every watcher go."""
        for watcher in self._watchers:
            watcher.finish()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[tuple[str, Watcher]]:
        """A snapshot message, and a watcher that gets all that came after it."""
        await self._started.wait()
        watcher = Watcher(self._queue_messages)
        self._watchers.add(watcher)
        try:
            # Taken before the games are asked: what happens meanwhile is in the snapshot, in the
            # queue, or in both, and applying a state twice does no harm.
            seq = self._seq
            games = await self._snapshot()
            yield snapshot_text(seq, games), watcher
        finally:
            self._watchers.discard(watcher)


def snapshot_text(seq: int, games: Sequence[GameView]) -> str:
    """The snapshot message: `{seq, type, time, games}`."""
    head = {"seq": seq, "type": "snapshot", "time": datetime.now(UTC).isoformat()}
    views = ", ".join(game.model_dump_json() for game in games)
    return f'{json.dumps(head)[:-1]}, "games": [{views}]}}'


def build_feed(broadcast: Broadcast) -> FastAPI:
    """The WebSocket application: `/live` below the route prefix of its deployment."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(broadcast.run())
        yield
        task.cancel()
        broadcast.finish()

    feed = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @feed.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        async with broadcast.watch() as (snapshot, watcher):
            sender = asyncio.create_task(_send(socket, snapshot, watcher))
            try:
                while True:  # Watchers say nothing; reading is how a disconnect is noticed.
                    await socket.receive_text()
            except (WebSocketDisconnect, KeyError, RuntimeError):
                pass
            finally:
                sender.cancel()

    return feed


async def _send(socket: WebSocket, snapshot: str, watcher: Watcher) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(snapshot)
        while not watcher.overrun:
            message = await watcher.messages.get()
            if message is None:
                break
            await socket.send_text(message[1])
        code = WS_1013_TRY_AGAIN_LATER if watcher.overrun else WS_1012_SERVICE_RESTART
        await socket.close(code)
