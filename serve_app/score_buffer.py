"""The score buffer of one game: what was seen at which game clock, in whatever order it came.

Pure: no Ray, no store, no wall clock. The order of the scores is the order of the game clock;
arrival order and source stamps only decide between two scores at one and the same clock.
"""

import math
from bisect import bisect_right, insort
from dataclasses import dataclass
from datetime import UTC, datetime

from models.clock import GameClock
from models.errors import ForecastError
from models.league import NBA, SECONDS_PER_MINUTE, LeagueRules

MAX_CARRIED_FORWARD = 2
SCORE_JUMP_POINTS = 10

Key = tuple[float, int]  # (game seconds elapsed, quarter): 0:00 of Q1 comes before 12:00 of Q2


class ScoreUpdateError(ForecastError):
    """A score or a timestamp that no scoreboard shows."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The score at one game clock. `timestamp` is epoch seconds at the source."""

    clock: GameClock
    score_home: int
    score_away: int
    timestamp: float | None = None
    sequence: int | None = None

    @property
    def key(self) -> Key:
        """Place in game order."""
        return (self.clock.elapsed_seconds, self.clock.quarter)

    @property
    def is_stamped(self) -> bool:
        """Whether the source says when it saw this."""
        return self.sequence is not None or self.timestamp is not None

    @property
    def margin(self) -> int:
        """Home score − away score, in points."""
        return self.score_home - self.score_away

    def precedes(self, other: "Observation") -> bool:
        """Whether the source says that this came before `other`: sequence first, then timestamp."""
        if self.sequence is not None and other.sequence is not None:
            return self.sequence < other.sequence
        if self.timestamp is not None and other.timestamp is not None:
            return self.timestamp < other.timestamp
        return False


@dataclass(frozen=True, slots=True)
class UpdateEffect:
    """What one update did to the buffer.

    `flags` names what was odd: `score_jump` (more than 10 points by one side since the score
    before it), `score_decreased`, `clock_backwards`, `superseded` (a newer score at the same
    clock is known, so the buffer is unchanged).
    """

    observation: Observation
    duplicate: bool
    flags: tuple[str, ...] = ()


class LiveScoreBuffer:
    """The scores of one game by game clock, and the margin pattern they give.

    `pattern[m]` is the margin of the last score at or before the end of game minute m + 1.
    A minute without any update is carried forward from the score before it (0-0 before the first);
    more than `MAX_CARRIED_FORWARD` such minutes and there is no pattern.
    """

    def __init__(
        self, game_id: str, home_team: str, away_team: str, rules: LeagueRules = NBA
    ) -> None:
        self.game_id = game_id
        self.home_team = home_team
        self.away_team = away_team
        self.rules = rules
        self._keys: list[Key] = []
        self._observations: dict[Key, Observation] = {}
        self._superseded: set[Observation] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def add_score_update(
        self,
        timestamp: datetime | float | str | None,
        quarter: int,
        time_remaining: str,
        score_home: int,
        score_away: int,
        *,
        sequence: int | None = None,
    ) -> UpdateEffect:
        """Take one update.

        Args:
            timestamp: when the source saw it: a datetime (UTC where it has no zone), ISO 8601
                text, epoch seconds, or None.
            quarter: 1 to 4; 5 and up are overtimes.
            time_remaining: the clock of that quarter, such as `6:00` or `PT06M00.00S`.
            score_home: points of the home side, 0 or more.
            score_away: points of the away side, 0 or more.
            sequence: the source's own running number, where it has one.

        Raises:
            ClockError: no game clock shows this quarter and time.
            ScoreUpdateError: a score or the timestamp is not one.
        """
        for side, score in (("score_home", score_home), ("score_away", score_away)):
            if type(score) is not int or score < 0:
                raise ScoreUpdateError(f"{side}: expected a whole number from 0; got {score!r}")
        clock = GameClock.parse(quarter, time_remaining, self.rules)
        stamp = _epoch_seconds(timestamp)
        return self.observe(Observation(clock, score_home, score_away, stamp, sequence))

    def observe(self, new: Observation) -> UpdateEffect:
        """Take one observation; says whether it was known already and what was odd about it."""
        held = self._observations.get(new.key)
        if new == held or new in self._superseded:
            return UpdateEffect(new, duplicate=True)
        if held is not None and new.precedes(held):
            self._supersede(new)
            return UpdateEffect(new, duplicate=False, flags=("superseded",))
        flags = self._oddities(new, held)
        if held is None:
            insort(self._keys, new.key)
        else:
            self._supersede(held)
        self._observations[new.key] = new
        return UpdateEffect(new, duplicate=False, flags=flags)

    def _supersede(self, old: Observation) -> None:
        """Know a repeat of `old` again; without a stamp it may be a score that was taken back."""
        if old.is_stamped:
            self._superseded.add(old)

    def _oddities(self, new: Observation, held: Observation | None) -> tuple[str, ...]:
        before = held or self._last_at(new.key)
        flags = []
        if before is not None:
            home, away = new.score_home - before.score_home, new.score_away - before.score_away
            if max(home, away) > SCORE_JUMP_POINTS:
                flags.append("score_jump")
            if min(home, away) < 0:
                flags.append("score_decreased")
        if self._keys and new.key < self._keys[-1]:
            flags.append("clock_backwards")
        return tuple(flags)

    def _last_at(self, key: Key) -> Observation | None:
        """The last observation at or before `key` in game order."""
        place = bisect_right(self._keys, key)
        return self._observations[self._keys[place - 1]] if place else None

    # --- what is known ---------------------------------------------------------------------

    @property
    def latest(self) -> Observation | None:
        """The observation furthest in game time."""
        return self._observations[self._keys[-1]] if self._keys else None

    def get_current_differential(self) -> int | None:
        """Margin at the furthest game clock seen, in points; None before the first update."""
        return self.latest.margin if self.latest else None

    def margin_at_minute(self, minute: int) -> int:
        """Margin of the last score at or before the end of game minute `minute` (from 1)."""
        found = self._last_at((minute * SECONDS_PER_MINUTE, self.rules.last_quarter))
        return found.margin if found else 0

    def pattern_so_far(self) -> list[float]:
        """Margins at the end of the game minutes played so far, at most up to the trigger."""
        elapsed = self.latest.clock.elapsed_seconds if self.latest else 0.0
        played = min(int(elapsed // SECONDS_PER_MINUTE), self.rules.pattern_minutes)
        return [float(self.margin_at_minute(minute)) for minute in range(1, played + 1)]

    def missing_minutes(self) -> list[int]:
        """The game minutes (from 1) up to the trigger, of those played, that saw no update."""
        elapsed = self.latest.clock.elapsed_seconds if self.latest else 0.0
        played = min(int(elapsed // SECONDS_PER_MINUTE), self.rules.pattern_minutes)
        return [minute for minute in range(1, played + 1) if not self._saw(minute)]

    def _saw(self, minute: int) -> bool:
        """Whether an update fell into `minute`: after its start (tip-off included) to its end."""
        end = self._last_at((minute * SECONDS_PER_MINUTE, self.rules.last_quarter))
        if end is None:
            return False
        start = (minute - 1) * SECONDS_PER_MINUTE
        return end.clock.elapsed_seconds > start or minute == 1

    @property
    def crossed_trigger(self) -> bool:
        """Whether the game clock was seen at or past the trigger (6:00 of Q2)."""
        return bool(self._keys) and self._keys[-1][0] >= self.rules.trigger_elapsed

    def is_ready_for_prediction(self) -> bool:
        """At or past the trigger, with updates in all but at most 2 of the minutes before it."""
        return self.crossed_trigger and len(self.missing_minutes()) <= MAX_CARRIED_FORWARD

    def get_pattern_at_6min_2q(self) -> list[float] | None:
        """The margins at the end of minutes 1..18 in points, or None while not ready."""
        return self.pattern_so_far() if self.is_ready_for_prediction() else None

    @property
    def reached_halftime(self) -> bool:
        """Whether 0:00 of Q2, or any clock of a later quarter, was seen."""
        return bool(self._keys) and self._keys[-1] >= self._halftime_key

    @property
    def _halftime_key(self) -> Key:
        return (self.rules.halftime_elapsed, self.rules.halftime_quarter)

    def halftime_margin(self) -> int | None:
        """Margin at the end of Q2 in points, or None while unknown.

        The score at 0:00 of Q2; else the one at 12:00 of Q3; else the last of Q2's final minute.
        Unknown where none of these was seen: a score older than a minute proves nothing. A free
        throw at 12:00 of Q3 is after the half, so 0:00 of Q2 comes first.
        """
        if not self.reached_halftime:
            return None
        elapsed, quarter = self._halftime_key
        last = self._last_at(self._halftime_key)
        after_break = self._observations.get((elapsed, quarter + 1))
        if last is not None and last.clock.elapsed_seconds == elapsed:
            return last.margin
        if after_break is not None:
            return after_break.margin
        if last is not None and last.clock.elapsed_seconds > elapsed - SECONDS_PER_MINUTE:
            return last.margin
        return None


def _epoch_seconds(timestamp: datetime | float | str | None) -> float | None:
    """A timestamp as epoch seconds; raises ScoreUpdateError where it is none."""
    expected = "timestamp: expected a datetime, ISO 8601 text, epoch seconds or None"
    match timestamp:
        case None:
            return None
        case str():
            try:
                return _epoch_seconds(datetime.fromisoformat(timestamp))
            except ValueError:
                raise ScoreUpdateError(f"{expected}; got {timestamp!r}") from None
        case datetime():
            zoned = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
            return zoned.timestamp()
        case bool():
            raise ScoreUpdateError(f"{expected}; got {timestamp!r}")
        case int() | float() if math.isfinite(timestamp):
            return float(timestamp)
    raise ScoreUpdateError(f"{expected}; got {timestamp!r}")
