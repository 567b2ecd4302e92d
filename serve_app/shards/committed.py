"""What a shard has committed of late, for those who follow it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from serve_app.storage.journal import JournalRow

HELD_ROWS = 2_000


class Committed:
    """Holds the newest rows of this shard; who has them all waits for the next.

    Their numbers have gaps, where other shards have written and where who asks is further behind
    than the rows held here.
    """

    def __init__(self, held_rows: int = HELD_ROWS) -> None:
        self._rows: deque[JournalRow] = deque(maxlen=held_rows)
        self._more = asyncio.Event()

    def tell(self, rows: Sequence[JournalRow]) -> None:
        """These rows are on disk; their numbers are above those told before."""
        self._rows.extend(rows)
        self._more.set()
        self._more = asyncio.Event()

    async def after(self, seq: int, timeout_seconds: float) -> list[JournalRow]:
        """The rows after `seq` in order; waits for one, at most `timeout_seconds`."""
        if not self._rows or self._rows[-1].seq <= seq:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._more.wait()
        return [row for row in self._rows if row.seq > seq]
