"""What the answers must agree with, computed apart from the service.

The pattern and the halftime margin of a game come straight from its score events. A sighting
says what the updates that were really sent can tell, for the games where a dropped update makes a
difference.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.game.game_state import GameState
from models.game.league import NBA, SECONDS_PER_MINUTE, LeagueRules
from models.game.score_events import ScoreEvents
from serve_app.replay.night import ScheduledGame
from serve_app.replay.pace import MS
from serve_app.replay.poll_stream import Update
from serve_app.replay.recording import Recording

MINUTE_MS = SECONDS_PER_MINUTE * MS


def pattern_of_recording(recording: Recording, rules: LeagueRules = NBA) -> list[float]:
    """Margins of the last score at or before the end of each game minute up to the trigger."""
    starts = np.array([rules.start_elapsed(quarter) * MS for quarter in recording.period.tolist()])
    elapsed = starts + recording.played
    ends = np.arange(1, rules.pattern_minutes + 1) * MINUTE_MS
    events = np.searchsorted(elapsed, ends, side="right")
    margins = np.concatenate(([0], recording.score_home - recording.score_away))
    return [float(margin) for margin in margins[events]]


def last_score_of_recording(recording: Recording, rules: LeagueRules = NBA) -> int:
    """Class (`models.game.last_score`) of the last score before the trigger."""
    lengths = np.array([rules.length_seconds(quarter) * MS for quarter in recording.period])
    events = ScoreEvents.of(
        np.zeros(len(recording.period), dtype=np.int64),
        recording.period,
        (lengths - recording.played) / MS,
        recording.score_home,
        recording.score_away,
    )
    return int(events.last_scores(1)[0, rules.pattern_minutes - 1])


def halftime_of_recording(recording: Recording, rules: LeagueRules = NBA) -> float:
    """Margin of the last score of the first half, in points."""
    events = int(np.searchsorted(recording.period, rules.halftime_quarter, side="right"))
    if events == 0:
        return 0.0
    return float(recording.score_home[events - 1] - recording.score_away[events - 1])


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the sent updates of a game show: the pattern, and the minutes without any update.

    `halftime_margin` is the last margin seen in the first half.
    """

    pattern: list[float]
    missing_minutes: list[int]
    halftime_margin: float


def sighting(sent: Iterable[Update], rules: LeagueRules = NBA) -> Sighting:
    """The sighting of one game's updates: at each clock the score of the highest sequence."""
    seen: dict[tuple[int, int], Update] = {}
    for update in sent:
        length = rules.length_seconds(update.quarter) * MS
        elapsed = rules.start_elapsed(update.quarter) * MS + length - update.remaining_ms
        clock = (elapsed, update.quarter)
        held = seen.get(clock)
        if held is None or held.sequence < update.sequence:
            seen[clock] = update
    pattern: list[float] = []
    missing: list[int] = []
    margin, halftime = 0, 0
    rows = sorted(seen.items())
    place = 0
    for minute in range(1, rules.halftime_elapsed // SECONDS_PER_MINUTE + 1):
        begun = place
        while place < len(rows) and rows[place][0][0] <= minute * MINUTE_MS:
            if rows[place][1].quarter <= rules.halftime_quarter:
                halftime = rows[place][1].margin
            margin = rows[place][1].margin
            place += 1
        if minute <= rules.pattern_minutes:
            pattern.append(float(margin))
            if place == begun:
                missing.append(minute)
    return Sighting(pattern, missing, float(halftime))


@dataclass(frozen=True, slots=True, kw_only=True)
class GameTruth:
    """What the service should have found in one game; margins in points.

    `noise` counts what was done to its updates, by kind.
    """

    game_id: str
    date: datetime.date
    playoffs: bool
    home: str
    away: str
    expected_margin: float | None
    pattern: list[float]
    last_score: int
    halftime_margin: float
    sighting: Sighting
    noise: Mapping[str, int]

    @classmethod
    def of(cls, game: ScheduledGame) -> "GameTruth":
        """The truth of one scheduled game."""
        return cls(
            game_id=game.game_id,
            date=game.recording.date,
            playoffs=game.recording.playoffs,
            home=game.recording.home,
            away=game.recording.away,
            expected_margin=game.recording.expected_margin,
            pattern=pattern_of_recording(game.recording),
            last_score=last_score_of_recording(game.recording),
            halftime_margin=halftime_of_recording(game.recording),
            sighting=sighting(game.updates),
            noise=game.noise.counts(),
        )

    @property
    def state(self) -> GameState:
        """The game at the trigger."""
        return GameState.of_pattern(self.pattern, self.last_score)

    @property
    def is_clean(self) -> bool:
        """Whether its updates were sent without any noise."""
        return not any(self.noise.values())
