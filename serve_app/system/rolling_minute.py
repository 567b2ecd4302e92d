"""The last minute of something that is counted, in one slot a second."""

import time
from collections.abc import Callable

MINUTE = 60


class RollingMinute:
    """Counts of the last 60 seconds, in `width` columns; adding costs less than a microsecond."""

    def __init__(self, width: int = 1, now: Callable[[], float] = time.monotonic) -> None:
        self._width = width
        self._now = now
        self._begun = now()
        self._seconds = [-1] * MINUTE
        self._slots = [[0] * width for _ in range(MINUTE)]

    def add(self, count: int = 1, column: int = 0) -> None:
        """Count so many now."""
        second = int(self._now())
        place = second % MINUTE
        if self._seconds[place] != second:
            self._seconds[place] = second
            self._slots[place] = [0] * self._width
        self._slots[place][column] += count

    def columns(self) -> tuple[int, ...]:
        """The sums of the last minute, by column."""
        oldest = int(self._now()) - MINUTE
        sums = [0] * self._width
        for second, slot in zip(self._seconds, self._slots, strict=True):
            if second > oldest:
                sums = [a + b for a, b in zip(sums, slot, strict=True)]
        return tuple(sums)

    def per_second(self) -> float:
        """The rate over the last minute, or over the time since the beginning where it is less."""
        return sum(self.columns()) / min(float(MINUTE), max(1.0, self._now() - self._begun))
