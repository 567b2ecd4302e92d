"""The calibration games' forecasts: what the interval of any ensemble is made from."""

from dataclasses import dataclass

from models.conformal import ConformalInterval
from models.ensemble import Ensemble
from models.errors import DataError
from models.pattern import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Forecasts of calibration games that nothing before saw, and what happened; arrays (n,).

    `present` is the margin at the trigger, `actual` the one at halftime, in points. The forecasts
    are kept instead of their errors, so that other ensemble weights get an interval of their own.
    """

    dejavu: FloatArray
    lstm: FloatArray
    present: FloatArray
    actual: FloatArray

    def __post_init__(self) -> None:
        if len({len(self.dejavu), len(self.lstm), len(self.present), len(self.actual)}) != 1:
            raise DataError("calibration: expected arrays of one length")

    def interval(self, ensemble: Ensemble) -> ConformalInterval:
        """The interval of the ensemble with these weights."""
        return ConformalInterval.fit(ensemble.combine(self.dejavu, self.lstm), self.actual)

    def persistence(self) -> ConformalInterval:
        """The interval of the baseline: the margin stays."""
        return ConformalInterval.fit(self.present, self.actual)
