"""What goes to a shard and what comes back from it."""

from dataclasses import dataclass
from typing import NamedTuple

from serve_app.game.due_forecast import DueForecast
from serve_app.schemas import Forecast, ScoreResult
from serve_app.shards.running_pace import Wait


@dataclass(frozen=True, slots=True)
class Update:
    """One validated score update on its way to a shard; teams only where it may register."""

    game_id: str
    quarter: int
    time_remaining: str
    score_home: int
    score_away: int
    timestamp: float | None = None
    sequence: int | None = None
    source: str | None = None
    home_team: str | None = None
    away_team: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one update: its result, and the forecasts that are to be made, if any.

    `due` is the prediction or a revision of it; `running` the forecast at the present clock, or
    how long to wait before it is asked for with `ShardForecasts.running`.
    """

    result: ScoreResult
    due: DueForecast | None = None
    running: DueForecast | Wait | None = None


class MadeForecast(NamedTuple):
    """A running forecast that was made: of halftime in the first half only, and of the final."""

    due: DueForecast
    halftime: Forecast | None
    final: Forecast
