"""Watchers of the live feed that cost next to nothing, to measure what the service costs."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator

from serve_app.client.exchange import auth_headers
from serve_app.process.environment import LOOPBACK

HANDSHAKE = (
    "GET /ws/live{query} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyBvaw==\r\n{more}\r\n"
)
CONNECT_AT_ONCE = 100
WAIT_SECONDS = 60.0
TEXT, PING, PONG = 1, 9, 10  # opcodes of RFC 6455
NO_MASK = bytes(4)


class Crowd:
    """Counts for many watchers, who would be too many to look at one by one."""

    def __init__(self) -> None:
        self.told = 0  # messages, of all together
        self.lost = 0  # watchers that are gone


class Listener(asyncio.Protocol):
    """A watcher: notes when each message came, by its seq."""

    def __init__(self, port: int, query: str = "", crowd: Crowd | None = None) -> None:
        more = "".join(f"{name}: {value}\r\n" for name, value in auth_headers(None).items())
        self._hello = HANDSHAKE.format(query=query, host=f"{LOOPBACK}:{port}", more=more)
        self._rest = b""
        self._open = False
        self._crowd = crowd or Crowd()
        self.transport: asyncio.Transport | None = None
        self.opened = asyncio.get_running_loop().create_future()
        self.lost = False
        self.came: dict[int, float] = {}
        self.told: list[tuple[str, int]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the feed."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self.transport = transport
        transport.write(self._hello.encode())

    def data_received(self, data: bytes) -> None:
        """Take what whole messages there are."""
        now = time.perf_counter()
        self._rest += data
        if not self._open:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.splitlines()[0]:
                self._fail(RuntimeError(f"expected a WebSocket; got {head[:200]!r}"))
                return
            self._open, self._rest = True, rest
        for payload in self._payloads():
            message = json.loads(payload[:200].split(b', "time"')[0] + b"}")
            self._note(message["type"], message["seq"], now)

    def _note(self, kind: str, seq: int, now: float) -> None:
        if kind == "heartbeat":  # it says that there is nothing to say
            return
        self.came[seq] = now
        self.told.append((kind, seq))
        self._crowd.told += 1
        if not self.opened.done():
            self.opened.set_result(None)

    def _payloads(self) -> Iterator[bytes]:
        """The texts of whole frames; the service masks none and splits none."""
        while len(self._rest) >= 2:
            length, start = self._rest[1], 2
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(self._rest[2:start], "big")
            if len(self._rest) < start + length:
                return
            opcode, payload = self._rest[0] & 0xF, self._rest[start : start + length]
            self._rest = self._rest[start + length :]
            if opcode == TEXT:
                yield payload
            elif opcode == PING and self.transport:  # who does not answer is taken for gone
                head = bytes((0x80 | PONG, 0x80 | length))
                self.transport.write(head + NO_MASK + payload)

    def connection_lost(self, _: Exception | None) -> None:
        """Note it."""
        self.lost = True
        self._crowd.lost += 1
        self._fail(ConnectionError("the feed ended before its first message"))

    def _fail(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)


async def connect(port: int, query: str = "", crowd: Crowd | None = None) -> Listener:
    """A watcher that has had its first message."""
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(port, query, crowd), LOOPBACK, port)
    async with asyncio.timeout(WAIT_SECONDS):
        await listener.opened
    return listener


async def connect_many(port: int, count: int, crowd: Crowd) -> list[Listener]:
    """So many watchers of scores, some at a time."""
    listeners: list[Listener] = []
    while len(listeners) < count:
        some = min(CONNECT_AT_ONCE, count - len(listeners))
        listeners += await asyncio.gather(
            *(connect(port, "?type=score", crowd) for _ in range(some))
        )
    return listeners


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():
            await asyncio.sleep(0.0005)
