"""The score buffer of one game: what its timeline tells a forecast, and how the game ended.

Pure: no Ray, no store, no wall clock.
"""

from datetime import datetime

from models.errors import PatternError
from models.game.clock import GameClock
from models.game.game_state import GameState
from models.game.horizon import REGULATION_MINUTES
from models.game.league import NBA, SECONDS_PER_MINUTE, LeagueRules
from serve_app.game.observation import (
    Key,
    Observation,
    ScoreUpdateError,
    UpdateEffect,
    epoch_seconds,
)
from serve_app.game.score_timeline import ScoreTimeline

MAX_CARRIED_FORWARD = 2
# The least step of a game clock: a free throw at 12:00 of Q3 is this long after the half.
CLOCK_STEP_SECONDS = 0.001


class LiveScoreBuffer(ScoreTimeline):
    """The scores of one game by game clock, and what a forecast may be made from.

    `pattern[m]` is the margin of the last score at or before the end of game minute m + 1.
    A minute without any update is carried forward from the score before it (0-0 before the first);
    more than `MAX_CARRIED_FORWARD` such minutes and there is no pattern.
    """

    def __init__(
        self, game_id: str, home_team: str, away_team: str, rules: LeagueRules = NBA
    ) -> None:
        super().__init__(rules)
        self.game_id = game_id
        self.home_team = home_team
        self.away_team = away_team

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
        stamp = epoch_seconds(timestamp)
        return self.observe(Observation(clock, score_home, score_away, stamp, sequence))

    def get_current_differential(self) -> int | None:
        """Margin at the furthest game clock seen, in points; None before the first update."""
        return self.latest.margin if self.latest else None

    def margin_at_minute(self, minute: int) -> int:
        """Margin of the last score at or before the end of game minute `minute` (from 1)."""
        return self.margin_at(minute * SECONDS_PER_MINUTE)

    # --- the trigger -----------------------------------------------------------------------

    def pattern_so_far(self) -> list[float]:
        """Margins at the end of the game minutes played so far, at most up to the trigger."""
        played = min(self.minutes_played, self.rules.pattern_minutes)
        return [float(self.margin_at_minute(minute)) for minute in range(1, played + 1)]

    def missing_minutes(self) -> list[int]:
        """The game minutes (from 1) up to the trigger, of those played, that saw no update."""
        return self.unseen(min(self.minutes_played, self.rules.pattern_minutes))

    @property
    def crossed_trigger(self) -> bool:
        """Whether the game clock was seen at or past the trigger (6:00 of Q2)."""
        return self.latest is not None and self.latest.key[0] >= self.rules.trigger_elapsed

    def is_ready_for_prediction(self) -> bool:
        """At or past the trigger, with updates in all but at most 2 of the minutes before it."""
        return self.crossed_trigger and len(self.missing_minutes()) <= MAX_CARRIED_FORWARD

    def get_pattern_at_6min_2q(self) -> list[float] | None:
        """The margins at the end of minutes 1..18 in points, or None while not ready."""
        return self.pattern_so_far() if self.is_ready_for_prediction() else None

    # --- states that a forecast may be made from ---------------------------------------------

    def trigger_state(self) -> GameState | None:
        """The state at 6:00 of Q2, or None while not ready."""
        if not self.is_ready_for_prediction():
            return None
        return self._state_at(float(self.rules.trigger_elapsed))

    def state(self) -> GameState | None:
        """The state at the furthest game clock seen.

        None before the first update, and where too many of the minutes played saw none: more than
        `MAX_CARRIED_FORWARD`, and more than one in nine. Their margins would be made up.
        """
        latest = self.latest
        if latest is None or self.has_too_many_gaps:
            return None
        elapsed = latest.clock.elapsed_seconds
        if latest.key > self.end_key(elapsed) and latest.margin != self.margin_at(elapsed):
            elapsed += CLOCK_STEP_SECONDS
        return self._state_at(elapsed)

    def minute_state(self) -> GameState | None:
        """The state at the end of the last whole minute played, the 47th at the latest.

        Regulation is over at the 48th, and past games are not known beyond. None before the end of
        the first minute, and for the reasons of `state`.
        """
        minute = min(self.minutes_played, REGULATION_MINUTES - 1)
        if minute == 0 or self.has_too_many_gaps:
            return None
        return self._state_at(float(minute * SECONDS_PER_MINUTE))

    @property
    def has_too_many_gaps(self) -> bool:
        """Whether so many of the minutes played saw no update that nothing is made from them."""
        return len(self.unseen(self.minutes_played)) > self._allowed_gaps

    @property
    def is_complete(self) -> bool:
        """Whether all but at most `MAX_CARRIED_FORWARD` of the minutes played saw an update."""
        return len(self.unseen(self.minutes_played)) <= MAX_CARRIED_FORWARD

    @property
    def _allowed_gaps(self) -> int:
        """Minutes that may go unseen by now: as many of all as of those before the trigger."""
        before_trigger = self.rules.pattern_minutes // MAX_CARRIED_FORWARD
        return max(MAX_CARRIED_FORWARD, self.minutes_played // before_trigger)

    def _state_at(self, elapsed_seconds: float) -> GameState | None:
        """The state at this clock; None where a margin is beyond all that games have seen."""
        last_score = self.last_score_at(elapsed_seconds)
        try:
            return GameState.at(self.margin_at, elapsed_seconds, last_score=last_score)
        except PatternError:
            return None

    # --- how it ended ----------------------------------------------------------------------

    @property
    def reached_halftime(self) -> bool:
        """Whether 0:00 of Q2, or any clock of a later quarter, was seen."""
        return self.latest is not None and self.latest.key >= self._halftime_key

    @property
    def _halftime_key(self) -> Key:
        return self.end_key(self.rules.halftime_elapsed)

    def halftime_margin(self) -> int | None:
        """Margin at the end of Q2 in points, or None while unknown.

        The score at 0:00 of Q2; else the one at 12:00 of Q3; else the last of Q2's final minute.
        Unknown where none of these was seen: a score older than a minute proves nothing. A free
        throw at 12:00 of Q3 is after the half, so 0:00 of Q2 comes first.
        """
        if not self.reached_halftime:
            return None
        elapsed, quarter = self._halftime_key
        last = self.last_at(self._halftime_key)
        after_break = self.observation_at((elapsed, quarter + 1))
        if last is not None and last.clock.elapsed_seconds == elapsed:
            return last.margin
        if after_break is not None:
            return after_break.margin
        if last is not None and last.clock.elapsed_seconds > elapsed - SECONDS_PER_MINUTE:
            return last.margin
        return None

    def final_scores(self) -> tuple[int, int] | None:
        """Home's and away's points where this was the end of the game, or None where unknown.

        To be asked of a game that is declared over. Only the score at 0:00 of Q4 or of an overtime
        tells: after any other an overtime may have gone unseen. No game ends tied.
        """
        last = self.latest
        if last is None or last.clock.quarter < self.rules.quarters or last.margin == 0:
            return None
        if last.clock.seconds_remaining > 0:
            return None
        return last.score_home, last.score_away
