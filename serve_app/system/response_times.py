"""Response times in buckets that grow by a fixed ratio: sums of two processes are their merger."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from serve_app.schemas import ResponseTimes

# From 0.05 ms to 90 s, each 19 % wider than the one before; the last is for all above.
RATIO = 2**0.25
UPPER_MS = tuple(0.05 * RATIO**step for step in range(84))
BUCKETS = len(UPPER_MS) + 1


def bucket_of(milliseconds: float) -> int:
    """The bucket that a response time falls into."""
    return bisect_left(UPPER_MS, milliseconds)


def merged(counts: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """The counts of several processes as one."""
    return tuple(map(sum, zip(*counts, strict=True)))


def response_times(counts: Sequence[int]) -> ResponseTimes | None:
    """The percentiles of what was counted by bucket; None where that is nothing."""
    requests = sum(counts)
    if not requests:
        return None
    p50, p95, p99 = (_quantile(counts, level * requests) for level in (0.5, 0.95, 0.99))
    return ResponseTimes(requests=requests, p50=p50, p95=p95, p99=p99)


def _quantile(counts: Sequence[int], rank: float) -> float:
    """The response time in milliseconds below which `rank` of the requests lie."""
    below = 0
    for bucket, count in enumerate(counts):
        if count and below + count >= rank:
            upper = UPPER_MS[min(bucket, len(UPPER_MS) - 1)]
            lower = UPPER_MS[bucket - 1] if bucket else 0.0
            return round(lower + (upper - lower) * (rank - below) / count, 3)
        below += count
    return UPPER_MS[-1]
