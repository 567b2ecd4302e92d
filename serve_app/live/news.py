"""News: what is new in the journal, in its order, as soon as a shard has committed it.

Each shard tells what it has committed itself, so between its rows may be those of others. What
follows on from the newest row known here, number by number, is taken as it comes; all else is read
from the journal: no message without its commit, none out of order or left out, and what a shard
could not tell any more is made good by the next news or within a second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import count, takewhile
from typing import Protocol

from serve_app.live.message import Message, change
from serve_app.storage.journal import JournalRow

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 10.0
POLL_SECONDS = 1.0
RETRY_SECONDS = 0.2
READ_ROWS = 2_000
HELD_MESSAGES = 2_000

# What a shard has committed after a row of the journal; it waits for that, at most so many seconds.
CommittedAfter = Callable[[int, float], Awaitable[Sequence[JournalRow]]]


class ReadsJournal(Protocol):
    """The journal; its methods block."""

    def last_seq(self) -> int: ...  # noqa: D102
    def after(self, seq: int, limit: int) -> list[JournalRow]: ...  # noqa: D102


async def follow(
    committed_after: CommittedAfter,
    since: Callable[[], int],
    take: Callable[[Sequence[JournalRow]], object],
    away: Callable[[], object] = lambda: None,
) -> None:
    """Have `take` told what one shard commits, until cancelled.

    `since` gives the newest row that is known; `away` is told each time that the shard does not
    answer.
    """
    told, is_away = 0, False
    while True:
        try:
            rows = await committed_after(max(since(), told), LONG_POLL_SECONDS)
            is_away = False
            if rows:
                told = rows[-1].seq
                take(rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, the shard is asked again
            if not is_away:
                logger.warning("a shard tells nothing until it is back: %r", error)
            is_away = True
            away()
            await asyncio.sleep(RETRY_SECONDS)


class News:
    """Holds the newest messages, for who asks for those after the last that it has."""

    def __init__(
        self,
        journal: ReadsJournal,
        shards: Sequence[CommittedAfter],
        held_messages: int = HELD_MESSAGES,
    ) -> None:
        self._journal = journal
        self._shards = shards
        self._messages: deque[Message] = deque(maxlen=held_messages)
        self._last_seq = 0
        self._started = asyncio.Event()
        self._look = asyncio.Event()
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_forever())
            for committed_after in self._shards:
                tasks.create_task(self._follow(committed_after))

    async def last_seq(self) -> int:
        """Sequence number of the newest message, as soon as the journal can be read."""
        await self._started.wait()
        return self._last_seq

    async def messages_after(self, seq: int, timeout_seconds: float) -> list[Message]:
        """The messages after `seq` in order; waits for one, at most `timeout_seconds`.

        At most `READ_ROWS` at a time; who is further behind than the messages held here is
        answered from the journal.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._last_seq <= seq:
                    await self._arrived.wait()
        except TimeoutError:
            return []
        if not self._messages or seq + 1 < self._messages[0].seq:
            rows = await asyncio.to_thread(self._journal.after, seq, READ_ROWS)
            return [change(row) for row in rows]
        newest_first = takewhile(lambda message: message.seq > seq, reversed(self._messages))
        return list(newest_first)[::-1][:READ_ROWS]

    async def _follow(self, committed_after: CommittedAfter) -> None:
        await self._started.wait()
        # A shard that is away may have committed what it could not tell any more.
        await follow(committed_after, lambda: self._last_seq, self._hear, self._look.set)

    def _hear(self, rows: Sequence[JournalRow]) -> None:
        """Take what a shard tells as far as nothing lies between; look at the journal for more."""
        new = [row for row in rows if row.seq > self._last_seq]
        numbered = zip(count(self._last_seq + 1), new, strict=False)
        following = [row for _, row in takewhile(lambda pair: pair[0] == pair[1].seq, numbered)]
        self._take(following)
        if len(following) < len(new):
            self._look.set()

    def _take(self, rows: Sequence[JournalRow]) -> None:
        """Hold all rows of the journal between the newest held and the last of these."""
        if rows:
            self._messages.extend(map(change, rows))
            self._last_seq = rows[-1].seq
            self._wake()

    def _wake(self) -> None:
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def _read_forever(self) -> None:
        while True:
            try:
                await self._read_new()
            except Exception:
                logger.exception("the journal could not be read; trying again")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()

    async def _read_new(self) -> None:
        if not self._started.is_set():
            self._last_seq = await asyncio.to_thread(self._journal.last_seq)
            self._started.set()
            self._wake()  # who asks may be behind this already
        while rows := await asyncio.to_thread(self._journal.after, self._last_seq, READ_ROWS):
            # A shard may have told some of them meanwhile.
            self._take([row for row in rows if row.seq > self._last_seq])
