"""What a replica of the live feed knows of how it does: its watchers, and how fast news is."""

import time
from collections.abc import Callable
from typing import Protocol

from serve_app.live.message import Message
from serve_app.system.metrics import BROADCAST, CHANGES, DROPPED_WATCHERS, WATCHERS
from serve_app.system.reports import FeedReport
from serve_app.system.tally import Tally

KNOWN = frozenset(CHANGES)


class HasWatchers(Protocol):
    """The broadcast, as far as it is watched here."""

    @property
    def watching(self) -> int: ...  # noqa: D102
    @property
    def dropped(self) -> int: ...  # noqa: D102


class FeedWatch:
    """Counts for one replica; `now` is the clock by which shards date their changes."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.tally = Tally()
        self.broadcast: HasWatchers | None = None
        self._now = now
        self._told_dropped = 0

    def carried(self, message: Message) -> None:
        """A change was handed to all watchers of this replica."""
        if message.type in KNOWN:
            self.tally.observe(BROADCAST, max(0.0, self._now() - message.time), message.type)

    async def report(self) -> FeedReport:
        """How many watch; raises RuntimeError before there is a broadcast."""
        if self.broadcast is None:
            raise RuntimeError("a feed replica: expected to have a broadcast by now")
        watching, dropped = self.broadcast.watching, self.broadcast.dropped
        self.tally.set(WATCHERS, watching)
        if dropped > self._told_dropped:
            self.tally.count(DROPPED_WATCHERS, by=dropped - self._told_dropped)
            self._told_dropped = dropped
        return FeedReport(watching, dropped)
