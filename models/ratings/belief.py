"""Belief: what is known of a row of quantities, as means and covariances, and how it learns.

The Kalman filter of a dynamic linear model, one observation at a time (West & Harrison, "Bayesian
Forecasting and Dynamic Models", 2nd edition 1997, section 4.3).
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.game.pattern import FloatArray

_sum = np.add.reduce


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A weighted sum of some of the quantities: their `places` (k,) and `weights` (k,)."""

    places: npt.NDArray[np.intp]
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Means (n,) and covariances (n, n) of n quantities; every change makes a new belief.

    Sums run over single numbers, not through a linear algebra library, so that the same results in
    the same order give the same bits on every machine.
    """

    mean: FloatArray
    covariance: FloatArray

    @classmethod
    def independent(cls, mean: FloatArray, variance: FloatArray) -> Self:
        """Quantities that say nothing of each other yet; both arrays (n,)."""
        return cls(mean, np.diag(variance))

    def __len__(self) -> int:
        return len(self.mean)

    def expect(self, contrast: Contrast) -> tuple[float, float]:
        """Mean and variance of the contrast."""
        places, weights = contrast.places, contrast.weights
        block = self.covariance[places[:, np.newaxis], places]
        variance = _sum(_sum(block * weights, axis=1) * weights)
        return float(_sum(self.mean[places] * weights)), float(variance)

    def aged(self, keep: FloatArray, drift: FloatArray) -> Self:
        """After time went by: quantities shrink to `keep` (n,) × and gain `drift` (n,) variance."""
        covariance = self.covariance * (keep[:, np.newaxis] * keep)
        covariance[np.diag_indices(len(self))] += drift
        return type(self)(self.mean * keep, covariance)

    def learned(self, contrast: Contrast, observed: float, noise: float) -> Self:
        """After the contrast was observed with a noise of this variance."""
        shared = self._shared(contrast)
        surprise = observed - _sum(contrast.weights * self.mean[contrast.places])
        variance = _sum(contrast.weights * shared[contrast.places]) + noise
        # One vector on both sides keeps the covariance symmetric to the last bit.
        gain = shared / math.sqrt(variance)
        learned = gain[:, np.newaxis] * gain
        np.subtract(self.covariance, learned, out=learned)
        return type(self)(self.mean + shared * (surprise / variance), learned)

    def grown(self, mean: FloatArray, variance: FloatArray) -> Self:
        """With further quantities at the end that say nothing of the others yet."""
        size, more = len(self), len(mean)
        covariance = np.zeros((size + more, size + more))
        covariance[:size, :size] = self.covariance
        covariance[size:, size:] = np.diag(variance)
        return type(self)(np.append(self.mean, mean), covariance)

    def to_state(self) -> dict[str, list[float]]:
        """Plain JSON data: the means, and the covariances on and below the diagonal, row by row."""
        lower = np.tril_indices(len(self))
        return {"mean": self.mean.tolist(), "covariance": self.covariance[lower].tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any], size: int) -> Self:
        """Read back what `to_state` wrote; raises DataError where it is not one of `size`."""
        mean, lower = (_numbers(state, name) for name in ("mean", "covariance"))
        if (len(mean), len(lower)) != (size, size * (size + 1) // 2):
            raise DataError(
                f"belief: expected {size} means and {size * (size + 1) // 2} covariances; "
                f"got {len(mean)} and {len(lower)}"
            )
        covariance = np.zeros((size, size))
        rows, columns = np.tril_indices(size)
        covariance[rows, columns] = lower
        covariance[columns, rows] = lower
        if not (np.diag(covariance) >= 0).all():
            raise DataError(
                f"belief: expected variances of 0 or more; got {np.diag(covariance).min()}"
            )
        return cls(mean, covariance)

    def _shared(self, contrast: Contrast) -> FloatArray:
        """Covariance (n,) of every quantity with the contrast."""
        rows = self.covariance[contrast.places] * contrast.weights[:, np.newaxis]
        return np.asarray(_sum(rows, axis=0), dtype=np.float64)


def _numbers(state: dict[str, Any], name: str) -> FloatArray:
    try:
        values = [float(value) for value in state[name]]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"belief: expected a list of numbers as {name!r}; {type(error).__name__}: {error}"
        ) from error
    if not all(map(math.isfinite, values)):
        raise DataError(f"belief: expected finite numbers as {name!r}; got some that are not")
    return np.asarray(values, dtype=np.float64)
