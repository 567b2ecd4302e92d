"""Brownian motion: the classic model of a margin, without teams.

Stern, "A Brownian Motion Model for the Progress of Sports Scores", JASA 89 (1994).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.backtest.forecasts import Forecasts
from models.backtest.sample import SPREAD_SEASONS, Sample
from models.game.games import GameTable
from models.game.horizon import END_MINUTE
from models.game.league import NBA, SECONDS_PER_MINUTE

QUARTER_MINUTES = NBA.quarter_seconds // SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class BrownianMotion:
    """The margin drifts by `drift` points a minute and spreads by `variance` points² a minute."""

    drift: float
    variance: float

    @classmethod
    def fit(cls, games: GameTable) -> Self:
        """Fit to the steps between quarter ends over the last `SPREAD_SEASONS` seasons."""
        recent = np.isin(games.season, games.seasons()[-SPREAD_SEASONS:])
        ends = games.margins[recent][:, QUARTER_MINUTES - 1 :: QUARTER_MINUTES].astype(np.float64)
        steps = np.diff(ends, axis=1, prepend=0.0)
        drift = float(np.mean(steps)) / QUARTER_MINUTES
        variance = float(np.mean((steps - drift * QUARTER_MINUTES) ** 2)) / QUARTER_MINUTES
        return cls(drift, variance)

    def forecast(self, test: Sample) -> Forecasts:
        """Present margin plus the drift of the minutes left, spread by their number."""
        left = END_MINUTE[test.horizon] - test.states.minute
        return Forecasts.gaussian(
            test.states.present + self.drift * left,
            float(np.sqrt(self.variance * left)),
            test.actual,
            final=test.final,
        )
