"""A live feed on a real port in this process, with a hub that says what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from serve_app.live.broadcast import Broadcast, KnowsHistory
from serve_app.live.frames import PROTOCOL
from serve_app.live.live_feed import build_feed
from serve_app.live.message import Message
from serve_app.schemas import GameView


class ScriptedHub:
    """Hands out messages as a test releases them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.more = asyncio.Event()

    def say(self, text: str, game_id: str = "g1", kind: str = "score") -> None:
        self.messages.append(Message(len(self.messages) + 1, kind, game_id, text))
        self.more.set()

    async def last_seq(self) -> int:
        return 0

    async def messages_after(self, seq: int, _: float) -> list[Message]:
        while len(self.messages) <= seq:
            self.more.clear()
            await self.more.wait()
        return self.messages[seq:]


class NoHistory:
    """A store that knows nothing of earlier."""

    def reaches(self, _: int) -> bool:
        return False

    def after(self, since: int) -> list[Message]:
        raise AssertionError(f"not asked for what it does not know; asked for {since}")


async def no_games(_: Collection[str] | None) -> list[GameView]:
    return []


def broadcast(
    hub: ScriptedHub,
    queue_messages: int = 10,
    max_watchers: int = 100,
    *,
    games: Callable[[Collection[str] | None], Awaitable[list[GameView]]] = no_games,
    history: KnowsHistory | None = None,
    heartbeat_seconds: float = 60.0,
) -> Broadcast:
    return Broadcast(
        hub.last_seq,
        hub.messages_after,
        games,
        history or NoHistory(),
        queue_messages=queue_messages,
        max_watchers=max_watchers,
        heartbeat_seconds=heartbeat_seconds,
    )


async def take(told: AsyncIterator[Message], count: int) -> list[Message]:
    """The next messages of a watcher, within five seconds each."""
    return [await asyncio.wait_for(anext(told), 5) for _ in range(count)]


@dataclass
class Served:
    """A feed that runs; `stop` asks it to end."""

    server: uvicorn.Server
    watchers: Broadcast

    @property
    def port(self) -> int:
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/live"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """Connections that the server holds, those it has yet to end included."""
        return len(self.server.server_state.connections)

    def stop(self) -> None:
        self.server.should_exit = True


@asynccontextmanager
async def served(
    watchers: Broadcast, patience_seconds: float = 20.0, *, protocol: str = PROTOCOL
) -> AsyncIterator[Served]:
    config = uvicorn.Config(
        build_feed(watchers, patience_seconds=patience_seconds),
        port=0,
        log_level="critical",
        ws=protocol,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield Served(server, watchers)
    finally:
        server.should_exit = True
        await serving


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, at most 15 seconds."""
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.002)
