"""The journal's news: what shards tell, what they do not tell any more, and in which order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from serve_app.live import news as news_module
from serve_app.live.message import Message
from serve_app.live.news import CommittedAfter, News
from serve_app.schemas import LiveMessage
from serve_app.shards.committed import Committed
from serve_app.shards.game_shard import GameShard
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, update, updates


class CountedJournal:
    """The journal, which counts how often it was read."""

    def __init__(self, store: Store) -> None:
        self._journal = store.journal
        self.reads = 0

    def last_seq(self) -> int:
        return self._journal.last_seq()

    def after(self, seq: int, limit: int) -> list[JournalRow]:
        self.reads += 1
        return self._journal.after(seq, limit)


@pytest.fixture
def journal(store: Store) -> CountedJournal:
    return CountedJournal(store)


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the journal because time has passed."""
    monkeypatch.setattr(news_module, "POLL_SECONDS", 3_600.0)


@asynccontextmanager
async def running(
    journal: CountedJournal, *shards: CommittedAfter, held: int = 100
) -> AsyncIterator[News]:
    news = News(journal, shards, held)
    task = asyncio.create_task(news.run())
    async with asyncio.timeout(20):
        yield news
    task.cancel()


async def told(news: News, since: int, until: int) -> list[Message]:
    messages: list[Message] = []
    while not messages or messages[-1].seq < until:
        messages += await news.messages_after(messages[-1].seq if messages else since, 5)
    return messages


async def eventually(said: Callable[[], bool]) -> None:
    while not said():
        await asyncio.sleep(0)


async def test_what_is_in_the_journal_is_told_in_its_order(store: Store, journal: CountedJournal):
    shard = GameShard(store)
    shard.register(registration())
    async with running(journal) as news:
        assert await news.last_seq() == 1
        shard.apply(updates(120))  # nobody tells of it: it is read within a second
        messages = await told(news, 1, 6)
        assert await news.messages_after(6, 0.01) == []
    assert [message.seq for message in messages] == [2, 3, 4, 5, 6]
    parsed = [LiveMessage.model_validate_json(message.text) for message in messages]
    assert {(message.type, message.game_id) for message in parsed} == {("score", "g1")}


@pytest.mark.usefixtures("never_by_itself")
async def test_what_a_shard_commits_is_told_without_a_look_at_the_journal(
    store: Store, journal: CountedJournal
):
    committed = Committed()
    shard = GameShard(store, notify=committed.tell)
    async with running(journal, committed.after) as news:
        await news.last_seq()
        await eventually(lambda: journal.reads == 1)  # as it begins
        shard.register(registration())
        shard.apply(updates(60))
        assert [m.seq for m in await told(news, 0, 4)] == [1, 2, 3, 4]
        shard.apply([update(90, 3), update(120, 4)])
        assert [m.seq for m in await told(news, 4, 6)] == [5, 6]
    assert journal.reads == 1


@pytest.mark.usefixtures("never_by_itself")
async def test_two_shards_are_told_in_the_order_of_the_journal(
    store: Store, journal: CountedJournal
):
    slow, quick = Committed(), Committed()
    untold: list[Sequence[JournalRow]] = []
    first, second = GameShard(store, notify=untold.append), GameShard(store, notify=quick.tell)
    async with running(journal, slow.after, quick.after) as news:
        await news.last_seq()
        await eventually(lambda: journal.reads == 1)
        first.register(registration())  # 1, which is not told yet
        second.register(registration("g2"))  # 2
        assert [m.seq for m in await told(news, 0, 2)] == [1, 2]
        assert journal.reads > 1
        slow.tell(untold.pop())  # known by now
        second.apply([update(30, 1, game_id="g2")])
        assert [m.seq for m in await told(news, 0, 3)] == [1, 2, 3]


@pytest.mark.usefixtures("never_by_itself")
async def test_what_another_shard_wrote_between_two_rows_of_one_is_told_between_them(
    store: Store, journal: CountedJournal
):
    untold: list[JournalRow] = []
    late, other = Committed(), Committed()
    first, second = GameShard(store, notify=untold.extend), GameShard(store, notify=other.tell)
    async with running(journal, late.after, other.after) as news:
        await news.last_seq()
        await eventually(lambda: journal.reads == 1)
        first.register(registration())
        assert [row.seq for row in untold] == [1]
        late.tell(untold)
        assert [m.seq for m in await told(news, 0, 1)] == [1]
        untold.clear()
        first.apply([update(30, 1)])  # 2
        second.register(registration("g2"))  # 3
        first.apply([update(60, 2)])  # 4
        late.tell(untold)  # 2 and 4 in one answer
        assert [m.seq for m in await told(news, 1, 4)] == [2, 3, 4]


@pytest.mark.usefixtures("never_by_itself")
async def test_what_a_dead_shard_could_not_tell_is_read(
    store: Store, journal: CountedJournal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(news_module, "RETRY_SECONDS", 0.0)
    dies, comes_back = asyncio.Event(), Committed()
    deaths = iter([ConnectionError("killed")])

    async def committed_after(seq: int, timeout_seconds: float) -> Sequence[JournalRow]:
        for death in deaths:
            await dies.wait()
            raise death
        return await comes_back.after(seq, timeout_seconds)

    async with running(journal, committed_after) as news:
        await news.last_seq()
        await eventually(lambda: journal.reads == 1)
        GameShard(store).register(registration())
        dies.set()
        assert [m.seq for m in await told(news, 0, 1)] == [1]
        GameShard(store, notify=comes_back.tell).apply([update(30, 1)])
        assert [m.seq for m in await told(news, 1, 2)] == [2]


async def test_who_is_far_behind_misses_nothing(store: Store, journal: CountedJournal):
    committed = Committed(held_rows=3)
    shard = GameShard(store, notify=committed.tell)
    async with running(journal, committed.after, held=3) as news:
        await news.last_seq()
        shard.register(registration())
        shard.apply(updates(600))
        assert [m.seq for m in await told(news, 0, 22)] == list(range(1, 23))
        assert [m.seq for m in await news.messages_after(4, 5)] == list(range(5, 23))
        assert [m.seq for m in await news.messages_after(20, 5)] == [21, 22]


async def test_a_shard_answers_at_once_who_is_behind_and_lets_wait_who_is_not():
    committed = Committed()
    row = JournalRow(7, "g1", "score", 1.0, "{}")
    waiting = asyncio.create_task(committed.after(6, 20))
    await asyncio.sleep(0)
    committed.tell([row])
    assert await waiting == [row]
    assert await committed.after(6, 20) == [row]
    assert await committed.after(7, 0.01) == []
