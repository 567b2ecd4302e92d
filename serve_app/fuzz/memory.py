"""Whether a process's memory stays flat while it is attacked."""

import os
import statistics
from collections.abc import Iterable
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Allocators keep some of what a burst needed; a leak of 2 kB a request would be over this.
ALLOWED_GROWTH = 10_000_000


def resident_bytes(processes: Iterable[int]) -> int:
    """Memory that these processes hold together, in bytes (Linux)."""
    pages = (Path(f"/proc/{process}/statm").read_text().split()[1] for process in processes)
    return sum(map(int, pages)) * PAGE_BYTES


def growth(samples: list[int]) -> float:
    """From the second quarter of a run to its last one, in bytes, by their medians.

    The first quarter is left out: in it pools, caches and arenas fill.
    """
    quarter = len(samples) // 4
    if not quarter:
        raise ValueError(f"expected at least 4 samples; got {len(samples)}")
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return statistics.median(late) - statistics.median(early)
