"""The score timeline of one game: what was seen at which game clock, in whatever order it came.

Pure: no Ray, no store, no wall clock. The order of the scores is the order of the game clock;
arrival order and source stamps only decide between two scores at one and the same clock.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable

from models.game.last_score import last_score_class
from models.game.league import NBA, SECONDS_PER_MINUTE, LeagueRules
from serve_app.game.observation import Key, Observation, UpdateEffect

SCORE_JUMP_POINTS = 10


class ScoreTimeline:
    """Observations in game order, one per game clock."""

    def __init__(self, rules: LeagueRules = NBA) -> None:
        self.rules = rules
        self._keys: list[Key] = []
        self._observations: dict[Key, Observation] = {}
        self._superseded: set[Observation] = set()
        self._changes: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

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
            self._replace(new.key, held)
        self._observations[new.key] = new
        return UpdateEffect(new, duplicate=False, flags=flags)

    def restore(self, observations: Iterable[Observation]) -> None:
        """Take into an empty timeline what another one took in this order, without its flags."""
        known = self._observations
        for new in observations:
            clock = new.clock
            key = (clock.elapsed_seconds, clock.quarter)  # `new.key`, without the call
            held = known.setdefault(key, new)
            if held is new:
                continue
            if new.precedes(held):
                self._supersede(new)
            elif held != new:
                self._replace(key, held)
                known[key] = new
        self._keys = sorted(known)

    def knows(self, observation: Observation) -> bool:
        """Whether this very observation was taken before."""
        held = self._observations.get(observation.key)
        return observation == held or observation in self._superseded

    def changes_before(self, observation: Observation) -> int:
        """How often the score at its clock was replaced before this one stood there."""
        held = self._observations.get(observation.key)
        replaces = held is not None and held != observation
        return self._changes.get(observation.key, 0) + replaces

    def _replace(self, key: Key, old: Observation) -> None:
        self._changes[key] = self._changes.get(key, 0) + 1
        self._supersede(old)

    def _supersede(self, old: Observation) -> None:
        """Know a repeat of `old` again; without a stamp it may be a score that was taken back."""
        if old.is_stamped:
            self._superseded.add(old)

    def _oddities(self, new: Observation, held: Observation | None) -> tuple[str, ...]:
        before = held or self.last_at(new.key)
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

    # --- what was seen ---------------------------------------------------------------------

    @property
    def latest(self) -> Observation | None:
        """The observation furthest in game time."""
        return self._observations[self._keys[-1]] if self._keys else None

    def observation_at(self, key: Key) -> Observation | None:
        """The observation at exactly this place in game order."""
        return self._observations.get(key)

    def last_at(self, key: Key) -> Observation | None:
        """The last observation at or before `key` in game order."""
        place = bisect_right(self._keys, key)
        return self._observations[self._keys[place - 1]] if place else None

    def end_key(self, elapsed_seconds: float) -> Key:
        """The last place in game order that belongs to the first so many game seconds.

        The end of one quarter is the start of the next. What is scored at the start of the third
        quarter or of an overtime is after the half or after that end; all else is before it.
        """
        if elapsed_seconds == self.rules.halftime_elapsed:
            return (elapsed_seconds, self.rules.halftime_quarter)
        over = elapsed_seconds - self.rules.start_elapsed(self.rules.quarters + 1)
        if over >= 0 and over % self.rules.overtime_seconds == 0:
            overtimes = int(over // self.rules.overtime_seconds)
            return (elapsed_seconds, self.rules.quarters + overtimes)
        return (elapsed_seconds, self.rules.last_quarter)

    def margin_at(self, elapsed_seconds: float) -> int:
        """Margin of the last score in the first so many game seconds, overtimes counted."""
        found = self.last_at(self.end_key(elapsed_seconds))
        return found.margin if found else 0

    def margin_course(self) -> list[tuple[float, int]]:
        """Game seconds elapsed and margin of the first score, of each change, and of the latest.

        The end of one quarter is the same second as the start of the next, so two in a row may
        share it.
        """
        course: list[tuple[float, int]] = []
        for key in self._keys:
            margin = self._observations[key].margin
            if not course or margin != course[-1][1] or key == self._keys[-1]:
                course.append((key[0], margin))
        return course

    def last_score_at(self, elapsed_seconds: float) -> int:
        """Class (`models.game.last_score`) of the last score in the first so many game seconds.

        Scores that came in one update count for the side which gained more. 0 is a score that is
        old or not known: nobody's yet, both sides' alike, or a correction downwards.
        """
        place = bisect_right(self._keys, self.end_key(elapsed_seconds))
        while place > 0:
            place -= 1
            new = self._observations[self._keys[place]]
            before = self._observations[self._keys[place - 1]] if place else None
            home = new.score_home - (before.score_home if before else 0)
            away = new.score_away - (before.score_away if before else 0)
            if home or away:
                side = 0 if min(home, away) < 0 else (home > away) - (home < away)
                return last_score_class(side, elapsed_seconds - new.clock.elapsed_seconds)
        return 0

    @property
    def minutes_played(self) -> int:
        """Whole game minutes up to the furthest clock seen, overtimes counted."""
        elapsed = self.latest.clock.elapsed_seconds if self.latest else 0.0
        return int(elapsed // SECONDS_PER_MINUTE)

    def unseen(self, minutes: int) -> list[int]:
        """Which of the first `minutes` game minutes (from 1) saw no update.

        An update is in a minute after its start (tip-off included) up to its end.
        """
        return [minute for minute in range(1, minutes + 1) if not self._saw(minute)]

    def _saw(self, minute: int) -> bool:
        end = self.last_at((minute * SECONDS_PER_MINUTE, self.rules.last_quarter))
        if end is None:
            return False
        start = (minute - 1) * SECONDS_PER_MINUTE
        return end.clock.elapsed_seconds > start or minute == 1
