"""Evaluation: what a bundle forecasts for the games of a season, beside what happened."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.bundle import Bundle
from models.errors import DataError
from models.forecaster import Forecaster, ForecastRequest, MarginForecast
from models.games import GameTable
from models.metrics import Scores, score
from models.pattern import PATTERN_MINUTES, FloatArray

BATCH = 256


@dataclass(frozen=True, slots=True)
class EvaluatedGame:
    """One game's forecast at 6:00 of Q2 and the halftime margin that came of it, in points."""

    game_id: str
    date: str
    home: str
    away: str
    pattern: tuple[float, ...]
    forecast: MarginForecast
    halftime_margin: float

    @property
    def error(self) -> float:
        """Actual minus forecast."""
        return self.halftime_margin - self.forecast.point_forecast

    @property
    def persistence_error(self) -> float:
        """Actual minus the margin at 6:00 of Q2."""
        return self.halftime_margin - self.pattern[-1]

    @property
    def covered(self) -> bool:
        """Whether the interval held the outcome."""
        return self.forecast.interval_lower <= self.halftime_margin <= self.forecast.interval_upper


def evaluate(
    forecaster: Forecaster,
    games: GameTable,
    *,
    alpha: float = 0.05,
    expected: FloatArray | None = None,
) -> list[EvaluatedGame]:
    """Forecast every game as the service would, and keep what happened beside it.

    Args:
        forecaster: of a loaded bundle.
        games: the games to forecast, for instance `season_games(games, 2023)`.
        alpha: miscoverage of the intervals.
        expected: expected margins in points, shape (n,), as a caller would give them; without
            them the bundle's own frozen ratings are used.

    A game that is in the library is never its own neighbour.
    """
    patterns = games.margins[:, :PATTERN_MINUTES].astype(np.float64)
    requests = [
        ForecastRequest(
            pattern=tuple(patterns[row].tolist()),
            alpha=alpha,
            home_team=str(games.home[row]),
            away_team=str(games.away[row]),
            expected_margin=None if expected is None else float(expected[row]),
            exclude_game_id=str(games.game_id[row]),
        )
        for row in range(len(games))
    ]
    return [
        EvaluatedGame(
            game_id=str(games.game_id[row]),
            date=str(games.date[row]),
            home=str(games.home[row]),
            away=str(games.away[row]),
            pattern=tuple(requests[row].pattern),
            forecast=forecast,
            halftime_margin=float(games.halftime_margin[row]),
        )
        for row, forecast in enumerate(_in_batches(forecaster, requests))
    ]


def season_games(games: GameTable, season: int) -> GameTable:
    """The games of one season (starting year); raises DataError where there are none."""
    chosen = games.season == season
    if not chosen.any():
        raise DataError(f"season: expected one of {games.seasons()}; got {season}")
    return games.select(chosen)


def ensemble_scores(evaluated: list[EvaluatedGame], alpha: float) -> Scores:
    """The scores of the forecasts; `alpha` is the one they were made with."""
    return score(
        [game.forecast.point_forecast for game in evaluated],
        [game.forecast.interval_lower for game in evaluated],
        [game.forecast.interval_upper for game in evaluated],
        [game.halftime_margin for game in evaluated],
        alpha,
    )


def persistence_scores(evaluated: list[EvaluatedGame], bundle: Bundle, alpha: float) -> Scores:
    """The scores of the margin at 6:00 staying, with an interval calibrated on the same games."""
    ends = [bundle.persistence.interval(game.pattern[-1], alpha) for game in evaluated]
    return score(
        [game.pattern[-1] for game in evaluated],
        [lower for lower, _ in ends],
        [upper for _, upper in ends],
        [game.halftime_margin for game in evaluated],
        alpha,
    )


def _in_batches(
    forecaster: Forecaster, requests: list[ForecastRequest]
) -> Iterator[MarginForecast]:
    for start in range(0, len(requests), BATCH):
        yield from forecaster.forecast(requests[start : start + BATCH])
