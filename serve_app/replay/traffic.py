"""What a replay posted, what became of it, and how long it took."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from serve_app.replay.delivery import DeliveryLog
from serve_app.replay.tally import Tally

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What was posted, what became of it, and how long it took."""

    updates: int
    accepted: int
    duplicates: int
    rejected: int
    resent: int
    flags: dict[str, int]
    requests: int
    repeats: dict[str, int]
    seconds: float
    updates_per_second: float
    latency_ms: dict[str, float]
    problems: list[dict[str, Any]]


def measure_traffic(tally: Tally, log: DeliveryLog, seconds: float) -> Traffic:
    """Counts, rate and latency percentiles of the posts."""
    milliseconds = np.asarray(log.latencies) * 1000
    return Traffic(
        updates=tally.posted,
        accepted=tally.accepted,
        duplicates=tally.duplicates,
        rejected=tally.rejected,
        resent=tally.resent,
        flags=dict(tally.flags),
        requests=len(milliseconds),
        repeats=dict(log.repeats),
        seconds=round(seconds, 3),
        updates_per_second=round(tally.posted / seconds, 1) if seconds else 0.0,
        latency_ms={
            name: round(float(np.percentile(milliseconds, percent)), 3)
            for name, percent in PERCENTILES.items()
        }
        if len(milliseconds)
        else {},
        problems=tally.problems,
    )
