import asyncio
import json
from pathlib import Path

import pytest
import websockets

from serve_app.live.broadcast import Broadcast, Watcher
from serve_app.live.live_hub import LiveHub, Message
from serve_app.schemas import LiveMessage
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, updates
from tests.serve_app.live.served_feed import ScriptedHub, broadcast, no_games, served


async def test_a_watcher_gets_a_snapshot_and_then_every_message_in_order():
    hub = ScriptedHub()
    feed = broadcast(hub)
    running = asyncio.create_task(feed.run())
    async with feed.watch() as (snapshot, watcher):
        assert LiveMessage.model_validate_json(snapshot).type == "snapshot"
        for text in ("a", "b", "c"):
            hub.say(text)
        got = [await asyncio.wait_for(watcher.messages.get(), 5) for _ in range(3)]
        assert got == [(1, "a"), (2, "b"), (3, "c")]
        assert feed.watching == 1
    assert feed.watching == 0
    running.cancel()


async def test_a_hub_that_fails_is_asked_again_without_a_loss():
    hub = ScriptedHub()
    failures = iter([ConnectionError("restarting")])

    async def failing_once(seq: int, timeout: float) -> list[Message]:
        for failure in failures:
            raise failure
        return await hub.messages_after(seq, timeout)

    feed = Broadcast(hub.last_seq, failing_once, no_games, 10, 10)
    running = asyncio.create_task(feed.run())
    async with feed.watch() as (_, watcher):
        hub.say("kept")
        assert await asyncio.wait_for(watcher.messages.get(), 10) == (1, "kept")
    running.cancel()


def test_a_slow_watcher_is_given_up_with_bounded_memory():
    watcher = Watcher(limit=2)
    for number in range(100):
        watcher.put((number, "x"))
    assert watcher.overrun
    assert watcher.messages.qsize() == 3
    assert [watcher.messages.get_nowait() for _ in range(3)] == [(0, "x"), (1, "x"), None]


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
    assert [seq for seq, _ in messages] == [1, 2, 3, 4, 5, 6]
    parsed = [LiveMessage.model_validate_json(text) for _, text in messages]
    assert [message.type for message in parsed] == ["game", *["score"] * 5]
    assert {message.game_id for message in parsed} == {"g1"}
    assert await hub.messages_after(6, 0.01) == []
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
    assert [seq for seq, _ in behind] == list(range(5, 23))
    assert [seq for seq, _ in level] == [21, 22]
    hub.close()
