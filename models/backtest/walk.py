"""The walk: what a bundle says of later games, day by day as the service would.

A game is forecast with what the games of earlier dates taught: they move the ratings and the
calibration, and nothing else does. The points come from the same batch code as in training, the
distributions from the same calibration as in service.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.backtest.curve_score import CurveScore
from models.backtest.forecasts import LEVELS, Forecasts
from models.calibration.adaptation import is_rated
from models.calibration.calibration import Calibration
from models.calibration.learning import ERROR_DECIMALS
from models.forecasters.forecaster import unsure
from models.game.game_state import GameState, increments, states_at
from models.game.games import GameTable
from models.game.horizon import CELLS, HORIZONS, REGULATION_MINUTES, Horizon, cell_of
from models.game.league import SECONDS_PER_MINUTE
from models.game.pattern import FloatArray
from models.ratings.finished_game import days_of, finished_games
from models.ratings.strength import TeamStrength
from models.training.bundle import Bundle

# Before the end of regulation a distribution depends on the clock of a state alone.
_CLOCKS = [
    GameState(
        pattern=(0.0,) * minute, margin=0.0, elapsed_seconds=float(minute * SECONDS_PER_MINUTE)
    )
    for minute in range(REGULATION_MINUTES)
]


@dataclass(frozen=True, slots=True)
class Points:
    """Forecast margins (n, cells) of both models and what happened (n, cells), in points.

    `expected` (n,) are the expected margins they were made with.
    """

    expected: FloatArray
    dejavu: FloatArray
    lstm: FloatArray
    actual: FloatArray

    @classmethod
    def of(cls, bundle: Bundle, games: GameTable, expected: FloatArray) -> Self:
        """What the models of a bundle forecast of games, none of them its own neighbour."""
        lstm = bundle.load_lstm("cpu").over_courses(games, expected)
        exclude = games.game_id.tolist()
        shape = (len(games), len(CELLS))
        by_dejavu, by_lstm, actual = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for minute in range(REGULATION_MINUTES):
            states = states_at(games, expected, minute)
            gained = increments(games, minute)
            found = bundle.dejavu.increments(states, exclude=exclude), lstm(states)
            for place, horizon in enumerate(HORIZONS):
                if np.isnan(gained[0, place]):
                    continue
                cell = cell_of(horizon, minute)
                for margins, told in zip((by_dejavu, by_lstm), found, strict=True):
                    margins[:, cell] = told[:, place] + states.present
                actual[:, cell] = gained[:, place] + states.present
        return cls(expected, by_dejavu, by_lstm, actual)


@dataclass(frozen=True, slots=True)
class Walk:
    """All that a bundle said of n games it had not seen: arrays (n, cells) by `CELLS`."""

    points: Points
    ensemble: FloatArray
    quantiles: FloatArray
    pit: FloatArray
    crps: FloatArray
    win_probability: FloatArray

    def forecasts(self, horizon: Horizon, minute: int) -> dict[str, Forecasts]:
        """The ensemble with its distribution, and the two models' own points."""
        cell = cell_of(horizon, minute)
        return {
            "ensemble": Forecasts(
                point=self.ensemble[:, cell],
                quantiles=self.quantiles[:, cell],
                pit=self.pit[:, cell],
                crps=self.crps[:, cell],
                win_probability=self.win_probability[:, cell],
            ),
            "dejavu": Forecasts.of_points(self.points.dejavu[:, cell]),
            "lstm": Forecasts.of_points(self.points.lstm[:, cell]),
        }


def walk(bundle: Bundle, games: GameTable, given: FloatArray | None = None) -> Walk:
    """Forecast games (n,) after the bundle's last, in order of date.

    `given` (n,) are expected margins of the caller's, in points, NaN where there is none.
    """
    expected, doubt = walked_expectations(bundle.strength, games)
    if given is not None:
        asked = np.isnan(given)
        expected, doubt = np.where(asked, expected, given), np.where(asked, doubt, 0.0)
    points = Points.of(bundle, games, expected)
    return calibrated(bundle, games, points, doubt)


def walked_margins(strength: TeamStrength, games: GameTable) -> FloatArray:
    """Expected margins (n,) from ratings that each finished day moves, as in service."""
    return walked_expectations(strength, games)[0]


def walked_expectations(strength: TeamStrength, games: GameTable) -> tuple[FloatArray, FloatArray]:
    """Expected margins (n,), and by what variance (n,) they are less sure than rated ones.

    In points and points², 0 where both teams and the season are rated.
    """
    expected = np.zeros((len(games), 2))
    finished, seen = finished_games(games), strength.day
    for day in days_of(games):
        for row, game in enumerate(finished[day], start=day.start):
            if is_rated(game.date, seen, strength.day):
                told = strength.expected_margin(
                    game.home, game.away, game.date, playoffs=game.playoffs
                )
            else:
                told = strength.home_advantage_alone("unknown_season", playoffs=game.playoffs)
            expected[row] = told.margin, unsure(told.sd, told.source)
        strength = strength.after(finished[day])
    return expected[:, 0].copy(), expected[:, 1].copy()


def calibrated(
    bundle: Bundle, games: GameTable, points: Points, doubt: FloatArray | None = None
) -> Walk:
    """The distributions of all forecasts, the calibration walked day by day.

    `doubt` (n,) are the variances of `walked_expectations`; without them none is wider.
    """
    wider = np.zeros(len(games)) if doubt is None else doubt
    ensemble = bundle.ensemble.combine(points.dejavu, points.lstm)
    errors = bundle.ensemble.combine(
        (points.actual - points.dejavu).round(ERROR_DECIMALS),
        (points.actual - points.lstm).round(ERROR_DECIMALS),
    )
    shape = ensemble.shape
    found = Walk(
        points,
        ensemble,
        np.zeros((*shape, len(LEVELS))),
        np.zeros(shape),
        np.zeros(shape),
        np.full(shape, np.nan),
    )
    calibration = bundle.calibration
    for day in days_of(games):
        for cell in range(len(CELLS)):
            _fill(found, calibration, day, cell, wider[day])
        calibration = calibration.walk(errors[day], games.date[day])
    return found


def _fill(found: Walk, calibration: Calibration, day: slice, cell: int, doubt: FloatArray) -> None:
    """The distributions of one day's games in one cell, all of the same shape."""
    horizon, minute = CELLS[cell]
    points, actual = found.ensemble[day, cell], found.points.actual[day, cell]
    curves = [
        calibration.distribution(horizon, _CLOCKS[minute], float(point), unsure=float(more))
        for point, more in zip(points, doubt, strict=True)
    ]
    found.quantiles[day, cell] = [[one.quantile(level) for level in LEVELS] for one in curves]
    found.pit[day, cell] = [
        one.below(float(margin)) for one, margin in zip(curves, actual, strict=True)
    ]
    spread = np.asarray([one.spread for one in curves])
    score = CurveScore.of(calibration.shape(cell))
    found.crps[day, cell] = spread * score.crps((actual - points) / spread)
    if horizon == "final":
        found.win_probability[day, cell] = [one.probability_above(0.0) for one in curves]
