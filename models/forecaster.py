"""The forecaster: from a margin pattern to a halftime margin with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from models.conformal import ConformalInterval
from models.dejavu import Dejavu, DejavuForecast, SimilarGame
from models.ensemble import Ensemble
from models.pattern import FloatArray, PatternLike, as_patterns
from models.strength import StrengthSource as RatedSource
from models.strength import TeamStrength

StrengthSource = RatedSource | Literal["caller"]


class HalftimeModel(Protocol):
    """What forecasts halftime margins: the LSTM, named by its shape so that torch can stay out."""

    def forecast(
        self, patterns: PatternLike, expected_margins: Sequence[float] | FloatArray
    ) -> FloatArray:
        """Halftime margins (n,) in points from patterns (n, m) and expected margins (n,)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """One pattern to forecast from, and what is known of the game; margins in points.

    `exclude_game_id` names a past game that must not be its own neighbour.
    """

    pattern: Sequence[float]
    alpha: float = 0.05
    home_team: str | None = None
    away_team: str | None = None
    expected_margin: float | None = None
    exclude_game_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginForecast:
    """The forecast halftime margin with its interval at coverage 1 − alpha, all in points."""

    point_forecast: float
    interval_lower: float
    interval_upper: float
    coverage_probability: float
    expected_margin: float
    strength: StrengthSource
    dejavu_prediction: float
    lstm_prediction: float
    dejavu_weight: float
    lstm_weight: float
    similar_games: tuple[SimilarGame, ...]
    model_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Combiner:
    """Makes the forecast out of the two models' answers; needs neither model, nor torch."""

    strength: TeamStrength
    ensemble: Ensemble
    conformal: ConformalInterval
    model_version: str

    def expected_margin(
        self, given: float | None, home: str | None, away: str | None
    ) -> tuple[float, StrengthSource]:
        """The caller's expected margin where there is one, else that of the ratings."""
        if given is not None:
            return float(given), "caller"
        return self.strength.expected_margin(home, away)

    def combine(  # noqa: PLR0917  # the order in which a forecast comes about
        self,
        pattern: Sequence[float],
        alpha: float,
        expected_margin: float,
        strength: StrengthSource,
        dejavu: DejavuForecast,
        lstm: float,
    ) -> MarginForecast:
        """The ensemble of both answers with its interval.

        Raises PatternError and AlphaError on what no forecast can be made from.
        """
        as_patterns([pattern])
        point = self.ensemble.combine(dejavu.halftime_margin, float(lstm))
        lower, upper = self.conformal.interval(point, alpha)
        return MarginForecast(
            point_forecast=point,
            interval_lower=lower,
            interval_upper=upper,
            coverage_probability=1.0 - alpha,
            expected_margin=expected_margin,
            strength=strength,
            dejavu_prediction=dejavu.halftime_margin,
            lstm_prediction=float(lstm),
            dejavu_weight=self.ensemble.dejavu_weight,
            lstm_weight=self.ensemble.lstm_weight,
            similar_games=dejavu.similar_games,
            model_version=self.model_version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecaster(Combiner):
    """Combiner and both models in one process."""

    dejavu: Dejavu
    lstm: HalftimeModel

    def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int = 10
    ) -> list[MarginForecast]:
        """One forecast per request, in order, the same to the bit alone and in any batch."""
        if not requests:
            return []
        patterns = as_patterns([request.pattern for request in requests])
        strengths = [
            self.expected_margin(request.expected_margin, request.home_team, request.away_team)
            for request in requests
        ]
        expected = np.asarray([margin for margin, _ in strengths])
        dejavu = self.dejavu.forecast(
            patterns,
            expected,
            exclude=[request.exclude_game_id for request in requests],
            similar=similar,
        )
        lstm = self.lstm.forecast(patterns, expected)
        return [
            self.combine(request.pattern, request.alpha, margin, source, analogy, float(recurrent))
            for request, (margin, source), analogy, recurrent in zip(
                requests, strengths, dejavu, lstm, strict=True
            )
        ]
