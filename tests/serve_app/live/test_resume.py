"""Watchers that come back with `since`: no change is missed, and none comes twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.live import broadcast as broadcast_module
from serve_app.live.broadcast import Broadcast
from serve_app.live.history import History
from serve_app.live.message import Message
from serve_app.live.news import News
from serve_app.live.subscription import Subscription
from serve_app.shards.game_shard import GameShard
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, update
from tests.serve_app.live.served_feed import ScriptedHub, broadcast, no_games, served, take, until

UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "c2l4dGVlbiBieXRlcyBvaw==",
    "sec-websocket-version": "13",
}


class Told:
    """A history that is the hub's own messages; notes what it was asked."""

    def __init__(self, hub: ScriptedHub, page: int = 7) -> None:
        self._hub = hub
        self._page = page
        self.asked: list[int] = []

    def reaches(self, since: int) -> bool:
        return since <= len(self._hub.messages)

    def after(self, since: int) -> list[Message]:
        self.asked.append(since)
        return self._hub.messages[since : since + self._page]


async def follow(feed: Broadcast, since: int, last: int) -> list[Message]:
    """What a watcher that comes back is told up to the message `last`."""
    told: list[Message] = []
    async with asyncio.timeout(10), feed.watch(Subscription(since=since)) as watcher:
        async for message in watcher.messages():
            told.append(message)
            if message.seq >= last:
                break
    return told


@settings(max_examples=60, deadline=None)
@given(
    before=st.integers(0, 40),
    recent=st.sampled_from([3, 10, 5_000]),
    sinces=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    chance=st.randoms(use_true_random=False),
)
async def test_each_change_comes_once_and_in_order(
    before: int, recent: int, sinces: list[int], chance: Random
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broadcast_module, "RECENT_MESSAGES", recent)
        hub = ScriptedHub()
        feed = broadcast(hub, 1_000, history=Told(hub))
        running = asyncio.create_task(feed.run())
        for number in range(before):
            hub.say(str(number))
        await asyncio.sleep(0)
        last = before + 25

        async def talk() -> None:
            while len(hub.messages) < last:
                hub.say("more")
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)

        known = [min(since, before) for since in sinces]
        talking = asyncio.create_task(talk())
        heard = await asyncio.gather(*(follow(feed, since, last) for since in known))
        await talking
        running.cancel()
    for since, messages in zip(known, heard, strict=True):
        assert messages[0].type == "resumed"
        assert [m.seq for m in messages] == [since, *range(since + 1, last + 1)]


async def test_what_is_recent_is_told_without_the_store():
    hub = ScriptedHub()
    history = Told(hub)
    feed = broadcast(hub, history=history)
    running = asyncio.create_task(feed.run())
    for number in range(8):
        hub.say(str(number))
    async with feed.watch(Subscription(since=0)) as watcher:
        await take(watcher.messages(), 9)
    async with feed.watch(Subscription(since=3)) as watcher:
        assert [m.seq for m in await take(watcher.messages(), 6)] == [3, 4, 5, 6, 7, 8]
    assert history.asked == []
    running.cancel()


async def test_one_that_another_replica_told_more_hears_nothing_again():
    hub = ScriptedHub()
    late = asyncio.Event()
    answers = hub.messages_after

    async def slow(seq: int, seconds: float) -> list[Message]:
        await late.wait()
        return await answers(seq, seconds)

    hub.messages_after = slow  # type: ignore[assignment,method-assign]
    feed = broadcast(hub, history=Told(hub))
    running = asyncio.create_task(feed.run())
    for number in range(5):
        hub.say(str(number))
    async with feed.watch(Subscription(since=4)) as watcher:
        late.set()
        hub.say("new")
        assert [m.seq for m in await take(watcher.messages(), 3)] == [4, 5, 6]
    running.cancel()


async def test_a_since_that_is_not_known_gets_a_snapshot_that_says_so():
    hub = ScriptedHub()
    feed = broadcast(hub)
    running = asyncio.create_task(feed.run())
    for number in range(3):
        hub.say(str(number))
    async with feed.watch(Subscription()) as first:
        told = first.messages()
        await until(lambda: len(hub.messages) == 3)
        await take(told, 1)
        async with feed.watch(Subscription(since=99)) as watcher:
            (opening,) = await take(watcher.messages(), 1)
    content = json.loads(opening.text)
    assert (content["type"], content["unknown_since"]) == ("snapshot", 99)
    running.cancel()


# --- the history in the store ---------------------------------------------------------------


@pytest.fixture
def shard(store: Store) -> GameShard:
    shard = GameShard(store, now=lambda: 1_000.0)
    shard.register(registration())
    shard.apply([update(60 * minute, minute) for minute in range(1, 10)])
    return shard


def test_history_reaches_as_far_as_rows_and_bounds_allow(store: Store, shard: GameShard):
    def reaches(since: int, now: float = 1_000.0, most: int = 100) -> bool:
        history = History(store.journal, most_messages=most, seconds=50.0, now=lambda: now)
        return history.reaches(since)

    assert [since for since in range(15) if reaches(since)] == list(range(11))
    assert not reaches(5, now=1_051.0)
    assert [since for since in range(15) if reaches(since, most=4)] == [6, 7, 8, 9, 10]


def test_history_of_an_empty_store_is_not_known(store: Store):
    assert not History(store.journal).reaches(0)
    assert not History(store.journal).reaches(1)


@pytest.fixture
async def feed(store: Store, tmp_path: Path) -> AsyncIterator[Broadcast]:
    news = News(store.journal, ())
    feed = Broadcast(
        news.last_seq,
        news.messages_after,
        no_games,
        History(store.journal),
        queue_messages=1_000,
        max_watchers=100,
    )
    tasks = [asyncio.create_task(run()) for run in (news.run, feed.run)]
    yield feed
    for task in tasks:
        task.cancel()


async def test_a_new_replica_knows_what_was_told_of_late(store: Store, shard: GameShard):
    asked: list[int] = []

    class Noted(History):
        def after(self, since: int) -> Sequence[Message]:
            asked.append(since)
            return super().after(since)

    hub = ScriptedHub()
    history = Noted(store.journal, now=lambda: 1_000.0)
    hub.last_seq = lambda: asyncio.sleep(0, 10)  # type: ignore[method-assign]
    feed = broadcast(hub, history=history)
    running = asyncio.create_task(feed.run())
    for since in (0, 4, 9):
        told = await follow(feed, since, 10)
        assert [m.seq for m in told] == list(range(since, 11))
    assert asked == [0]
    running.cancel()


async def test_a_store_that_does_not_answer_is_a_problem_at_the_handshake():
    class Down(Told):
        def reaches(self, since: int) -> bool:
            raise StoreUnavailableError(str(since))

    hub = ScriptedHub()
    async with served(broadcast(hub, history=Down(hub))) as feed, httpx.AsyncClient() as http:
        live = await http.get(f"{feed.http_url}/live?since=5", headers=UPGRADE)
        events = await http.get(f"{feed.http_url}/events?since=5")
    for answer in (live, events):
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:unavailable")


def store_folder(store: Store) -> Path:
    return Path(str(store.database.url.database)).parent


async def test_from_the_first_row_of_the_store_on(store: Store, feed: Broadcast):
    shard = GameShard(store)
    shard.register(registration())
    shard.apply([update(10 * step, step) for step in range(1, 100)])
    async with asyncio.timeout(10):
        while not (told := await follow(feed, 0, 100))[1:]:
            await asyncio.sleep(0.01)
    assert [m.seq for m in told] == list(range(101))
    shard.end("g1")
    assert [m.type for m in await follow(feed, 99, 101)] == ["resumed", "score", "ended"]
