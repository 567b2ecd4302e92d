"""Observations: the score at one game clock as one update told it, and what it did to a buffer."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from models.errors import ForecastError
from models.game.clock import GameClock

Key = tuple[float, int]  # (game seconds elapsed, quarter): 0:00 of Q1 comes before 12:00 of Q2


class ScoreUpdateError(ForecastError):
    """A score or a timestamp that no scoreboard shows."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """The score at one game clock. `timestamp` is epoch seconds at the source.

    `sequence` is the running number that `source`, a scraper of its own name, gave the update.
    A shard holds half a million: the garbage collector, which would look through them again and
    again, need not, for nothing in one refers back to it.
    """

    clock: GameClock
    score_home: int
    score_away: int
    timestamp: float | None = None
    sequence: int | None = None
    source: str | None = None

    @property
    def key(self) -> Key:
        """Place in game order."""
        return (self.clock.elapsed_seconds, self.clock.quarter)

    @property
    def is_stamped(self) -> bool:
        """Whether the source says when it saw this."""
        return not (self.sequence is None and self.timestamp is None)

    @property
    def margin(self) -> int:
        """Home score − away score, in points."""
        return self.score_home - self.score_away

    def precedes(self, other: "Observation") -> bool:
        """Whether this was seen before `other`: by the sequence of one source, else by the stamps.

        The numbers of two sources do not compare.
        """
        if self.sequence is not None and other.sequence is not None and self.source == other.source:
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


def epoch_seconds(timestamp: datetime | float | str | None) -> float | None:
    """A timestamp as epoch seconds; raises ScoreUpdateError where it is none."""
    expected = "timestamp: expected a datetime, ISO 8601 text, epoch seconds or None"
    match timestamp:
        case None:
            return None
        case str():
            try:
                return epoch_seconds(datetime.fromisoformat(timestamp))
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
