"""Due forecasts: what is to be forecast, with all that it may be made from."""

import datetime
from dataclasses import dataclass
from typing import Literal

from models.game.clock import GameClock
from models.game.game_state import GameState

RevisionReason = Literal["late_update", "score_correction"]
ForecastKind = Literal["prediction", "running", "comparison"] | RevisionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class DueForecast:
    """A forecast to be made, from what was known when it fell due.

    `kind` is `prediction` for the one that is frozen, the reason for which that is revised, or
    `running` for the one at the present clock; `comparison` only looks for similar games. `state`
    is the game at 6:00 of Q2, at `clock` where it is a running one, at the end of the last whole
    minute where it is a comparison. `updates` counts the updates of the game that were known.
    """

    game_id: str
    home_team: str
    away_team: str
    expected_margin: float | None
    day: datetime.date | None
    playoffs: bool
    kind: ForecastKind
    state: GameState
    clock: GameClock
    updates: int
    minutes_carried_forward: int = 0

    @property
    def pattern(self) -> list[float]:
        """Margins at the end of the minutes played, in points."""
        return list(self.state.pattern)
