"""Metrics: how good forecasts and their intervals were, in points.

Interval score and CRPS as in Gneiting & Raftery, "Strictly Proper Scoring Rules, Prediction, and
Estimation", JASA 102 (2007). Every function takes arrays (n,) and returns the mean over them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.errors import AlphaError, DataError
from models.game.pattern import FloatArray

Values = Sequence[float] | npt.NDArray[np.generic]

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Scores:
    """Point accuracy and interval quality over some games; `games` is how many."""

    games: int
    mae: float
    rmse: float
    crps: float
    coverage: float
    width: float
    interval_score: float


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean loss minus the other's mean loss over the same games, and its standard error.

    A negative mean says the first one was better.
    """

    mean: float
    standard_error: float

    @classmethod
    def of(cls, losses: FloatArray, others: FloatArray) -> "PairedDifference":
        """From the losses (n,) of both; raises DataError on fewer than two games."""
        if len(losses) < 2:
            raise DataError(f"paired difference: expected at least 2 games; got {len(losses)}")
        differences = losses - others
        error = np.std(differences, ddof=1) / math.sqrt(len(differences))
        return cls(float(np.mean(differences)), float(error))


def mae(forecast: Values, actual: Values) -> float:
    """Mean absolute error."""
    one, other = _columns(forecast, actual)
    return float(np.mean(np.abs(one - other)))


def rmse(forecast: Values, actual: Values) -> float:
    """Root mean squared error."""
    one, other = _columns(forecast, actual)
    return float(np.sqrt(np.mean((one - other) ** 2)))


def coverage(lower: Values, upper: Values, actual: Values) -> float:
    """Share of outcomes inside the interval, its ends included."""
    low, high, outcome = _columns(lower, upper, actual)
    return float(np.mean((low <= outcome) & (outcome <= high)))


def share_below(quantile: Values, actual: Values) -> float:
    """Share of outcomes below their predicted quantile; one that is equal to it counts half.

    An outcome is a whole number of points and stands for half a point to either side of it, which a
    quantile at that number cuts in the middle. Of a calibrated forecast the share is the level.
    """
    predicted, outcome = _columns(quantile, actual)
    return float(np.mean((outcome < predicted) + 0.5 * (outcome == predicted)))


def width(lower: Values, upper: Values) -> float:
    """Mean width of the intervals."""
    low, high = _columns(lower, upper)
    return float(np.mean(high - low))


def interval_score(lower: Values, upper: Values, actual: Values, alpha: Values | float) -> float:
    """Interval score of central 1 − alpha intervals (section 6.2, eq. 43); less is better."""
    low, high, outcome, level = _columns(lower, upper, actual, _levels(alpha, len(actual)))
    missed = np.maximum(low - outcome, 0.0) + np.maximum(outcome - high, 0.0)
    return float(np.mean(high - low + 2.0 / level * missed))


def crps_gaussian(mean: Values, sd: Values, actual: Values) -> float:
    """CRPS of normal predictive distributions (section 4.2, sign turned); less is better.

    Raises DataError where a standard deviation is not above 0.
    """
    centre, spread, outcome = _columns(mean, sd, actual)
    if not (spread > 0).all():
        raise DataError("crps: expected standard deviations above 0")
    z = (outcome - centre) / spread
    cdf = np.asarray([_NORMAL.cdf(value) for value in z.tolist()])
    density = np.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi)
    return float(np.mean(spread * (z * (2.0 * cdf - 1.0) + 2.0 * density - 1 / math.sqrt(math.pi))))


def crps_interval(lower: Values, upper: Values, actual: Values, alpha: Values | float) -> float:
    """CRPS of the normal distribution whose central 1 − alpha interval is [lower, upper].

    That is what a logged forecast says about the outcome: its middle and its interval.
    """
    low, high, outcome, level = _columns(lower, upper, actual, _levels(alpha, len(actual)))
    z = np.asarray([_NORMAL.inv_cdf(1.0 - value / 2.0) for value in level.tolist()])
    return crps_gaussian((low + high) / 2.0, (high - low) / (2.0 * z), outcome)


def score(
    point: Values, lower: Values, upper: Values, actual: Values, alpha: Values | float
) -> Scores:
    """All metrics at once; `alpha` is one level or one per game.

    Raises DataError on no games or on columns of different lengths, AlphaError on a level outside
    (0, 1).
    """
    return Scores(
        games=len(actual),
        mae=mae(point, actual),
        rmse=rmse(point, actual),
        crps=crps_interval(lower, upper, actual, alpha),
        coverage=coverage(lower, upper, actual),
        width=width(lower, upper),
        interval_score=interval_score(lower, upper, actual, alpha),
    )


def paired_difference(forecast: Values, other: Values, actual: Values) -> PairedDifference:
    """How the absolute errors of two forecasts of the same games differ; needs two games."""
    one, two, outcome = _columns(forecast, other, actual)
    return PairedDifference.of(np.abs(outcome - one), np.abs(outcome - two))


def _columns(*values: Values) -> list[FloatArray]:
    columns = [np.asarray(column, dtype=np.float64) for column in values]
    lengths = {column.shape for column in columns}
    if len(lengths) != 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise DataError(
            f"metrics: expected columns of one length, at least 1; got shapes {sorted(lengths)}"
        )
    return columns


def _levels(alpha: Values | float, rows: int) -> FloatArray:
    levels = np.asarray(alpha, dtype=np.float64)
    if not ((levels > 0) & (levels < 1)).all():
        raise AlphaError(f"alpha: expected numbers between 0 and 1, both excluded; got {alpha}")
    return np.full(rows, levels) if levels.ndim == 0 else levels
