"""The CRPS of calibrated distributions, exactly as their curve is drawn."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.calibration.distribution import GRID_LEVELS, HIGHEST, LOWEST, Shape
from models.game.pattern import FloatArray


@dataclass(frozen=True, slots=True)
class CurveScore:
    """Continuous ranked probability score of a `Shape`, in spreads.

    CRPS(y) = ∫ F² below y + ∫ (1 − F)² above y (Gneiting & Raftery 2007, eq. 20, sign turned). F is
    straight between the shape's quantiles, where both integrals are cubic, and exponential beyond
    them. `below` and `above` (199,) are the integrals up to and from each quantile.
    """

    shape: Shape
    below: FloatArray
    above: FloatArray

    @classmethod
    def of(cls, shape: Shape) -> Self:
        """Integrate the curve of a shape."""
        steps = np.diff(shape.quantiles)
        low, high = GRID_LEVELS[:-1], GRID_LEVELS[1:]
        under = steps * (low**2 + low * high + high**2) / 3.0
        over = steps * ((1 - low) ** 2 + (1 - low) * (1 - high) + (1 - high) ** 2) / 3.0
        first = LOWEST**2 * shape.lower_tail / 2.0
        last = (1.0 - HIGHEST) ** 2 * shape.upper_tail / 2.0
        below = first + np.append(0.0, np.cumsum(under))
        above = last + np.append(np.cumsum(over[::-1])[::-1], 0.0)
        return cls(shape, below, above)

    def crps(self, errors: FloatArray) -> FloatArray:
        """The scores (n,) of errors (n,), both in spreads."""
        quantiles = self.shape.quantiles
        inside = np.clip(errors, quantiles[0], quantiles[-1])
        place = np.clip(np.searchsorted(quantiles, inside, side="right") - 1, 0, len(quantiles) - 2)
        step = inside - quantiles[place]
        width = quantiles[place + 1] - quantiles[place]
        slope = np.divide(
            GRID_LEVELS[place + 1] - GRID_LEVELS[place],
            width,
            out=np.zeros_like(width),
            where=width > 0,
        )
        low = GRID_LEVELS[place]
        level = low + slope * step
        under = step * (low**2 + low * level + level**2) / 3.0
        over = step * ((1 - low) ** 2 + (1 - low) * (1 - level) + (1 - level) ** 2) / 3.0
        found: FloatArray = self.below[place] + under + self.above[place] - over
        return found + self._beyond(errors)

    def _beyond(self, errors: FloatArray) -> FloatArray:
        """What an error beyond the outermost quantiles adds: the other integral's change."""
        quantiles = self.shape.quantiles
        return _tail(quantiles[0] - errors, self.shape.lower_tail, LOWEST) + _tail(
            errors - quantiles[-1], self.shape.upper_tail, 1.0 - HIGHEST
        )


def _tail(excess: FloatArray, mean_excess: float, level: float) -> FloatArray:
    """∫ (1 − G)² − G² over the excess, G falling exponentially from `level`; 0 where negative."""
    beyond = np.maximum(excess, 0.0)
    if mean_excess <= 0:
        return beyond
    fallen = 1.0 - np.exp(-beyond / mean_excess)
    return beyond - 2.0 * level * mean_excess * fallen
