"""What a scraper posts that polls the play-by-play of a game every five seconds.

Each poll posts every score change since the last poll, each with its own clock; where nothing
changed, one heartbeat with the clock and the score of the moment.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from models.game.league import NBA, LeagueRules
from serve_app.replay.course import Course
from serve_app.replay.pace import MS, NBA_PACE, IntArray, Pace
from serve_app.replay.recording import Recording

POLL_MS = 5 * MS
POLLS_INTO_Q3 = 12  # enough to resolve the halftime also where some of them are lost or late

Until = Literal["halftime", "final"]


class Update(NamedTuple):
    """One score update on its way. Simulated wall times in epoch ms, the clock in ms.

    `sent_ms` is when the scraper posts it and `timestamp_ms` what it claims as the time it saw
    the score: noise moves the first and keeps the second. `sequence` counts from 0 per game.
    """

    sent_ms: int
    timestamp_ms: int
    game_id: str
    quarter: int
    remaining_ms: int
    score_home: int
    score_away: int
    sequence: int

    @property
    def margin(self) -> int:
        """Home score − away score, in points."""
        return self.score_home - self.score_away


def clock_text(remaining_ms: int) -> str:
    """A clock as a scoreboard writes it: `6:00`, or `0:32.1` where it has a fraction."""
    minutes, rest = divmod(remaining_ms, 60 * MS)
    seconds, fraction = divmod(rest, MS)
    text = f"{minutes}:{seconds:02d}"
    return f"{text}.{fraction:03d}".rstrip("0") if fraction else text


def poll_stream(
    recording: Recording,
    tip_off_ms: int,
    *,
    game_id: str | None = None,
    until: Until = "final",
    pace: Pace = NBA_PACE,
    rules: LeagueRules = NBA,
) -> list[Update]:
    """All updates of one game, in the order in which a scraper posts them.

    Polls fall on multiples of five seconds of wall time, from the tip-off (epoch ms) to one after
    the end of the game, a heartbeat at 0:00; `until="halftime"` stops a minute of polls into Q3.
    `game_id` replaces the recording's own.
    """
    course = Course(recording, tip_off_ms, pace, rules)
    end = course.end + 2 * POLL_MS
    if until == "halftime":
        end = course.start_of(rules.halftime_quarter + 1) + POLLS_INTO_Q3 * POLL_MS
    first = -(-tip_off_ms // POLL_MS) * POLL_MS
    return list(_updates(course, np.arange(first, end, POLL_MS), game_id or recording.game_id))


def _updates(course: Course, polls: IntArray, game_id: str) -> Iterator[Update]:
    home = [0, *course.home.tolist()]
    away = [0, *course.away.tolist()]
    change_quarter, change_clock = course.quarter.tolist(), course.remaining.tolist()
    quarters, clocks = course.shown_at(polls)
    columns = (polls, course.seen_at(polls), quarters, clocks)
    sequence = known = 0
    for now, seen, quarter, clock in zip(*(column.tolist() for column in columns), strict=True):
        if seen == known:
            yield Update(now, now, game_id, quarter, clock, home[seen], away[seen], sequence)
            sequence += 1
        for change in range(known, seen):
            yield Update(
                now,
                now + change - known,
                game_id,
                change_quarter[change],
                change_clock[change],
                home[change + 1],
                away[change + 1],
                sequence,
            )
            sequence += 1
        known = seen
