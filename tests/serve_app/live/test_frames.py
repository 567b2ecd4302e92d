"""Messages that are written to all watchers at once, and those that had to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn.config
import websockets

from serve_app.live.frames import PROTOCOL, offer_frames, text_frame
from serve_app.live.message import Message
from serve_app.live.subscription import Subscription
from serve_app.live.watcher import Watcher
from tests.serve_app.live.served_feed import ScriptedHub, broadcast, served, take, until


@pytest.mark.parametrize("protocol", [PROTOCOL, "websockets-sansio"])
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_watcher_gets_the_same_whether_or_not_the_server_offers_frames(
    protocol: str, compression: str | None
):
    hub = ScriptedHub()
    texts = ["", "short", "ü" * 63, "x" * 125, "x" * 126, "x" * 65_535, "x" * 65_536]
    async with (
        asyncio.timeout(20),
        served(broadcast(hub, 100), protocol=protocol) as feed,
        websockets.connect(feed.url, compression=compression) as socket,
    ):
        await socket.recv()
        compresses = compression is not None and protocol != PROTOCOL
        assert bool(socket.protocol.extensions) == compresses
        for text in texts:
            hub.say(text)
        assert [await socket.recv() for _ in texts] == texts


async def test_what_a_client_did_not_read_in_time_comes_in_order_before_what_is_written_at_once():
    hub = ScriptedHub()
    watchers = broadcast(hub, 10_000)
    async with (
        asyncio.timeout(30),
        served(watchers) as feed,
        websockets.connect(feed.url, max_queue=1, compression=None) as slow,
        websockets.connect(feed.url, compression=None) as good,
    ):
        await slow.recv()
        await good.recv()
        said = [f"{number} {'x' * 50_000}" for number in range(400)]
        for text in said:
            hub.say(text)
        assert [await good.recv() for _ in said] == said
        waiting = [len(text) for text in said[:300]]
        assert [len(await slow.recv()) for _ in waiting] == waiting
        hub.say("the end")  # while it is being told the rest by its sender
        rest = [await slow.recv() for _ in range(101)]
        assert rest == [*said[300:], "the end"]
        hub.say("at once again")
        assert await slow.recv() == "at once again"


async def test_the_keepalive_of_the_server_goes_on_between_frames():
    hub = ScriptedHub()
    async with (
        asyncio.timeout(20),
        served(broadcast(hub, 100)) as feed,
        websockets.connect(feed.url) as socket,
    ):
        await socket.recv()
        (connection,) = feed.server.server_state.connections
        for number in range(3):
            connection.send_keepalive_ping()  # type: ignore[union-attr]
            hub.say(str(number))
            assert await socket.recv() == str(number)
        await until(lambda: connection.pending_ping_payload is None)  # type: ignore[union-attr]


@asynccontextmanager
async def waiting(watcher: Watcher) -> AsyncIterator["asyncio.Task[Message]"]:
    """A watcher that was told its opening, and whose sender waits for more."""
    told = watcher.messages()
    await anext(told)
    sender = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0)
    yield sender
    sender.cancel()


async def test_a_watcher_that_waits_is_told_at_once_and_heartbeats_count_from_then():
    told: list[int] = []
    watcher = Watcher(Subscription(), limit=10, heartbeat_seconds=0.05, carried=lambda: 3)

    def tell(message: Message) -> bool:
        told.append(message.seq)
        return True

    watcher.tell_by(tell)
    watcher.open(Message(0, "snapshot", "", "begin"), since=0)
    async with waiting(watcher) as sender:
        begun = asyncio.get_running_loop().time()
        watcher.put(Message(1, "score", "g", "x"))
        assert told == [1]
        heartbeat = await sender
        assert (heartbeat.type, heartbeat.seq) == ("heartbeat", 3)
        assert asyncio.get_running_loop().time() - begun >= 0.05


async def test_what_cannot_be_written_now_is_the_senders_and_so_is_what_comes_after_it():
    blocked, told = True, list[int]()

    def tell(message: Message) -> bool:
        if not blocked:
            told.append(message.seq)
        return not blocked

    watcher = Watcher(Subscription(), limit=10, heartbeat_seconds=60.0, carried=lambda: 0)
    watcher.tell_by(tell)
    watcher.open(Message(0, "snapshot", "", "begin"), since=0)
    messages = watcher.messages()
    assert (await anext(messages)).seq == 0
    sender = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(0)
    watcher.put(Message(1, "score", "g", "x"))
    blocked = False
    watcher.put(Message(2, "score", "g", "x"))  # its sender has not taken the first one yet
    assert [(await sender).seq, *[m.seq for m in await take(messages, 1)]] == [1, 2]
    assert told == []


def test_every_server_started_afterwards_offers_frames(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(uvicorn.config.WS_PROTOCOLS, "auto", "other")
    offer_frames()
    config = uvicorn.Config("nowhere", ws="auto")
    assert uvicorn.config.WS_PROTOCOLS[config.ws] == PROTOCOL  # type: ignore[index]


def test_a_frame_is_made_once_for_all():
    assert text_frame("the same") is text_frame("the same")
