"""The drift alarm: whether outcomes still fall where the calibrated forecasts say they do."""

from dataclasses import dataclass

import numpy as np

from models.errors import DataError
from models.game.pattern import FloatArray

# Simple jumper: five accounts that bet on low or high levels, and how much changes hands each time.
BETS: FloatArray = np.asarray([-1.0, -0.5, 0.0, 0.5, 1.0])
JUMP = 0.01

# While the forecasts are calibrated the capital ever reaches c with a chance of at most 1 / c
# (Ville's inequality).
THRESHOLD = 100.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two bets against the calibration, each the capital that a stake of 1 has become.

    `location` grows where outcomes lie too high or too low, `spread` where intervals are too narrow
    or too wide; `highest` is the largest that either ever was. `raised` says that it reached
    `THRESHOLD`, which happens in less than one of fifty seasons while the forecasts are right.
    """

    games: int
    location: float
    spread: float
    highest: float

    @property
    def raised(self) -> bool:
        """Whether the forecasts' calibration is refuted."""
        return self.highest >= THRESHOLD


def drift_alarm(levels: FloatArray) -> Alarm:
    """The alarm after outcomes (n,) in order of time, as levels of their predictive distributions.

    A level is the probability that the forecast gave to a smaller margin (PIT). The bets are simple
    jumper martingales (Vovk et al., "Algorithmic Learning in a Random World", 2nd ed., 8.1) on the
    levels and on their distance from the middle. Raises DataError on levels outside 0..1.
    """
    if not bool(((levels >= 0.0) & (levels <= 1.0)).all()):
        raise DataError("drift alarm: expected levels from 0 to 1")
    location = jumper_capital(levels)
    spread = jumper_capital(np.abs(2.0 * levels - 1.0))
    everything = np.concatenate(([1.0], location, spread))
    return Alarm(
        games=len(levels),
        location=float(location[-1]) if len(levels) else 1.0,
        spread=float(spread[-1]) if len(levels) else 1.0,
        highest=float(np.max(everything)),
    )


def jumper_capital(levels: FloatArray) -> FloatArray:
    """Capital (n,) of the simple jumper after each of the levels (n,)."""
    accounts = np.full(len(BETS), 1.0 / len(BETS))
    capital = np.zeros(len(levels))
    for place, level in enumerate(levels):
        accounts = accounts * (1.0 + BETS * (level - 0.5))
        capital[place] = np.sum(accounts)
        accounts = (1.0 - JUMP) * accounts + JUMP * capital[place] / len(BETS)
    return capital
