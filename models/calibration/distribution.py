"""The predictive distribution of a margin: every quantile and probability from one curve."""

import math
from dataclasses import dataclass

import numpy as np

from models.errors import AlphaError, DataError
from models.game.horizon import Horizon
from models.game.pattern import FloatArray

QUANTILE_LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)

# The levels at which the shape of the errors is kept: 0.5 % to 99.5 %. Beyond, it goes on along an
# exponential tail, which is finite and monotone but has no evidence of its own.
GRID_LEVELS: FloatArray = np.round(np.arange(1, 200) * 0.005, 3)
LOWEST, HIGHEST = float(GRID_LEVELS[0]), float(GRID_LEVELS[-1])
SMALLEST_TAIL = 2.0**-53  # less would make the level above it 1


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How errors are spread in units of the expected spread: their quantiles at `GRID_LEVELS`.

    `lower_tail` and `upper_tail` are the mean excess beyond the outermost quantiles.
    """

    quantiles: FloatArray
    lower_tail: float
    upper_tail: float

    def __post_init__(self) -> None:
        valid = self.quantiles.shape == GRID_LEVELS.shape
        if not valid or not bool((np.diff(self.quantiles) >= 0).all()):
            raise DataError(
                f"shape: expected {len(GRID_LEVELS)} ascending quantiles; "
                f"got shape {self.quantiles.shape}"
            )
        if not (self.lower_tail >= 0 and self.upper_tail >= 0):
            raise DataError(
                f"shape: expected tails of at least 0; got {self.lower_tail}, {self.upper_tail}"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Shape):
            return NotImplemented
        return np.array_equal(self.quantiles, other.quantiles) and (
            (self.lower_tail, self.upper_tail) == (other.lower_tail, other.upper_tail)
        )

    __hash__ = None  # type: ignore[assignment]

    def quantile(self, level: float) -> float:
        """The error, in spreads, below which a share `level` of the errors lies."""
        if level < LOWEST:
            return float(self.quantiles[0]) - self.lower_tail * math.log(LOWEST / level)
        if level > HIGHEST:
            return float(self.quantiles[-1]) + self.upper_tail * math.log(
                (1.0 - HIGHEST) / (1.0 - level)
            )
        return float(np.interp(level, GRID_LEVELS, self.quantiles))

    def level(self, error: float) -> float:
        """The share of errors below `error`, in spreads: the inverse of `quantile`."""
        low, high = float(self.quantiles[0]), float(self.quantiles[-1])
        if error < low:
            return LOWEST * _decay(low - error, self.lower_tail)
        if error > high:
            return 1.0 - (1.0 - HIGHEST) * _decay(error - high, self.upper_tail)
        return float(np.interp(error, self.quantiles, GRID_LEVELS))

    def mixed(self, other: "Shape", share: float) -> "Shape":
        """The shape a `share` of the way to `other`, quantile by quantile."""
        keep = 1.0 - share
        return Shape(
            keep * self.quantiles + share * other.quantiles,
            keep * self.lower_tail + share * other.lower_tail,
            keep * self.upper_tail + share * other.upper_tail,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginDistribution:
    """What the margin at a horizon may be, in points: `point` + `spread` · error.

    Monotone by construction; quantiles, intervals and probabilities are read off one curve, so
    they never contradict each other. A `spread` of 0 is a margin that is already certain.
    """

    horizon: Horizon
    point: float
    spread: float
    shape: Shape

    def quantile(self, level: float) -> float:
        """The margin below which a share `level` lies; raises AlphaError outside (0, 1)."""
        if not 0.0 < level < 1.0:
            raise AlphaError(
                f"level: expected a number between 0 and 1, both excluded; got {level}"
            )
        return self.point + (self.spread * self.shape.quantile(level) if self.spread else 0.0)

    def quantiles(self) -> tuple[float, ...]:
        """The margins at `QUANTILE_LEVELS`."""
        return tuple(self.quantile(level) for level in QUANTILE_LEVELS)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Central interval with coverage 1 − alpha; raises AlphaError outside (0, 1)."""
        if not 0.0 < alpha < 1.0:
            raise AlphaError(
                f"alpha: expected a number between 0 and 1, both excluded; got {alpha}"
            )
        tail = max(alpha / 2.0, SMALLEST_TAIL)
        return self.quantile(tail), self.quantile(1.0 - tail)

    def below(self, margin: float) -> float:
        """The share of the curve below `margin`."""
        if self.spread == 0.0:
            return 1.0 if self.point < margin else 0.0
        return self.shape.level((margin - self.point) / self.spread)

    def probability_above(self, line: float) -> float:
        """P(margin > line), the margin being a whole number.

        The curve is cut half way between the two whole numbers around the line. A final margin is
        never 0, so there the cut between −1 and 1 is at 0.
        """
        return 1.0 - self.below(self._cut(line))

    @property
    def win_probability(self) -> float | None:
        """P(home wins), of the final margin only: `probability_above(0)`."""
        return self.probability_above(0.0) if self.horizon == "final" else None

    def _cut(self, line: float) -> float:
        if self.horizon == "final" and -1.0 <= line < 1.0:
            return 0.0
        return math.floor(line) + 0.5


def _decay(excess: float, mean_excess: float) -> float:
    return math.exp(-excess / mean_excess) if mean_excess > 0 else 0.0
