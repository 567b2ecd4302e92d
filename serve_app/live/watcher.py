"""One watcher of the live feed: what waits for it, in bounded memory, in the order of the store."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

from serve_app.live.message import Message, heartbeat
from serve_app.live.subscription import Subscription

HEARTBEAT_SECONDS = 15.0


class Watcher:
    """Gets the messages that its subscription wants; `overrun` once it was too slow to take them.

    `carried` tells the seq up to which messages were put.
    """

    def __init__(
        self,
        subscription: Subscription,
        limit: int,
        heartbeat_seconds: float,
        carried: Callable[[], int],
    ) -> None:
        self.subscription = subscription
        self.overrun = False
        self._limit = limit
        self._heartbeat_seconds = heartbeat_seconds
        self._carried = carried
        # With a future where it waits: an asyncio.Queue is 2 KiB, a deque 0.7, where most watchers
        # are idle and what waits is bounded.
        self._waiting: list[Message | None] = []
        self._arrival: asyncio.Future[None] | None = None
        self._opening: Message | None = None
        self._since = -1
        self._earlier: AsyncIterator[Sequence[Message]] | None = None
        self._when_overrun: Callable[[], object] = self.finish
        self._tell: Callable[[Message], bool] | None = None
        self._waits = False  # its sender has nothing to send
        self._told_at = 0.0

    def open(
        self,
        opening: Message,
        *,
        since: int,
        earlier: AsyncIterator[Sequence[Message]] | None = None,
    ) -> None:
        """Say what it gets first, and what between that and the messages put after `since`."""
        self._opening, self._since, self._earlier = opening, since, earlier

    def put(self, message: Message) -> None:
        """Queue a message; a client that is too far behind is given up instead of waited for."""
        if message.seq > self._since and self.subscription.wants(message):
            self._admit(message)

    def tell(self, message: Message) -> None:
        """Queue what is no change but news of the moment, where it does not go back in `seq`."""
        if message.seq >= self._since:
            self._admit(message)

    def _admit(self, message: Message) -> None:
        if self.overrun:
            return
        if self._waits and self._tell and not self._waiting and self._tell(message):
            self._told_at = asyncio.get_running_loop().time()
        elif len(self._waiting) >= self._limit:
            self.overrun = True
            self.finish()
            self._when_overrun()
        else:
            self._queue(message)

    def finish(self) -> None:
        """Wake the sender for the last time."""
        self._queue(None)

    def _queue(self, message: Message | None) -> None:
        self._waiting.append(message)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def give_up(self) -> None:
        """It was too slow: one message took longer than a client is waited for."""
        self.overrun = True

    def when_overrun(self, act: Callable[[], object]) -> None:
        """Have this done where the client is given up: its sender may hang in a send."""
        self._when_overrun = act

    def tell_by(self, tell: Callable[[Message], bool]) -> None:
        """Have messages told at once by this while its sender has nothing to send.

        Where `tell` says that it did not, the message is the sender's.
        """
        self._tell = tell

    async def messages(self) -> AsyncGenerator[Message, None]:
        """What the client is to be told, until it is to go; a heartbeat where that is nothing."""
        if self._opening is None:
            raise RuntimeError("a watcher: expected to be opened before it is read")
        # What was told is let go: a snapshot is large, and a watcher may idle for hours after it.
        opening, self._opening = [self._opening], None
        yield opening.pop()
        if self._earlier is not None:
            earlier, self._earlier = self._earlier, None
            async for message in self._wanted(earlier):
                yield message
        while (coming := await self._next()) is not None:
            yield coming

    async def _next(self) -> Message | None:
        """What waits, or comes; a heartbeat where nothing does, None where it is over."""
        loop = asyncio.get_running_loop()
        self._told_at = loop.time()
        while True:
            self._waits = True
            try:
                async with asyncio.timeout_at(self._told_at + self._heartbeat_seconds):
                    return await self._take()
            except TimeoutError:
                silent = loop.time() >= self._told_at + self._heartbeat_seconds
                if silent and not self._waiting:  # so all that was carried was told
                    return heartbeat(max(self._carried(), self._since))
            finally:
                self._waits = False

    async def _take(self) -> Message | None:
        while not self._waiting:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        return self._waiting.pop(0)

    async def _wanted(self, pages: AsyncIterator[Sequence[Message]]) -> AsyncIterator[Message]:
        async for page in pages:
            for message in filter(self.subscription.wants, page):
                yield message
