import asyncio
import json
from pathlib import Path

import pytest
import websockets

from serve_app.live.live_hub import LiveHub
from serve_app.live.message import Message
from serve_app.live.subscription import Subscription
from serve_app.live.watcher import Watcher
from serve_app.schemas import LiveMessage
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, update, updates
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


async def test_the_hub_tells_what_was_committed_in_the_order_of_the_journal(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    hub = LiveHub(settings)
    shard = GameShard(Store.at(tmp_path))
    shard.register(registration())
    shard.apply(updates(120))
    await hub.notify()
    messages: list[Message] = []
    async with asyncio.timeout(10):
        while len(messages) < 6:
            last = messages[-1][0] if messages else 0
            messages += await hub.messages_after(last, 5)
    assert [message.seq for message in messages] == [1, 2, 3, 4, 5, 6]
    parsed = [LiveMessage.model_validate_json(message.text) for message in messages]
    assert [message.type for message in parsed] == ["game", *["score"] * 5]
    assert {message.game_id for message in parsed} == {"g1"}
    assert await hub.messages_after(6, 0.01) == []
    assert [await hub.newest_after(seq, 0.01) for seq in (0, 5, 6)] == [6, 6, 6]
    waiting = asyncio.create_task(hub.newest_after(6, 10))
    shard.apply([update(150, 9)])
    await hub.notify()
    assert await asyncio.wait_for(waiting, 10) == 7
    hub.close()


async def test_what_a_shard_tells_is_taken_in_the_order_of_the_journal(tmp_path: Path):
    store = Store.at(tmp_path)
    shard = GameShard(store)
    shard.register(registration())
    hub = LiveHub(Settings(data_dir=tmp_path))
    async with asyncio.timeout(10):
        assert await hub.last_seq() == 1
        shard.apply(updates(150))
        second, third, fourth, *last = store.journal.after(1, 10)
        await hub.notify([second])  # what follows on is taken as it comes
        assert [m.seq for m in await hub.messages_after(1, 0)] == [2]
        await hub.notify([third, fourth])
        await hub.notify([second, third])  # ... and what is known is passed over
        assert [m.seq for m in await hub.messages_after(1, 0)] == [2, 3, 4]
        await hub.notify(last[1:])  # where something is missing the journal tells it
        assert await hub.newest_after(6, 10) == 7
        assert [m.seq for m in await hub.messages_after(4, 0)] == [5, 6, 7]
    hub.close()


async def test_a_replica_far_behind_the_hub_misses_nothing(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    hub = LiveHub(settings, held_messages=3)
    shard = GameShard(Store.at(tmp_path))
    shard.register(registration())
    shard.apply(updates(600))
    await hub.notify()
    async with asyncio.timeout(10):
        while await hub.last_seq() < 22:
            await hub.messages_after(await hub.last_seq(), 1)
        behind = await hub.messages_after(4, 5)
        level = await hub.messages_after(20, 5)
    assert [message.seq for message in behind] == list(range(5, 23))
    assert [message.seq for message in level] == [21, 22]
    hub.close()
