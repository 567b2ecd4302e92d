"""The broadcast: the news to every watcher of this process, with bounded memory."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from serve_app.api.problems import Overloaded, Unavailable
from serve_app.live.message import Message, resumed, system_news
from serve_app.live.snapshots import AsksGames, Snapshots
from serve_app.live.subscription import Subscription
from serve_app.live.watcher import HEARTBEAT_SECONDS, Watcher
from serve_app.storage.errors import StoreError

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 10.0
RETRY_SECONDS = 0.5
OPENING_SECONDS = 10.0
RECENT_MESSAGES = 5_000  # what watchers that come back soon are told without a look at the store


class KnowsHistory(Protocol):
    """The changes before those that this process has carried; its methods may block."""

    def reaches(self, since: int) -> bool: ...  # noqa: D102
    def after(self, since: int) -> Sequence[Message]: ...  # noqa: D102


class Broadcast:
    """Carries the news to the watchers of this process.

    `messages_after(seq, timeout)` and `games` are how it reaches the news and the games; `carried`
    is told of each message that was handed to the watchers.
    """

    def __init__(
        self,
        last_seq: Callable[[], Awaitable[int]],
        messages_after: Callable[[int, float], Awaitable[Sequence[Message]]],
        games: AsksGames,
        history: KnowsHistory,
        *,
        queue_messages: int,
        max_watchers: int,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        carried: Callable[[Message], object] = lambda _: None,
    ) -> None:
        self._ask_last_seq = last_seq
        self._messages_after = messages_after
        self._history = history
        self._queue_messages = queue_messages
        self._max_watchers = max_watchers
        self._heartbeat_seconds = heartbeat_seconds
        self._note_carried = carried
        self._watchers: set[Watcher] = set()
        self._places = 0
        self._dropped = 0
        self._seq = 0
        self._carried = 0
        self._recent: deque[Message] = deque(maxlen=RECENT_MESSAGES)
        self._before_recent = 0
        self._snapshots = Snapshots(games, queue_messages // 2)
        self._started = asyncio.Event()

    @property
    def watching(self) -> int:
        """Number of connected watchers."""
        return self._places

    @property
    def dropped(self) -> int:
        """Number of watchers that were dropped because they were too slow."""
        return self._dropped

    async def run(self) -> None:
        """Carry messages until cancelled; outlives a store that fails."""
        while True:
            try:
                if not self._started.is_set():
                    await self._begin_with(await self._ask_last_seq())
                    self._started.set()
                messages = await self._messages_after(self._seq, LONG_POLL_SECONDS)
            except Exception:
                logger.exception("the news cannot be told; asking again")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for message in messages:
                self._carry(message)

    async def _begin_with(self, last_seq: int) -> None:
        """Know what was told of late: after a restart all watchers come back and ask for it."""
        self._recent.clear()
        self._seq = self._before_recent = last_seq
        since = max(last_seq - RECENT_MESSAGES, 0)
        try:
            if last_seq and await asyncio.to_thread(self._history.reaches, since):
                async for page in self._read_history(since, last_seq):
                    self._recent.extend(page)
                self._before_recent = since
        except StoreError:
            logger.exception("the history cannot be read yet")
            self._recent.clear()

    def _carry(self, message: Message) -> None:
        for watcher in self._watchers:
            watcher.put(message)
        if len(self._recent) == RECENT_MESSAGES:
            self._before_recent = self._recent[0].seq
        self._recent.append(message)
        self._seq = message.seq
        self._carried += 1
        self._note_carried(message)

    # --- how the service is doing ----------------------------------------------------------

    @property
    def wants_system(self) -> bool:
        """Whether any watcher asked for news of the system."""
        return any(watcher.subscription.wants_system for watcher in self._watchers)

    def tell_system(self, body: str) -> None:
        """Tell those who asked for it how the service is doing, from its JSON text."""
        message = system_news(self._seq, body)
        for watcher in self._watchers:
            if watcher.subscription.wants_system:
                watcher.tell(message)

    def finish(self) -> None:
        """Let every watcher go."""
        for watcher in self._watchers:
            watcher.finish()

    @asynccontextmanager
    async def watch(self, subscription: Subscription) -> AsyncIterator[Watcher]:
        """A watcher that gets an opening message and then all that it asked for, once.

        Raises Overloaded where there are as many watchers as there may be, and Unavailable where
        the games do not answer.
        """
        if self._places >= self._max_watchers:
            raise Overloaded(
                f"expected at most {self._max_watchers} watchers; this is one more",
                max_watchers=self._max_watchers,
            )
        self._places += 1
        watcher = Watcher(
            subscription, self._queue_messages, self._heartbeat_seconds, lambda: self._seq
        )
        try:
            async with _answer_within(OPENING_SECONDS):
                await self._started.wait()
                since = subscription.since
                if since is None or not await self._resume(watcher, since):
                    await self._begin(watcher, since)
            yield watcher
        finally:
            self._watchers.discard(watcher)
            self._places -= 1
            self._dropped += watcher.overrun

    # --- going on from where a watcher was -------------------------------------------------

    async def _resume(self, watcher: Watcher, since: int) -> bool:
        """Have a watcher told all after `since`; False where that is not known."""
        if self._before_recent <= since <= self._seq:
            earlier = [message for message in self._recent if message.seq > since]
            watcher.open(resumed(since), since=since, earlier=_page(earlier))
            self._watchers.add(watcher)
            return True
        try:
            if not await asyncio.to_thread(self._history.reaches, since):
                return False
        except StoreError as error:
            raise Unavailable("the store does not answer") from error
        # What is carried from here on waits in the queue; the history is read up to here. Another
        # replica may have told the watcher more than this one has carried: `since` is then later.
        watcher.open(resumed(since), since=since, earlier=self._read_history(since, self._seq))
        self._watchers.add(watcher)
        return True

    async def _read_history(self, since: int, last: int) -> AsyncIterator[Sequence[Message]]:
        """The messages after `since` up to `last`, a page in memory at a time."""
        while since < last:
            page = await asyncio.to_thread(self._history.after, since)
            if not page:
                return
            yield [message for message in page if message.seq <= last]
            since = page[-1].seq

    # --- beginning with a snapshot ---------------------------------------------------------

    async def _begin(self, watcher: Watcher, unknown_since: int | None) -> None:
        """Have a watcher told how the games stand, and all that comes after."""
        # Taken before the games are asked: what happens meanwhile is in the snapshot, among the
        # messages after it, or in both, and applying a state twice does no harm.
        taken = self._snapshots.take(self._seq, self._carried)
        for message in self._recent:
            if message.seq > taken.seq:
                watcher.put(message)
        self._watchers.add(watcher)
        told = await self._snapshots.message(taken, watcher.subscription.games, unknown_since)
        watcher.open(told, since=taken.seq)


async def _page(messages: Sequence[Message]) -> AsyncIterator[Sequence[Message]]:
    yield messages


@asynccontextmanager
async def _answer_within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("the games do not answer in time") from None
