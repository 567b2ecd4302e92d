"""The forecaster: from the state of a game to the margin at a horizon, with its distribution."""

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from models.calibration.adaptation import Adaptation, Form
from models.calibration.distribution import MarginDistribution
from models.errors import PatternError
from models.forecasters.dejavu import Dejavu, SimilarGame
from models.forecasters.ensemble import Ensemble
from models.forecasters.live_models import DejavuForecast, ask_dejavu, ask_lstm
from models.forecasters.lstm import Lstm
from models.game.game_state import GameState
from models.game.horizon import END_MINUTE, HORIZONS, Horizon
from models.game.pattern import MAX_MARGIN
from models.ratings.strength import StrengthSource as RatedSource

StrengthSource = RatedSource | Literal["caller"]

Component = Literal["dejavu", "lstm", "ensemble"]
# Told how long a component took, in seconds, for all requests of one call.
Observe = Callable[[Component, float], object]


def unobserved(_component: Component, _seconds: float) -> None:
    """Nobody wants to know."""


# Root mean square of the standard deviations of rated expected margins, 2012-2023, in points.
RATED_SD = 2.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """One game state to forecast from, and what is known of the game; margins in points.

    On `date` ratings and calibration are as they stood that morning; without one, the newest.
    `exclude_game_id` names a past game that must not be its own neighbour.
    """

    state: GameState
    horizon: Horizon = "halftime"
    alpha: float = 0.05
    home_team: str | None = None
    away_team: str | None = None
    expected_margin: float | None = None
    date: datetime.date | None = None
    playoffs: bool = False
    exclude_game_id: str | None = None

    def __post_init__(self) -> None:
        minutes, end = len(self.state.pattern), END_MINUTE[self.horizon]
        if self.horizon == "halftime" and minutes >= end:
            raise PatternError(
                f"halftime margin: expected fewer than {end} minutes played; got {minutes}"
            )
        expected = self.expected_margin
        if expected is not None and not abs(expected) <= MAX_MARGIN:  # also refuses NaN
            raise PatternError(
                f"expected margin: expected a number from {-MAX_MARGIN:g} to {MAX_MARGIN:g} "
                f"points; got {expected}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginForecast:
    """The forecast margin at a horizon with its interval at coverage 1 − alpha, all in points.

    `quantiles` are at `QUANTILE_LEVELS`; `win_probability` is of the final margin only.
    `expected_margin_sd` says how unsure the ratings are; None where the caller gave the margin.
    """

    horizon: Horizon
    point_forecast: float
    interval_lower: float
    interval_upper: float
    coverage_probability: float
    quantiles: tuple[float, ...]
    win_probability: float | None
    distribution: MarginDistribution
    expected_margin: float
    expected_margin_sd: float | None
    strength: StrengthSource
    dejavu_prediction: float
    lstm_prediction: float
    dejavu_weight: float
    lstm_weight: float
    similar_games: tuple[SimilarGame, ...]
    model_version: str
    calibration_version: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of a game before it begins, in points, and what that rests on.

    `form` is the one that the whole forecast is made with.
    """

    margin: float
    sd: float | None
    source: StrengthSource
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Combiner:
    """Makes the forecast out of the two models' answers; needs neither model."""

    adaptation: Adaptation
    ensemble: Ensemble
    model_version: str

    def expect(self, request: ForecastRequest) -> Expectation:
        """The caller's expected margin where there is one, else that of the ratings."""
        form = self.adaptation.before(request.date)
        if request.expected_margin is not None:
            return Expectation(float(request.expected_margin), None, "caller", form)
        if self.adaptation.rates(request.date):
            rated = form.strength.expected_margin(
                request.home_team, request.away_team, request.date, playoffs=request.playoffs
            )
        else:
            rated = form.strength.home_advantage_alone("unknown_season", playoffs=request.playoffs)
        return Expectation(rated.margin, rated.sd, rated.source, form)

    def combine(
        self,
        request: ForecastRequest,
        expectation: Expectation,
        dejavu: DejavuForecast,
        lstm: Sequence[float],
    ) -> MarginForecast:
        """The ensemble of both answers, with its distribution.

        `lstm` holds the network's margins by horizon. Raises AlphaError on an impossible alpha.
        """
        place = HORIZONS.index(request.horizon)
        by_dejavu, by_lstm = dejavu.margins[place], float(lstm[place])
        form = expectation.form
        point = self.ensemble.combine(by_dejavu, by_lstm)
        distribution = form.calibration.distribution(
            request.horizon, request.state, point, unsure=unsure(expectation.sd, expectation.source)
        )
        lower, upper = distribution.interval(request.alpha)
        return MarginForecast(
            horizon=request.horizon,
            point_forecast=point,
            interval_lower=lower,
            interval_upper=upper,
            coverage_probability=1.0 - request.alpha,
            quantiles=distribution.quantiles(),
            win_probability=distribution.win_probability,
            distribution=distribution,
            expected_margin=expectation.margin,
            expected_margin_sd=expectation.sd,
            strength=expectation.source,
            dejavu_prediction=by_dejavu,
            lstm_prediction=by_lstm,
            dejavu_weight=self.ensemble.dejavu_weight,
            lstm_weight=self.ensemble.lstm_weight,
            similar_games=dejavu.similar_games,
            model_version=self.model_version,
            calibration_version=form.version,
        )


def unsure(sd: float | None, source: StrengthSource) -> float:
    """Variance, points², by which the expected margin is less sure than one from the ratings.

    The calibration's games were all rated, so their spread holds a rating's own doubt already.
    """
    if source in ("ratings", "caller") or sd is None:
        return 0.0
    return max(sd**2 - RATED_SD**2, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecaster(Combiner):
    """Combiner and both models in one process."""

    dejavu: Dejavu
    lstm: Lstm

    def forecast(
        self,
        requests: Sequence[ForecastRequest],
        *,
        similar: int = 10,
        observe: Observe = unobserved,
    ) -> list[MarginForecast]:
        """One forecast per request, in order, the same to the bit alone and in any batch."""
        begun = time.perf_counter()
        expectations = [self.expect(request) for request in requests]
        states = [request.state for request in requests]
        expected = [expectation.margin for expectation in expectations]
        excluded = [request.exclude_game_id for request in requests]
        looked_up = time.perf_counter()
        analogies = ask_dejavu(self.dejavu, states, expected, excluded, [similar] * len(states))
        searched = time.perf_counter()
        recurrents = ask_lstm(self.lstm, states, expected)
        run = time.perf_counter()
        forecasts = [
            self.combine(request, expectation, analogy, recurrent)
            for request, expectation, analogy, recurrent in zip(
                requests, expectations, analogies, recurrents, strict=True
            )
        ]
        observe("dejavu", searched - looked_up)
        observe("lstm", run - searched)
        observe("ensemble", looked_up - begun + time.perf_counter() - run)
        return forecasts
