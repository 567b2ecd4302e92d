"""The ensemble: one forecast out of Dejavu's and the LSTM's."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from models.errors import ForecastError
from models.game.pattern import FloatArray

# Named weights (Dejavu, LSTM). `original` is the 40/60 of the first published design.
PRESETS = MappingProxyType({"original": (0.4, 0.6)})

# How far from 0.5 Dejavu's share is taken to lie before any game is seen.
PRIOR_SD = 0.25

Margins = TypeVar("Margins", float, FloatArray)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A weighted mean of the two forecasts; the weights are not negative and sum to 1."""

    dejavu_weight: float
    lstm_weight: float

    def __post_init__(self) -> None:
        weights = (self.dejavu_weight, self.lstm_weight)
        if not (min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-9):
            raise ForecastError(
                f"ensemble weights: expected two numbers from 0 to 1 that sum to 1; got {weights}"
            )

    @classmethod
    def from_weights(cls, weights: Sequence[float] | str) -> "Ensemble":
        """An ensemble from `[dejavu, lstm]` weights or from the name of a preset."""
        if isinstance(weights, str):
            if weights not in PRESETS:
                raise ForecastError(
                    f"ensemble weights: expected one of {sorted(PRESETS)} or two numbers; "
                    f"got {weights!r}"
                )
            weights = PRESETS[weights]
        if len(weights) != 2:
            raise ForecastError(
                f"ensemble weights: expected two, [dejavu, lstm]; got {len(weights)}"
            )
        return cls(float(weights[0]), float(weights[1]))

    @classmethod
    def fit(cls, dejavu_errors: FloatArray, lstm_errors: FloatArray) -> "Ensemble":
        """Weights from errors (n, cells) of games that neither model saw, in points.

        Least squares for Dejavu's share with a normal prior at 0.5: two good models differ by so
        little that a few seasons alone would let chance choose between them. Every cell counts
        the same, and all cells of a game count as one observation.
        """
        spread = np.sqrt(np.mean(lstm_errors**2, axis=0))
        spread = np.where(spread > 0, spread, 1.0)
        lstm, difference = lstm_errors / spread, (dejavu_errors - lstm_errors) / spread
        prior = 1.0 / PRIOR_SD**2
        explained = -float(np.sum(np.mean(difference * lstm, axis=1)))
        total = float(np.sum(np.mean(difference**2, axis=1))) + prior
        dejavu_weight = round(min(max((explained + prior * 0.5) / total, 0.0), 1.0), 4)
        return cls(dejavu_weight, round(1.0 - dejavu_weight, 4))

    def combine(self, dejavu: Margins, lstm: Margins) -> Margins:
        """The weighted mean of margins or of errors in points, one or an array."""
        return self.dejavu_weight * dejavu + self.lstm_weight * lstm
