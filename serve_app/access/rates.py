"""How often a key may ask: a token bucket for each, in the memory of each replica.

Written here rather than taken from a library: it is on the way of every request, and this costs
about a microsecond where a shared-storage rate limiter costs tens of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """The tokens that were left, and when they were counted."""

    tokens: float
    at: float


class RequestRates:
    """Counts the requests of each key, and those without one together.

    A bucket holds what one second allows and fills steadily, so a burst of that size is served
    and the rate holds from then on. Only keys that were found good are counted apart: there are
    no more buckets than keys.

    Args:
        per_key: requests a second for one key, to one replica.
        keyless: requests a second without a good key, all together, to one replica.
        clock: seconds that never go back.
    """

    def __init__(
        self, *, per_key: int, keyless: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_key = per_key
        self._keyless = keyless
        self._clock = clock
        self._buckets: dict[str | None, Bucket] = {}

    def limit(self, key_id: str | None) -> int:
        """Requests a second of a key, or of all without one."""
        return self._keyless if key_id is None else self._per_key

    def take(self, key_id: str | None) -> bool:
        """Count a request of a key, or of none; False where it comes too soon."""
        limit, now = self.limit(key_id), self._clock()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = Bucket(limit, now)
        bucket.tokens = min(limit, bucket.tokens + (now - bucket.at) * limit)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
