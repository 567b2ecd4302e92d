"""The pace of running forecasts: at most one per game and interval, and none of old news."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from models.game.game_state import GameState
from serve_app.game.due_forecast import DueForecast


@dataclass(frozen=True, slots=True)
class Wait:
    """A running forecast that may be asked for in so many seconds."""

    game_id: str
    seconds: float


@dataclass(slots=True)
class RunningPace:
    """Paces the running forecasts of one game; wall clock times are passed in, in seconds.

    An update within the interval is not lost, though no other may follow it for long: the first
    such update gets a `Wait`, at whose end the newest state is handed out.
    """

    interval: float
    _handed_out: GameState | None = None
    _handed_out_at: float = -math.inf
    _waited_for: bool = False

    def ask(
        self, game_id: str, newest: Callable[[], DueForecast | None], now: float
    ) -> DueForecast | Wait | None:
        """What is to be done after an update: forecast, wait, or nothing.

        `newest` gives the forecast of the game as it stands; it is called only where it matters.
        """
        left = self._handed_out_at + self.interval - now
        if left > 0 and self._waited_for:
            return None
        due = newest()
        if due is None or due.state == self._handed_out:
            return None
        if left > 0:
            self._waited_for = True
            return Wait(game_id, left)
        self._handed_out, self._handed_out_at, self._waited_for = due.state, now, False
        return due

    def end_wait(self) -> None:
        """The wait is over: the next to ask is answered."""
        self._waited_for = False
