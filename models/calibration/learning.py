"""Learning: how far forecasts from every minute of a game were off, of many games or of one."""

from collections.abc import Callable, Sequence

import numpy as np

from models.game.game_state import GameState, States, increments, states_at
from models.game.games import GameTable
from models.game.horizon import CELLS, HORIZONS, REGULATION_MINUTES
from models.game.league import SECONDS_PER_MINUTE
from models.game.pattern import FloatArray

ERROR_DECIMALS = 2

Increments = Callable[[States], FloatArray]


def no_increments(states: States) -> FloatArray:
    """Persistence as a model: the margin stays. Increments (n, 2) of zero."""
    return np.zeros((len(states), len(HORIZONS)))


def game_errors(model: Increments, games: GameTable, expected: FloatArray) -> FloatArray:
    """Actual − forecast (n, cells) in points, from every minute of many games."""
    errors = np.zeros((len(games), REGULATION_MINUTES, len(HORIZONS)))
    for minute in range(REGULATION_MINUTES):
        states = states_at(games, expected, minute)
        errors[:, minute] = increments(games, minute) - model(states)
    return _by_cell(errors)


def course(margins: Sequence[float], last_score: Sequence[int]) -> list[GameState]:
    """The states of one game at minutes 0..47, from its margins (48,) and last scores (48,)."""
    tip_off = GameState(pattern=(), margin=0.0, elapsed_seconds=0.0)
    return [
        tip_off,
        *(
            GameState(
                pattern=tuple(float(margin) for margin in margins[:minute]),
                margin=float(margins[minute - 1]),
                elapsed_seconds=float(minute * SECONDS_PER_MINUTE),
                last_score=int(last_score[minute - 1]),
            )
            for minute in range(1, REGULATION_MINUTES)
        ),
    ]


def course_errors(
    forecasts: Sequence[Sequence[float]], halftime: float, final: float
) -> tuple[float, ...]:
    """Actual − forecast (cells,) of one game, from a model's margins at minutes 0..47."""
    errors = np.asarray([halftime, final]) - np.asarray(forecasts, dtype=np.float64)
    return tuple(_by_cell(errors[None])[0].tolist())


def _by_cell(errors: FloatArray) -> FloatArray:
    """Errors (n, 48, 2) as (n, cells), in hundredths of a point, as logs and stores keep them."""
    columns: FloatArray = np.zeros((len(errors), len(CELLS)))
    for cell, (horizon, minute) in enumerate(CELLS):
        columns[:, cell] = errors[:, minute, HORIZONS.index(horizon)]
    return columns.round(ERROR_DECIMALS)
