"""Watchers that read nothing, say anything and leave in the middle: the others lose nothing."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Collection
from random import Random

import httpx
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_app.fuzz.frames import handshake, random_frame
from serve_app.live.subscription import Subscription
from serve_app.schemas import GameView
from tests.serve_app.live.served_feed import ScriptedHub, Served, broadcast, served, take, until

ALL = Subscription()
LONG = "x" * 20_000
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "c2l4dGVlbiBieXRlcyBvaw==",
    "sec-websocket-version": "13",
}


async def connected(feed: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client of our own, past its handshake; it reads no more than it is told to."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", feed.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1_024)
    writer.write(handshake("127.0.0.1", "/live"))
    assert b" 101 " in await reader.readline()
    return reader, writer


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection without a word."""
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):  # the server may have ended it already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@pytest.mark.parametrize(("queue_messages", "patience"), [(40, 60.0), (10_000, 0.3)])
async def test_a_client_that_reads_nothing_is_dropped_and_no_other_waits_for_it(
    queue_messages: int, patience: float
):
    """By a full queue, though its sender hangs; or by its patience, though the queue has room."""
    hub = ScriptedHub()
    watchers = broadcast(hub, queue_messages)
    async with served(watchers, patience) as feed, websockets.connect(feed.url) as good:
        await good.recv()
        _, writer = await connected(feed)
        await until(lambda: watchers.watching == 2)
        said = 0
        async with asyncio.timeout(15):
            while watchers.watching == 2:
                for _ in range(20):
                    said += 1
                    hub.say(f"{said} {LONG}")
                for number in range(said - 19, said + 1):
                    assert (await good.recv()).split()[0] == str(number)
        await until(lambda: feed.connections == 1)  # nothing of it is left in the server either
        writer.transport.abort()


async def test_many_that_read_nothing_leave_nothing_behind():
    hub = ScriptedHub()
    watchers = broadcast(hub, 10)
    async with served(watchers, 0.2) as feed:
        writers = [(await connected(feed))[1] for _ in range(20)]
        await until(lambda: watchers.watching == 20)
        while watchers.watching:
            hub.say(LONG * 10)
            await asyncio.sleep(0.002)
        await until(lambda: feed.connections == 0)
        for writer in writers:
            writer.transport.abort()


async def test_one_watcher_too_many_is_refused_with_a_problem_and_may_come_back():
    watchers = broadcast(ScriptedHub(), max_watchers=1)
    async with served(watchers) as feed, httpx.AsyncClient() as http:
        async with websockets.connect(feed.url) as first:
            await first.recv()
            answer = await http.get(feed.url.replace("ws:", "http:"), headers=UPGRADE)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["type"] == "urn:problem:overloaded"
        await until(lambda: watchers.watching == 0)
        async with websockets.connect(feed.url) as second:
            assert json.loads(await second.recv())["type"] == "snapshot"


async def test_games_that_do_not_answer_are_a_problem_at_the_handshake():
    async def failing(_: Collection[str] | None) -> list[GameView]:
        raise RuntimeError("the shards are down")

    hub = ScriptedHub()
    watchers = broadcast(hub, games=failing)
    async with served(watchers) as feed, httpx.AsyncClient() as http:
        answer = await http.get(feed.url.replace("ws:", "http:"), headers=UPGRADE)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:unavailable")
        assert "down" not in answer.text
    assert watchers.watching == 0


async def test_watchers_of_one_moment_share_a_snapshot_and_miss_nothing_after_it():
    hub = ScriptedHub()
    taken: list[int] = []

    async def games(_: Collection[str] | None) -> list[GameView]:
        taken.append(len(hub.messages))
        return []

    watchers = broadcast(hub, 100, games=games)
    running = asyncio.create_task(watchers.run())
    async with watchers.watch(ALL) as one:
        first = one.messages()
        for text in ("a", "b"):
            hub.say(text)
        told = await take(first, 3)
        async with watchers.watch(ALL) as other:
            second = other.messages()
            hub.say("c")
            (opening,) = await take(second, 1)
            assert (opening.seq, opening.type) == (told[0].seq, "snapshot")
            assert await take(second, 3) == hub.messages
        for number in range(60):  # more than a shared snapshot is completed with
            hub.say(str(number))
        await take(first, 61)
        async with watchers.watch(ALL) as late:
            third = late.messages()
            assert (await take(third, 1))[0].seq == 63
            hub.say("after it")
            assert (await take(third, 1))[0].seq == 64
    running.cancel()
    assert taken == [0, 63]


async def test_a_client_that_says_too_much_is_told_so():
    async with served(broadcast(ScriptedHub())) as feed, websockets.connect(feed.url) as socket:
        await socket.recv()
        await socket.send("ping")
        await socket.send(b"ping")
        await socket.send("x" * 1_001)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def misbehave(feed: Served, seed: int) -> None:
    """A client that sends what it likes, and ends its connection in one way or another."""
    random = Random(seed)  # noqa: S311
    reader, writer = await connected(feed)
    for _ in range(random.randrange(6)):
        writer.write(random_frame(random))
        if random.random() < 0.3:
            await asyncio.sleep(0)
    match random.randrange(3):
        case 0:
            reset(writer)
        case 1:
            with contextlib.suppress(OSError):  # the server may have ended it already
                writer.write_eof()
            writer.close()
        case _:
            await asyncio.wait([asyncio.create_task(reader.read(100))], timeout=0.02)
            writer.transport.abort()


@pytest.fixture
async def feed() -> AsyncIterator[tuple[ScriptedHub, Served]]:
    hub = ScriptedHub()
    async with served(broadcast(hub, 100)) as running:
        yield hub, running


@settings(
    max_examples=40,
    deadline=None,
    # One server for all examples: each leaves it without watchers.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    hostile=st.lists(st.integers(0, 2**32), min_size=1, max_size=4),
    said=st.lists(st.text(max_size=30), max_size=12),
    listening=st.integers(1, 3),
)
async def test_whatever_watchers_do_the_others_get_all_in_order(
    feed: tuple[ScriptedHub, Served], hostile: list[int], said: list[str], listening: int
):
    hub, server = feed
    async with contextlib.AsyncExitStack() as open_sockets:
        good = [
            await open_sockets.enter_async_context(websockets.connect(server.url))
            for _ in range(listening)
        ]
        begun = [json.loads(await listener.recv())["seq"] for listener in good]
        misbehaving = [asyncio.create_task(misbehave(server, seed)) for seed in hostile]
        for text in said:
            hub.say(text)
            await asyncio.sleep(0)
        await asyncio.gather(*misbehaving)
        hub.say("the end")
        for listener, seq in zip(good, begun, strict=True):
            due = [message.text for message in hub.messages if message.seq > seq]
            assert [await listener.recv() for _ in due] == due
        await until(lambda: server.watchers.watching == listening)
    await until(lambda: server.watchers.watching == 0)
