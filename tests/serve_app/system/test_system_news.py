"""News of the system at the watchers: who hears it, who does not, what stands in it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from serve_app.api.problems import Unavailable
from serve_app.live.broadcast import Broadcast
from serve_app.live.message import Message
from serve_app.live.subscription import Subscription
from serve_app.schemas import System
from serve_app.system.reports import FeedReport
from serve_app.system.system_news import SystemNews
from serve_app.system.system_state import SystemState
from tests.serve_app.live.served_feed import ScriptedHub, broadcast, take, until

SYSTEM_ONLY = Subscription(types=frozenset({"system"}))


class Hub:
    """Says how the system is, counts how often it was asked, and is away while told to be."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def __call__(self) -> System:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        state = SystemState(2)
        state.take("feed", FeedReport(3, 1))
        return state.system(4)


@asynccontextmanager
async def telling(watchers: Broadcast, hub: Hub) -> AsyncIterator[asyncio.Semaphore]:
    """The news, a round for each release of the semaphore."""
    rounds = asyncio.Semaphore(0)

    async def sleep(_: float) -> None:
        await rounds.acquire()

    news = SystemNews(watchers, hub, sleep=sleep)
    tasks = [asyncio.create_task(watchers.run()), asyncio.create_task(news.run())]
    try:
        yield rounds
    finally:
        for task in tasks:
            task.cancel()


async def test_who_names_the_type_hears_it_with_the_newest_seq_and_nobody_else_does():
    hub, changes = Hub(), ScriptedHub()
    watchers = broadcast(changes)
    everything = Subscription()
    async with (
        telling(watchers, hub) as rounds,
        watchers.watch(SYSTEM_ONLY) as one,
        watchers.watch(everything) as other,
        watchers.watch(Subscription(types=frozenset({"system", "score"}))) as both,
    ):
        async with aclosing(one.messages()) as told, aclosing(other.messages()) as heard:
            await take(told, 1)
            await take(heard, 1)
            changes.say("first")
            assert [message.text for message in await take(heard, 1)] == ["first"]
            rounds.release()
            (news,) = await take(told, 1)
            changes.say("second")
            assert [message.text for message in await take(heard, 1)] == ["second"]
        async with aclosing(both.messages()) as all_told:
            kinds = [message.type for message in await take(all_told, 4)]
    assert kinds == ["snapshot", "score", "system", "score"]
    assert (news.seq, news.type, news.game_id) == (1, "system", "")
    content = json.loads(news.text)
    assert content["system"]["watchers"] == 3
    assert {"seq": 1, "type": "system"}.items() <= content.items()


async def test_it_is_not_journaled_so_who_resumes_hears_none_of_before():
    hub, changes = Hub(), ScriptedHub()
    watchers = broadcast(changes)
    async with telling(watchers, hub) as rounds:
        async with watchers.watch(SYSTEM_ONLY) as one, aclosing(one.messages()) as told:
            await take(told, 1)
            changes.say("first")
            rounds.release()
            await take(told, 1)
        resuming = Subscription(since=0, types=frozenset({"system", "score"}))
        async with watchers.watch(resuming) as back, aclosing(back.messages()) as told:
            assert [message.type for message in await take(told, 2)] == ["resumed", "score"]
            rounds.release()
            assert [message.type for message in await take(told, 1)] == ["system"]


async def test_nobody_asks_the_hub_while_nobody_wants_to_know():
    hub = Hub()
    watchers = broadcast(ScriptedHub())
    async with (
        telling(watchers, hub) as rounds,
        watchers.watch(Subscription()) as other,
        aclosing(other.messages()) as told,
    ):
        await take(told, 1)
        rounds.release()
        rounds.release()
        await until(rounds.locked)
        assert hub.asked == 0


async def test_a_hub_that_is_away_is_asked_again(caplog: pytest.LogCaptureFixture):
    hub = Hub()
    hub.away = True
    watchers = broadcast(ScriptedHub())
    async with (
        telling(watchers, hub) as rounds,
        watchers.watch(SYSTEM_ONLY) as one,
        aclosing(one.messages()) as told,
    ):
        await take(told, 1)
        rounds.release()
        await until(lambda: hub.asked == 1)
        hub.away = False
        rounds.release()
        assert [message.type for message in await take(told, 1)] == ["system"]
    assert "does not tell" in caplog.text


async def test_a_watcher_that_is_ahead_of_this_replica_is_not_told_to_go_back():
    hub = Hub()
    watchers = broadcast(ScriptedHub(), history=Ahead())
    ahead = Subscription(since=7, types=frozenset({"system"}))
    async with (
        telling(watchers, hub) as rounds,
        watchers.watch(ahead) as one,
        watchers.watch(SYSTEM_ONLY) as other,
        aclosing(one.messages()) as told,
        aclosing(other.messages()) as heard,
    ):
        await take(told, 1)
        await take(heard, 1)
        rounds.release()
        await take(heard, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(told), 0.01)


class Ahead:
    """A history that knows more than the hub has told."""

    def reaches(self, _: int) -> bool:
        return True

    def after(self, _: int) -> list[Message]:
        return []
