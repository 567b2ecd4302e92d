"""What a shard knows of how it does: its updates, commits, forecasts and live games."""

from collections import Counter
from collections.abc import Callable, Sequence

from models.forecasters.forecaster import Component
from serve_app.api.problems import ServiceProblem
from serve_app.game.game_standing import UNPREDICTED, GameStanding
from serve_app.schemas import ScoreResult
from serve_app.system.metrics import (
    COMMIT,
    CORRECTIONS,
    FORECAST,
    MISSING_MINUTES,
    TRIGGER_STORED,
    UNPREDICTED_GAMES,
    UPDATES,
)
from serve_app.system.reports import ShardReport
from serve_app.system.rolling_minute import RollingMinute
from serve_app.system.tally import Tally


class ShardWatch:
    """Counts what its shard does; `standings` gives the live games that are the shard's own."""

    def __init__(self, standings: Callable[[], Sequence[GameStanding]]) -> None:
        self.tally = Tally()
        self._standings = standings
        self._updates = RollingMinute()

    def posted(self, results: Sequence[ScoreResult | ServiceProblem]) -> None:
        """Updates have been answered so, and what was taken is on disk."""
        taken = duplicates = corrections = 0
        for item in results:
            if isinstance(item, ScoreResult):
                duplicates += item.duplicate
                if not item.duplicate:
                    taken += 1
                    corrections += "score_decreased" in item.flags
        refused = len(results) - taken - duplicates
        for result, count in (("taken", taken), ("duplicate", duplicates), ("refused", refused)):
            if count:
                self.tally.count(UPDATES, result, by=count)
        if corrections:
            self.tally.count(CORRECTIONS, by=corrections)
        if taken:
            self._updates.add(taken)

    def committed(self, seconds: float) -> None:
        """A commit took so long."""
        self.tally.observe(COMMIT, seconds)

    def forecast(self, component: Component, seconds: float) -> None:
        """A component of the forecaster was called."""
        self.tally.observe(FORECAST, seconds, component)

    def stored(self, seconds: float) -> None:
        """A prediction is on disk, so long after the updates that called for it came."""
        self.tally.observe(TRIGGER_STORED, seconds)

    async def report(self) -> ShardReport:
        """The rate of updates, and how long ago each live game was heard of."""
        games = self._standings()
        unpredicted = Counter(game.unpredicted for game in games)
        for reason in UNPREDICTED:
            self.tally.set(UNPREDICTED_GAMES, unpredicted[reason], reason)
        self.tally.set(MISSING_MINUTES, sum(game.missing_minutes for game in games))
        lags = tuple(game.lag_seconds for game in games)
        return ShardReport(self._updates.per_second(), lags)
