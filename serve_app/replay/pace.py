"""Game time against wall time: the data knows clocks but no wall times, so the pace is modelled.

The clock runs in real time and stops at fixed places. With the values below a game without
overtime takes about 2 h 15 min, which is what an NBA game takes.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Where the game clock stops and for how long, and the breaks. All in seconds.

    Attributes:
        first_whistle: game seconds into a period of its first ordinary stoppage (foul, ball out of
            bounds); off the whole minutes, where a standing clock would make patterns too easy.
        whistle_every: game seconds between two ordinary stoppages.
        whistle_seconds: how long each of them lasts.
        timeouts_at: seconds remaining in a quarter at which the mandatory timeouts fall.
        timeout_seconds: how long a timeout lasts.
        free_throw_seconds: between two score changes at one and the same clock.
        quarter_break: after Q1, Q3 and before each overtime.
        halftime_break: after Q2.
    """

    first_whistle: int = 17
    whistle_every: int = 30
    whistle_seconds: int = 30
    timeouts_at: tuple[int, ...] = (420, 180)
    timeout_seconds: int = 150
    free_throw_seconds: int = 15
    quarter_break: int = 150
    halftime_break: int = 900


NBA_PACE = Pace()


@dataclass(frozen=True, slots=True)
class PeriodTimeline:
    """One period's game time against wall time, both in milliseconds since the period began.

    `wall_points` and `played_points` are the corners of a line that rises with slope 1 while the
    clock runs and is flat while it stands. `event_wall` is when each score change happened.
    """

    wall_points: IntArray
    played_points: IntArray
    event_wall: IntArray

    @property
    def duration(self) -> int:
        """Wall milliseconds from the first tick of the period to its end."""
        return int(self.wall_points[-1])

    def played_at(self, wall: IntArray) -> IntArray:
        """Game milliseconds played in the period at each wall time; clamped to the period."""
        return np.interp(wall, self.wall_points, self.played_points).astype(np.int64)


def period_timeline(
    pace: Pace, length: int, event_played: IntArray, *, overtime: bool = False
) -> PeriodTimeline:
    """The timeline of a period of `length` ms with score changes at `event_played` ms (sorted).

    Changes at one and the same clock are free throws: the clock stands for them, and they happen
    `free_throw_seconds` apart. An overtime has whistles but no mandatory timeouts.
    """
    clocks, first, group, counts = np.unique(
        event_played, return_index=True, return_inverse=True, return_counts=True
    )
    place_in_group = np.arange(len(event_played)) - first[group]
    at, stood = _stops(pace, length, clocks, counts, overtime=overtime)

    before = np.concatenate(([0], np.cumsum(stood)))  # standing time before the i-th stop
    begins = at + before[:-1]
    wall = np.concatenate(([0], np.stack([begins, begins + stood], axis=1).ravel()))
    wall = np.append(wall, length + before[-1])
    played = np.concatenate(([0], np.repeat(at, 2), [length]))
    wall, corners = np.unique(wall, return_index=True)

    earlier_stops = np.searchsorted(at, event_played, side="left")
    event_wall = event_played + before[earlier_stops]
    event_wall = event_wall + place_in_group * pace.free_throw_seconds * MS
    return PeriodTimeline(wall, played[corners], event_wall)


def _stops(
    pace: Pace, length: int, clocks: IntArray, counts: IntArray, *, overtime: bool
) -> tuple[IntArray, IntArray]:
    """Where in the period the clock stops (ms played, rising) and how long it stands (ms)."""
    standing: dict[int, int] = defaultdict(int)
    for at in range(pace.first_whistle * MS, length, pace.whistle_every * MS):
        standing[at] += pace.whistle_seconds * MS
    for remaining in () if overtime else pace.timeouts_at:
        standing[length - remaining * MS] += pace.timeout_seconds * MS
    for clock, count in zip(clocks.tolist(), counts.tolist(), strict=True):
        if count > 1:
            standing[clock] += (count - 1) * pace.free_throw_seconds * MS
    stops = sorted(standing.items())
    pairs = np.array(stops, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
