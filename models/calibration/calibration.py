"""Calibration: from the errors of earlier forecasts to the distribution of the next one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from models.calibration.distribution import GRID_LEVELS, MarginDistribution, Shape
from models.errors import DataError
from models.game.game_state import GameState
from models.game.horizon import END_MINUTE, REGULATION_MINUTES, Horizon, cell_of
from models.game.league import NBA, SECONDS_PER_MINUTE
from models.game.pattern import FloatArray

FEWEST_GAMES = 20
OVERTIME_START = REGULATION_MINUTES - NBA.overtime_seconds // SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSettings:
    """How fast old games are forgotten, in games, and how many are kept.

    The spread follows the level of the errors quickly, the shape of them changes slowly.
    """

    spread_half_life: float = 600.0
    shape_half_life: float = 1600.0
    window: int = 4000
    warm_up: int = 100


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Rolling split-conformal calibration with decayed weights, one cell per horizon and minute.

    1. An error is actual − forecast in points, of a forecast that was made without knowing the
       game. `CELLS` says which horizon and minute each column belongs to.
    2. Its score is the error over the spread: the root of the decayed mean of squared errors in
       the same cell, as it stood before the game's day. So scores are comparable although the
       spread of margins has grown over the years (normalised scores: Papadopoulos et al. 2011;
       one cell per time left: Mondrian, Vovk et al. 2005).
    3. The predictive distribution of a new forecast is the weighted empirical distribution of the
       scores, times the present spread, around the point (conformal predictive distributions:
       Vovk et al. 2019; weights that decay with age, for data that drift: Barber et al. 2023).

    crepes (0.9.1) has conformal predictive systems with normalisation and Mondrian categories, but
    no weights; MAPIE (1.6.0) has neither predictive distributions nor decaying weights. Where all
    weights are equal this agrees with crepes, which a test checks.

    `scores` (n, cells) are of the newest games, oldest first; `squares` (cells,) and `mass` are
    the decayed sum of squared errors and of weights.
    """

    scores: FloatArray
    squares: FloatArray
    mass: float
    settings: CalibrationSettings = field(default_factory=CalibrationSettings)

    @classmethod
    def fit(
        cls,
        errors: FloatArray,
        dates: npt.NDArray[np.datetime64],
        settings: CalibrationSettings | None = None,
    ) -> Self:
        """From errors (n, cells) in points of past games in order of date.

        Raises DataError where there are too few games. The first games only set the spread.
        """
        settings = settings or CalibrationSettings()
        first = min(settings.warm_up, len(errors) // 2)
        if len(errors) < FEWEST_GAMES:
            raise DataError(
                f"calibration: expected at least {FEWEST_GAMES} games; got {len(errors)}"
            )
        weights = _decayed(first, settings.spread_half_life)
        start = cls(
            scores=np.zeros((0, errors.shape[1])),
            squares=np.sum(weights[:, None] * errors[:first] ** 2, axis=0),
            mass=float(np.sum(weights)),
            settings=settings,
        )
        return start.walk(errors[first:], dates[first:])

    def walk(self, errors: FloatArray, dates: npt.NDArray[np.datetime64]) -> Self:
        """The calibration after games (n, cells) in order of date, taken day by day.

        All games of a day are scored by the spread as it stood before the day.
        """
        half_life = self.settings.spread_half_life
        squares, mass, scores = self.squares, self.mass, [self.scores]
        for day in days(dates):
            today = errors[day]
            scores.append(today / np.sqrt(squares / mass))
            weights = _decayed(len(today), half_life)
            decay = 0.5 ** (len(today) / half_life)
            squares = squares * decay + np.sum(weights[:, None] * today**2, axis=0)
            mass = mass * decay + float(np.sum(weights))
        kept = np.vstack(scores)[-self.settings.window :]
        return replace(self, scores=kept, squares=squares, mass=mass)

    @cached_property
    def spreads(self) -> FloatArray:
        """Root of the decayed mean squared error (cells,), in points."""
        spreads: FloatArray = np.sqrt(self.squares / self.mass)
        return spreads

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The distribution of the scores in each cell."""
        return tuple(self.shape(cell) for cell in range(self.scores.shape[1]))

    def shape(self, cell: int) -> Shape:
        """The distribution of the scores in one cell, made when it is first asked for."""
        if cell not in self._made_shapes:
            weights = _decayed(len(self.scores), self.settings.shape_half_life)
            self._made_shapes[cell] = _shape(self.scores[:, cell], weights)
        return self._made_shapes[cell]

    @cached_property
    def _made_shapes(self) -> dict[int, Shape]:
        return {}

    def one_cell(self, cell: int) -> Self:
        """This calibration of one cell alone, then cell 0: quicker to walk."""
        return replace(self, scores=self.scores[:, [cell]], squares=self.squares[[cell]])

    @property
    def effective_games(self) -> float:
        """How many equally weighted games the shapes are worth (Kish)."""
        weights = _decayed(len(self.scores), self.settings.shape_half_life)
        return float(np.sum(weights) ** 2 / np.sum(weights**2))

    def distribution(
        self, horizon: Horizon, state: GameState, point: float, *, unsure: float = 0.0
    ) -> MarginDistribution:
        """The distribution around `point`, the margin forecast from `state`, in points.

        `unsure` is the variance (points²) by which the expected margin is less sure than those of
        the calibration's games; it counts for the part of the game that is still to come.

        Between two whole minutes variance and shape are between theirs. At the horizon's end the
        margin is certain; only a tie at the end of regulation leads to an overtime, from whose
        start it is as uncertain as with the same time left in regulation.
        """
        minute, share = state.clock
        spread, shape = self._cell(horizon, minute, state.margin)
        if share:
            later, next_shape = self._cell(horizon, minute + 1, state.margin)
            spread = math.sqrt((1.0 - share) * spread**2 + share * later**2)
            shape = shape.mixed(next_shape, share)
        if unsure and spread:
            left = max(END_MINUTE[horizon] - minute - share, 0.0) / REGULATION_MINUTES
            spread = math.sqrt(spread**2 + left**2 * unsure)
        return MarginDistribution(horizon=horizon, point=point, spread=spread, shape=shape)

    def _cell(self, horizon: Horizon, minute: int, margin: float) -> tuple[float, Shape]:
        """Spread in points and shape at a whole minute."""
        if minute >= END_MINUTE[horizon]:
            if horizon == "halftime" or margin != 0.0:
                return 0.0, self.shape(cell_of(horizon, END_MINUTE[horizon] - 1))
            minute = OVERTIME_START
        cell = cell_of(horizon, minute)
        return float(self.spreads[cell]), self.shape(cell)


def days(dates: npt.NDArray[np.datetime64]) -> Iterator[slice]:
    """The rows of each date, in order; `dates` (n,) ascending."""
    starts = np.flatnonzero(np.diff(dates, prepend=np.datetime64("NaT", "D")) != 0)
    for start, stop in pairwise([*starts.tolist(), len(dates)]):
        yield slice(start, stop)


def _decayed(games: int, half_life: float) -> FloatArray:
    """Weights (n,) of games, oldest first; the newest weighs 1."""
    weights: FloatArray = 0.5 ** (np.arange(games - 1, -1, -1) / half_life)
    return weights


def _shape(scores: FloatArray, weights: FloatArray) -> Shape:
    """Weighted quantiles: a score stands at the middle of its weight.

    The total weight counts one unseen score more, half of it on either side: the finite-sample
    correction of split conformal prediction.
    """
    order = np.argsort(scores, kind="stable")
    ordered, mass = scores[order], weights[order]
    total = float(np.sum(mass)) + 1.0
    middles = (0.5 + np.cumsum(mass) - 0.5 * mass) / total
    return Shape(
        np.interp(GRID_LEVELS, middles, ordered), _mean_excess(-ordered), _mean_excess(ordered)
    )


def _mean_excess(scores: FloatArray) -> float:
    """How far the largest twentieth of the scores lie beyond where it begins, on average."""
    threshold = float(np.quantile(scores, 0.95))
    return float(np.mean(scores[scores >= threshold])) - threshold
