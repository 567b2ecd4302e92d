"""The game clock: the forms that feeds write it in, and game time elapsed."""

import re
from dataclasses import dataclass, field

from models.errors import ClockError
from models.game.league import NBA, SECONDS_PER_MINUTE, LeagueRules

ACCEPTED_FORMS = "6:00, 06:00, 57.0, :32.1 or PT06M00.00S"

_FORMS = (
    re.compile(r"(?P<minutes>\d{1,2}):(?P<seconds>[0-5]\d(\.\d{1,3})?)", re.ASCII),
    re.compile(r"(?P<seconds>[0-5]?\d\.\d{1,3})", re.ASCII),
    re.compile(r":(?P<seconds>[0-5]?\d(\.\d{1,3})?)", re.ASCII),
    re.compile(r"PT(?P<minutes>\d{2})M(?P<seconds>[0-5]\d(\.\d{1,3})?)S", re.ASCII),
)


def parse_time_remaining(text: str) -> float:
    """Seconds remaining in the period from a clock text.

    Accepts `6:00` and `06:00` (minutes and seconds), `57.0` and `:32.1` (under a minute) and the
    ISO 8601 duration `PT06M00.00S`. Raises ClockError on anything else.
    """
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            parts = match.groupdict()
            return int(parts.get("minutes") or 0) * SECONDS_PER_MINUTE + float(parts["seconds"])
    raise ClockError(f"time remaining: expected a clock such as {ACCEPTED_FORMS}; got {text!r}")


@dataclass(frozen=True, slots=True)
class GameClock:
    """A moment of a game: the quarter (5 and up are overtimes) and the seconds remaining in it.

    `elapsed_seconds` are the game seconds elapsed: 0.0 at 12:00 of Q1, 1080.0 at 6:00 of Q2 (NBA).
    """

    quarter: int
    seconds_remaining: float
    rules: LeagueRules = field(default=NBA, hash=False)  # equal clocks hash equal without it too
    elapsed_seconds: float = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.quarter <= self.rules.last_quarter:
            raise ClockError(
                f"quarter: expected 1 to {self.rules.quarters}, or up to "
                f"{self.rules.last_quarter} for overtimes; got {self.quarter}"
            )
        length = self.rules.length_seconds(self.quarter)
        if not 0 <= self.seconds_remaining <= length:
            raise ClockError(
                f"time remaining: expected 0 to {length} seconds in quarter {self.quarter}; "
                f"got {self.seconds_remaining:g} seconds"
            )
        elapsed = self.rules.start_elapsed(self.quarter) + length - self.seconds_remaining
        object.__setattr__(self, "elapsed_seconds", elapsed)

    @classmethod
    def parse(cls, quarter: int, time_remaining: str, rules: LeagueRules = NBA) -> "GameClock":
        """A clock from a quarter and a clock text; raises ClockError on either being wrong."""
        return cls(quarter, parse_time_remaining(time_remaining), rules)

    @property
    def time_remaining(self) -> str:
        """The clock as a scoreboard shows it: `6:00`, or `0:57.4` where it has a fraction."""
        minutes, seconds = divmod(round(self.seconds_remaining, 3), SECONDS_PER_MINUTE)
        if seconds == int(seconds):
            return f"{int(minutes)}:{int(seconds):02d}"
        return f"{int(minutes)}:{seconds:06.3f}".rstrip("0")
