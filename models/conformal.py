"""Conformal calibration: an interval around a forecast that keeps its promise."""

import math
from dataclasses import dataclass

import numpy as np

from models.errors import AlphaError, DataError
from models.pattern import FloatArray


@dataclass(frozen=True, slots=True)
class ConformalInterval:
    """Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018).

    1. `scores` (n,), ascending, are |actual − forecast| in points over calibration games that
       nothing before had seen. They come from the last seasons alone, for the spread of margins
       grows with the years.
    2. The half width at miscoverage alpha is the ⌈(1 − alpha)(n + 1)⌉-th smallest score; the + 1
       is the finite-sample correction.
    3. Past the largest score there is no evidence: the half width goes on along an exponential
       tail with the mean excess of the largest twentieth of the scores. It stays finite and grows
       as alpha falls, but the guarantee ends at `smallest_alpha`.

    The half width is added to the forecast, never multiplied by it: margins cross zero.
    """

    scores: FloatArray

    def __post_init__(self) -> None:
        valid = self.scores.ndim == 1 and len(self.scores) > 0
        valid = valid and bool(np.isfinite(self.scores).all()) and float(self.scores[0]) >= 0
        if not valid or bool((np.diff(self.scores) < 0).any()):
            raise DataError("conformal scores: expected finite numbers from 0 upwards, ascending")

    @classmethod
    def fit(cls, forecasts: FloatArray, actual: FloatArray) -> "ConformalInterval":
        """Calibrate on forecasts (n,) and what happened (n,), both in points."""
        return cls(np.sort(np.abs(actual - forecasts)))

    @property
    def smallest_alpha(self) -> float:
        """The smallest alpha that the number of scores can vouch for."""
        return 1.0 / (len(self.scores) + 1)

    def half_width(self, alpha: float) -> float:
        """Half the width in points at miscoverage `alpha`; raises AlphaError outside (0, 1)."""
        if not 0.0 < alpha < 1.0:
            raise AlphaError(
                f"alpha: expected a number between 0 and 1, both excluded; got {alpha}"
            )
        # The slack keeps 0.95 · 20 = 19.000…1 from asking for one score more.
        rank = math.ceil((1.0 - alpha) * (len(self.scores) + 1) - 1e-9)
        if rank <= len(self.scores):
            return float(self.scores[max(rank, 1) - 1])
        beyond = max(math.log(self.smallest_alpha) - math.log(alpha), 0.0)
        return float(self.scores[-1]) + self._tail_points() * beyond

    def interval(self, point: float, alpha: float) -> tuple[float, float]:
        """Lower and upper end around `point`, in points; raises AlphaError outside (0, 1)."""
        half_width = self.half_width(alpha)
        return point - half_width, point + half_width

    def _tail_points(self) -> float:
        """Mean excess of the scores over their 95th percentile."""
        threshold = float(np.quantile(self.scores, 0.95))
        return float(np.mean(self.scores[self.scores >= threshold])) - threshold
