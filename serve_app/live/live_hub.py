"""The live hub: the actor that carries new journal rows to every replica of the live feed.

Shards tell the hub what they have committed. What follows on from the newest row here is taken as
it comes; for all else the hub reads the journal: no message without its commit, none out of order,
and news that was lost is made good by the next or within a second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any

import ray

from serve_app.live.message import Message, change
from serve_app.schemas import System
from serve_app.settings import Settings
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.system.hub_watch import HubWatch
from serve_app.system.logs import redact_secrets
from serve_app.system.ray_metrics import RayMetrics
from serve_app.system.reporting import Reporting, start
from serve_app.system.reports import Report

logger = logging.getLogger(__name__)

NAMESPACE = "halftime"
HUB_NAME = "live-hub"
POLL_SECONDS = 1.0
READ_ROWS = 2_000
HELD_MESSAGES = 20_000


class LiveHub:
    """Holds the newest messages; feed replicas ask for what is after the last they have."""

    def __init__(self, settings: Settings, held_messages: int = HELD_MESSAGES) -> None:
        redact_secrets()
        self._store = Store.at(settings.data_dir, settings.store_url)
        self._last_seq = 0
        self._started = asyncio.Event()
        self._messages: deque[Message] = deque(maxlen=held_messages)
        self._woken = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._watch = HubWatch(self._store, settings.shards)
        self._reporting = start(Reporting(self._watch, RayMetrics("hub").record))
        self._reader = asyncio.create_task(self._read_forever())

    def close(self) -> None:
        """Stop reading the journal."""
        self._reader.cancel()
        self._reporting.cancel()

    async def notify(self, rows: Sequence[JournalRow] = ()) -> None:
        """The journal has new rows: these."""
        if rows and self._started.is_set() and rows[0].seq <= self._last_seq + 1:
            await self._take(rows)
        else:
            self._woken.set()

    async def last_seq(self) -> int:
        """Sequence number of the newest message, as soon as the journal can be read."""
        await self._started.wait()
        return self._last_seq

    async def newest_after(self, seq: int, timeout_seconds: float) -> int:
        """Number of the newest message; waits for one after `seq`, at most `timeout_seconds`."""
        async with self._arrived:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._arrived.wait_for(lambda: self._last_seq > seq)
        return self._last_seq

    async def messages_after(self, seq: int, timeout_seconds: float) -> list[Message]:
        """The messages after `seq` in order; waits for one, at most `timeout_seconds`.

        At most `READ_ROWS` at a time; a caller that is further behind than the messages held here
        is answered from the journal.
        """
        async with self._arrived:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._arrived.wait_for(lambda: self._last_seq > seq)
            except TimeoutError:
                return []
        if not self._messages or seq + 1 < self._messages[0].seq:
            rows = await asyncio.to_thread(self._store.journal.after, seq, READ_ROWS)
            return [change(row) for row in rows]
        newest_first = takewhile(lambda message: message.seq > seq, reversed(self._messages))
        return list(newest_first)[::-1][:READ_ROWS]

    async def take_report(self, sender: str, report: Report) -> None:
        """Take what a process tells of how it does; its next report replaces it."""
        self._watch.take(sender, report)

    async def system(self) -> System:
        """How the whole service is doing; raises Unavailable while that is not known."""
        return await self._watch.system()

    async def _read_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                await self._read_new()
            except Exception:
                logger.exception("the journal could not be read; trying again")

    async def _read_new(self) -> None:
        if not self._started.is_set():
            newest = await asyncio.to_thread(self._store.journal.last_seq)
            async with self._arrived:
                self._last_seq = newest
                self._started.set()
                self._arrived.notify_all()  # a replica may be behind this already
        while rows := await asyncio.to_thread(self._store.journal.after, self._last_seq, READ_ROWS):
            await self._take(rows)

    async def _take(self, rows: Sequence[JournalRow]) -> None:
        """Hand on those of these rows that are new; they begin where the newest ends, or before."""
        async with self._arrived:
            new = [row for row in rows if row.seq > self._last_seq]
            if new:
                self._watch.read(new)
                self._messages.extend(map(change, new))
                self._last_seq = new[-1].seq
                self._arrived.notify_all()


def connect_hub(settings: Settings) -> Any:  # noqa: ANN401 - Ray types no actor handle
    """The one hub of this cluster, started where it does not run yet."""
    return (
        ray.remote(LiveHub)
        .options(
            name=HUB_NAME,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=-1,
            max_concurrency=1_000,
        )
        .remote(settings)
    )
