"""Drift: what the lead, the expected margin and the last score alone say of what is to come."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.game.game_state import QUARTER_MINUTES, States, increments, states_at
from models.game.games import GameTable
from models.game.horizon import HALFTIME_MINUTE, HORIZONS, REGULATION_MINUTES
from models.game.last_score import CLASSES
from models.game.pattern import FloatArray

# Strength of the ridge penalty, in games, on coefficients of standardised features. With thousands
# of games it only keeps a feature that does not vary (the margin at tip-off) at zero.
PENALTY_GAMES = 50.0
POSSESSION_MINUTES = 3
FEATURES = 4  # constant, present margin, expected margin, expected margin × size of the lead


@dataclass(frozen=True, slots=True)
class Drift:
    """A linear forecast of the increments, and the base on which Dejavu and the LSTM build.

    1. `possession` (5,): points that the side of the last score gains from it, by its class
       (`models.game.last_score`). One vector for all minutes and both horizons, for what the ball
       is worth is decided within minutes; at a break it says nothing.
    2. `coefficients` (48, 2, 4): per whole minute from tip-off and per horizon a ridge regression
       (Hoerl & Kennard 1970) of the increment without that, on a constant, the present margin, the
       expected margin, and the expected margin times the size of the lead: strength counts for
       less once a game is decided.

    In Dejavu's terms (Kang et al. 2021) this is the part that is taken off every series before
    similar ones are looked for, and put back on the forecast.
    """

    possession: FloatArray
    coefficients: FloatArray

    def __post_init__(self) -> None:
        expected = ((CLASSES,), (REGULATION_MINUTES, len(HORIZONS), FEATURES))
        if (self.possession.shape, self.coefficients.shape) != expected:
            raise DataError(
                f"drift: expected arrays of shapes {expected}; "
                f"got {self.possession.shape} and {self.coefficients.shape}"
            )

    @classmethod
    def fit(cls, games: GameTable, expected: FloatArray) -> Self:
        """Learn from past games and their expected margins (n,), in points."""
        possession = _fit_possession(games, expected)
        coefficients = np.zeros((REGULATION_MINUTES, len(HORIZONS), FEATURES))
        for minute in range(REGULATION_MINUTES):
            states = states_at(games, expected, minute)
            target = increments(games, minute) - _possession(possession, states)[:, None]
            for place in range(len(HORIZONS)):
                if not np.isnan(target[0, place]):
                    features = np.column_stack(_features(states))
                    coefficients[minute, place] = _ridge(features, target[:, place])
        return cls(possession, coefficients)

    def increments(self, states: States) -> FloatArray:
        """Expected increments (n, 2) up to each of `HORIZONS`, in points.

        The same to the bit alone and in any batch. 0 up to a horizon that is reached.
        """
        if states.minute >= REGULATION_MINUTES:
            return np.zeros((len(states), len(HORIZONS)))
        constant, *slopes = np.moveaxis(self.coefficients[states.minute], 1, 0)
        base: FloatArray = constant + _possession(self.possession, states)[:, None]
        for slope, feature in zip(slopes, _features(states), strict=True):
            base = base + slope * feature[:, None]
        if states.minute >= HALFTIME_MINUTE:
            base[:, 0] = 0.0
        return base

    def departures(self, games: GameTable, states: States) -> FloatArray:
        """What past games (n,) gained beyond their drift from these states on, shape (n, 2)."""
        return increments(games, states.minute) - self.increments(states)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name, as a bundle keeps them."""
        return {"possession": self.possession, "coefficients": self.coefficients}


def _features(states: States) -> tuple[FloatArray, ...]:
    """What the regression sees beside its constant, each (n,)."""
    present, expected = states.present, states.expected
    return present, expected, expected * np.abs(present)


def _possession(values: FloatArray, states: States) -> FloatArray:
    """Points (n,) that the last score is worth to home from here on."""
    if states.minute % QUARTER_MINUTES == 0:
        return np.zeros(len(states))
    by_class = np.append(0.0, values)
    worth: FloatArray = np.sign(states.last_score) * by_class[np.abs(states.last_score)]
    return worth


def _fit_possession(games: GameTable, expected: FloatArray) -> FloatArray:
    """Mean gain of the last scorer's side over the next minutes, by class of the last score."""
    gained = np.zeros(CLASSES)
    seen = np.zeros(CLASSES)
    for minute in range(1, REGULATION_MINUTES - POSSESSION_MINUTES):
        to_break = QUARTER_MINUTES - minute % QUARTER_MINUTES
        if minute % QUARTER_MINUTES == 0 or to_break <= POSSESSION_MINUTES:
            continue
        ahead = games.margins[:, minute + POSSESSION_MINUTES - 1] - games.margins[:, minute - 1]
        surprise = ahead - expected * (POSSESSION_MINUTES / REGULATION_MINUTES)
        last = games.last_score[:, minute - 1]
        for place in range(CLASSES):
            chosen = np.abs(last) == place + 1
            gained[place] += float(np.sum(np.sign(last[chosen]) * surprise[chosen]))
            seen[place] += float(np.sum(chosen))
    return gained / (seen + PENALTY_GAMES)


def _ridge(features: FloatArray, target: FloatArray) -> FloatArray:
    """Constant and coefficients (f + 1,) in points per unit of each feature (n, f)."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (features - centre) / spread
    gram = standard.T @ standard + PENALTY_GAMES * np.eye(features.shape[1])
    slopes = np.linalg.solve(gram, standard.T @ (target - target.mean())) / spread
    return np.append(target.mean() - float(centre @ slopes), slopes)
