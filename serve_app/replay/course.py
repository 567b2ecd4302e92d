"""A recorded game laid out in wall time: when each score changed, what the clock showed when."""

import numpy as np

from models.game.league import NBA, LeagueRules
from serve_app.replay.pace import MS, NBA_PACE, IntArray, Pace, PeriodTimeline, period_timeline
from serve_app.replay.recording import Recording

TENTHS_BELOW = 60 * MS  # a scoreboard shows tenths in the last minute of a period


class Course:
    """The course of one game from its tip-off (epoch ms) at a pace.

    `wall`, `quarter`, `remaining`, `home` and `away` run over the score changes: epoch ms, period,
    clock in ms, and the score after the change. `end` is the epoch ms of the last buzzer.
    """

    def __init__(
        self,
        recording: Recording,
        tip_off_ms: int,
        pace: Pace = NBA_PACE,
        rules: LeagueRules = NBA,
    ) -> None:
        changes = recording.changes()
        self.quarter = recording.period[changes]
        self.home = recording.score_home[changes]
        self.away = recording.score_away[changes]
        self._played = recording.played[changes]
        self._starts: list[int] = []
        self._lengths: list[int] = []
        self._timelines: list[PeriodTimeline] = []
        walls: list[IntArray] = []
        start = tip_off_ms
        for quarter in range(1, max(recording.periods, int(recording.period.max())) + 1):
            length = rules.length_seconds(quarter) * MS
            here = self._played[self.quarter == quarter]
            line = period_timeline(pace, length, here, overtime=quarter > rules.quarters)
            self._starts.append(start)
            self._lengths.append(length)
            self._timelines.append(line)
            walls.append(start + line.event_wall)
            self.end = start + line.duration
            at_half = quarter == rules.halftime_quarter
            start = self.end + (pace.halftime_break if at_half else pace.quarter_break) * MS
        self.wall = np.concatenate(walls)
        self.remaining = np.array(self._lengths)[self.quarter - 1] - self._played

    def start_of(self, quarter: int) -> int:
        """Epoch ms at which `quarter` begins."""
        return self._starts[quarter - 1]

    def seen_at(self, moments: IntArray) -> IntArray:
        """How many score changes have happened at each moment (epoch ms)."""
        return np.searchsorted(self.wall, moments, side="right")

    def shown_at(self, moments: IntArray) -> tuple[IntArray, IntArray]:
        """The quarter and the clock (ms remaining) that the scoreboard shows at each moment.

        Whole seconds, or tenths in a period's last minute; never ahead of the game, and never
        behind the last change that has happened. In a break it is 0:00 of the quarter before.
        """
        quarters = np.searchsorted(np.array(self._starts), moments, side="right")
        clocks = np.zeros_like(moments)
        seen = self.seen_at(moments)
        for quarter, line in enumerate(self._timelines, start=1):
            here = quarters == quarter
            length = self._lengths[quarter - 1]
            left = length - line.played_at(moments[here] - self._starts[quarter - 1])
            tick = np.where(left > TENTHS_BELOW, MS, MS // 10)
            shown = -(-left // tick) * tick
            changes = np.flatnonzero(self.quarter == quarter)
            if len(changes):
                carries = seen[here] > changes[0]
                last_change = self.remaining[np.maximum(seen[here] - 1, 0)]
                shown = np.minimum(shown, np.where(carries, last_change, length))
            clocks[here] = shown
        return quarters, clocks
