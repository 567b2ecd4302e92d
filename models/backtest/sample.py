"""A sample: games at one clock with what came of them, to learn a baseline from or to test it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.game.game_state import States, increments, states_at
from models.game.games import GameTable
from models.game.horizon import HORIZONS, Horizon
from models.game.pattern import FloatArray

# The spread of margins grew with the years, so residuals are taken of the last seasons only.
SPREAD_SEASONS = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """n games at the end of one minute; `increment` (n,) is what the margin gained up to the end.

    `season` (n,) are starting years; margins are in points.
    """

    horizon: Horizon
    states: States
    increment: FloatArray
    season: npt.NDArray[np.int16]

    @classmethod
    def of(cls, games: GameTable, expected: FloatArray, horizon: Horizon, minute: int) -> Self:
        """The games at the end of `minute`; `expected` (n,) are pregame expected margins."""
        gained = increments(games, minute)[:, HORIZONS.index(horizon)]
        return cls(horizon, states_at(games, expected, minute), gained, games.season)

    @property
    def actual(self) -> FloatArray:
        """The margins (n,) at the horizon."""
        return self.states.present + self.increment

    @property
    def final(self) -> bool:
        """Whether it is about who wins."""
        return self.horizon == "final"

    def recent(self, seasons: int = SPREAD_SEASONS) -> npt.NDArray[np.bool_]:
        """Which games (n,) are of the last `seasons` seasons."""
        last = np.unique(self.season)[-seasons:]
        return np.isin(self.season, last)

    def rows(self, chosen: npt.NDArray[np.bool_]) -> "Sample":
        """The sample with some of its games (n,) alone."""
        return Sample(
            self.horizon, self.states.rows(chosen), self.increment[chosen], self.season[chosen]
        )
