"""League rules as data: how long a quarter lasts, how many there are, when to forecast."""

from dataclasses import dataclass

SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LeagueRules:
    """The timing rules of one league and the clock at which the forecast is made.

    All times are in seconds. `trigger_seconds_remaining` is on the clock of `trigger_quarter`;
    halftime is the end of `halftime_quarter`.
    """

    name: str
    quarter_seconds: int
    quarters: int
    overtime_seconds: int
    trigger_quarter: int
    trigger_seconds_remaining: int
    halftime_quarter: int
    max_overtimes: int = 10

    @property
    def last_quarter(self) -> int:
        """The highest quarter number that is accepted, overtimes included."""
        return self.quarters + self.max_overtimes

    @property
    def trigger_elapsed(self) -> int:
        """Game seconds elapsed when the forecast is due (NBA: 1080)."""
        return self.trigger_quarter * self.quarter_seconds - self.trigger_seconds_remaining

    @property
    def halftime_elapsed(self) -> int:
        """Game seconds elapsed at halftime (NBA: 1440)."""
        return self.halftime_quarter * self.quarter_seconds

    @property
    def pattern_minutes(self) -> int:
        """Length of the margin pattern: whole game minutes up to the trigger (NBA: 18)."""
        return self.trigger_elapsed // SECONDS_PER_MINUTE

    def length_seconds(self, quarter: int) -> int:
        """Length of `quarter` in seconds; a quarter past the last regular one is an overtime."""
        return self.quarter_seconds if quarter <= self.quarters else self.overtime_seconds

    def start_elapsed(self, quarter: int) -> int:
        """Game seconds elapsed at the start of `quarter`."""
        regular = min(quarter - 1, self.quarters) * self.quarter_seconds
        return regular + max(quarter - 1 - self.quarters, 0) * self.overtime_seconds


NBA = LeagueRules(
    name="nba",
    quarter_seconds=720,
    quarters=4,
    overtime_seconds=300,
    trigger_quarter=2,
    trigger_seconds_remaining=360,
    halftime_quarter=2,
)

LEAGUES = {NBA.name: NBA}
