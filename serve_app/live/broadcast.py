"""The broadcast: the hub's messages to every watcher of this process, with bounded memory."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from serve_app.api.problems import Overloaded, ServiceProblem, Unavailable
from serve_app.live.live_hub import Message
from serve_app.schemas import GameView

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 10.0
RETRY_SECONDS = 0.5
SNAPSHOT_SECONDS = 10.0
# After a deploy all watchers come back at once: those of one second share one snapshot.
SHARED_SECONDS = 1.0
SHARED_MESSAGES = 1_000


class Watcher:
    """One client's waiting messages; `overrun` once it was too slow to take them."""

    def __init__(self, limit: int) -> None:
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue(limit + 1)
        self.overrun = False
        self._limit = limit
        self._when_overrun: Callable[[], object] = self.finish

    def put(self, message: Message) -> None:
        """Queue a message; a client that is too far behind is given up instead of waited for."""
        if self.overrun:
            return
        if self.messages.qsize() >= self._limit:
            self.overrun = True
            self.finish()
            self._when_overrun()
        else:
            self.messages.put_nowait(message)

    def finish(self) -> None:
        """Wake the sender for the last time."""
        with contextlib.suppress(asyncio.QueueFull):
            self.messages.put_nowait(None)

    def when_overrun(self, act: Callable[[], object]) -> None:
        """Have this done where the client is given up: its sender may hang in a send."""
        self._when_overrun = act


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A snapshot that is being made, or was: of when `carried` messages had been carried."""

    text: "asyncio.Task[str]"
    carried: int
    begun: float


class Broadcast:
    """Carries the hub's messages to the watchers of this process.

    `messages_after(seq, timeout)` and `snapshot()` are how it reaches the hub and the games.
    """

    def __init__(
        self,
        last_seq: Callable[[], Awaitable[int]],
        messages_after: Callable[[int, float], Awaitable[Sequence[Message]]],
        snapshot: Callable[[], Awaitable[Sequence[GameView]]],
        queue_messages: int,
        max_watchers: int,
    ) -> None:
        self._ask_last_seq = last_seq
        self._messages_after = messages_after
        self._games = snapshot
        self._queue_messages = queue_messages
        self._max_watchers = max_watchers
        self._watchers: set[Watcher] = set()
        self._places = 0
        self._seq = 0
        self._carried = 0
        self._newest: deque[Message] = deque(maxlen=min(SHARED_MESSAGES, queue_messages // 2))
        self._snapshot: _Snapshot | None = None
        self._started = asyncio.Event()

    @property
    def watching(self) -> int:
        """Number of connected watchers."""
        return self._places

    async def run(self) -> None:
        """Carry messages until cancelled; outlives a restart of the hub."""
        while True:
            try:
                if not self._started.is_set():
                    self._seq = await self._ask_last_seq()
                    self._started.set()
                messages = await self._messages_after(self._seq, LONG_POLL_SECONDS)
            except Exception:
                logger.exception("the live hub does not answer; asking again")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for message in messages:
                for watcher in self._watchers:
                    watcher.put(message)
                self._seq = message[0]
                self._carried += 1
                self._newest.append(message)

    def finish(self) -> None:
        """Let every watcher go."""
        for watcher in self._watchers:
            watcher.finish()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[tuple[str, Watcher]]:
        """A snapshot message, and a watcher that gets all that came after it.

        Raises Overloaded where there are as many watchers as there may be, and Unavailable where
        the games do not answer.
        """
        if self._places >= self._max_watchers:
            raise Overloaded(
                f"expected at most {self._max_watchers} watchers; this is one more",
                max_watchers=self._max_watchers,
            )
        self._places += 1
        watcher = Watcher(self._queue_messages)
        try:
            async with _answer_within(SNAPSHOT_SECONDS):
                await self._started.wait()
                # Taken before the games are asked: what happens meanwhile is in the snapshot, in
                # the queue, or in both, and applying a state twice does no harm.
                snapshot = self._snapshot_to_share()
                for message in islice(self._newest, self._first_after(snapshot), None):
                    watcher.put(message)
                self._watchers.add(watcher)
                text = await asyncio.shield(snapshot.text)
            yield text, watcher
        finally:
            self._watchers.discard(watcher)
            self._places -= 1

    def _snapshot_to_share(self) -> _Snapshot:
        """The snapshot of a moment ago, or a new one where it is too old to be completed."""
        now = asyncio.get_running_loop().time()
        shared = self._snapshot
        if (
            shared is None
            or now - shared.begun > SHARED_SECONDS
            or self._first_after(shared) < 0
            or (shared.text.done() and shared.text.exception() is not None)
        ):
            # In a context of its own: in the caller's, Serve would take it back with that caller.
            task = asyncio.create_task(self._snapshot_text(self._seq), context=Context())
            task.add_done_callback(_seen)
            shared = self._snapshot = _Snapshot(task, self._carried, now)
        return shared

    def _first_after(self, snapshot: _Snapshot) -> int:
        """The place among the newest messages of the first after a snapshot; < 0: it is gone."""
        return len(self._newest) - (self._carried - snapshot.carried)

    async def _snapshot_text(self, seq: int) -> str:
        try:
            return snapshot_text(seq, await self._games())
        except ServiceProblem:
            raise
        except Exception as error:
            logger.exception("no snapshot")
            raise Unavailable("the games do not answer") from error


def snapshot_text(seq: int, games: Sequence[GameView]) -> str:
    """The snapshot message: `{seq, type, time, games}`."""
    head = {"seq": seq, "type": "snapshot", "time": datetime.now(UTC).isoformat()}
    views = ", ".join(game.model_dump_json() for game in games)
    return f'{json.dumps(head)[:-1]}, "games": [{views}]}}'


def _seen(task: "asyncio.Task[str]") -> None:
    """Take note of a failure: those who asked may all have gone."""
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def _answer_within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("the games do not answer in time") from None
