import asyncio
import json

import pytest
import websockets

from serve_app.live.message import Message
from serve_app.live.subscription import Subscription
from serve_app.live.watcher import Watcher
from serve_app.schemas import LiveMessage
from tests.serve_app.live.served_feed import ScriptedHub, broadcast, served, take

ALL = Subscription()


async def test_a_watcher_gets_a_snapshot_and_then_every_message_in_order():
    hub = ScriptedHub()
    feed = broadcast(hub)
    running = asyncio.create_task(feed.run())
    async with feed.watch(ALL) as watcher:
        told = watcher.messages()
        (snapshot,) = await take(told, 1)
        assert LiveMessage.model_validate_json(snapshot.text).type == "snapshot"
        for text in ("a", "b", "c"):
            hub.say(text)
        assert [(m.seq, m.text) for m in await take(told, 3)] == [(1, "a"), (2, "b"), (3, "c")]
        assert feed.watching == 1
    assert feed.watching == 0
    running.cancel()


async def test_a_hub_that_fails_is_asked_again_without_a_loss():
    hub = ScriptedHub()
    failures = iter([ConnectionError("restarting")])
    answers = hub.messages_after

    async def failing_once(seq: int, timeout: float) -> list[Message]:
        for failure in failures:
            raise failure
        return await answers(seq, timeout)

    hub.messages_after = failing_once  # type: ignore[assignment,method-assign]
    feed = broadcast(hub)
    running = asyncio.create_task(feed.run())
    async with feed.watch(ALL) as watcher:
        hub.say("kept")
        assert [m.text for m in await take(watcher.messages(), 2)][1] == "kept"
    running.cancel()


async def test_a_slow_watcher_is_given_up_with_bounded_memory():
    watcher = Watcher(ALL, limit=2, heartbeat_seconds=60.0, carried=lambda: 0)
    watcher.open(Message(0, "snapshot", "", "begin"), since=0)
    for number in range(1, 100):
        watcher.put(Message(number, "score", "g", "x"))
    assert watcher.overrun
    assert [m.seq async for m in watcher.messages()] == [0, 1, 2]


async def test_a_watcher_gets_what_it_asked_for_only():
    hub = ScriptedHub()
    feed = broadcast(hub)
    running = asyncio.create_task(feed.run())
    wanted = Subscription(games=frozenset({"a"}), types=frozenset({"prediction", "ended"}))
    async with feed.watch(wanted) as watcher:
        told = watcher.messages()
        for game_id, kind in [("a", "score"), ("b", "prediction"), ("a", "prediction")] * 2:
            hub.say(f"{kind} of {game_id}", game_id, kind)
        hub.say("over", "a", "ended")
        assert [m.seq for m in await take(told, 4)] == [0, 3, 6, 7]
    running.cancel()


async def test_silence_is_told_with_the_seq_to_go_on_from():
    hub = ScriptedHub()
    feed = broadcast(hub, heartbeat_seconds=0.02)
    running = asyncio.create_task(feed.run())
    async with feed.watch(Subscription(games=frozenset({"a"}))) as watcher:
        told = watcher.messages()
        hub.say("of another game", "b")
        async with asyncio.timeout(10):
            async for message in told:
                if message.type == "heartbeat" and message.seq == 1:
                    break
        hub.say("at last", "a")
        async with asyncio.timeout(10):
            async for message in told:
                if message.type == "score":
                    break
        assert (message.seq, message.text) == (2, "at last")
    running.cancel()


async def test_over_a_real_socket_until_the_service_restarts():
    hub = ScriptedHub()
    async with (
        asyncio.timeout(20),
        served(broadcast(hub)) as feed,
        websockets.connect(feed.url) as socket,
    ):
        assert json.loads(await socket.recv())["type"] == "snapshot"
        hub.say("first")
        assert await socket.recv() == "first"
        feed.stop()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
