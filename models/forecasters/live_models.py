"""Asking the models about live games: from game states at any clock to margins at both horizons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.forecasters.dejavu import Dejavu, SimilarGame
from models.forecasters.lstm import Lstm
from models.game.game_state import GameState, States
from models.game.horizon import HORIZONS
from models.game.pattern import FloatArray

Answers = Callable[[States, Sequence[int]], FloatArray]


@dataclass(frozen=True, slots=True)
class DejavuForecast:
    """Dejavu's margins in points by `HORIZONS`, and the games most similar, nearest first."""

    margins: tuple[float, float]
    similar_games: tuple[SimilarGame, ...]


def ask_dejavu(
    dejavu: Dejavu,
    states: Sequence[GameState],
    expected: Sequence[float],
    exclude: Sequence[str | None],
    similar: Sequence[int],
) -> list[DejavuForecast]:
    """One answer per state, in order.

    Args:
        dejavu: the search.
        states: the games as they stand.
        expected: their expected margins in points.
        exclude: per state the id of a game that must not be its own neighbour, or None.
        similar: how many similar games to name of each, at its last whole minute.
    """
    margins = _margins(
        lambda batch, rows: dejavu.increments(batch, exclude=[exclude[row] for row in rows]),
        states,
        expected,
    )
    named: list[tuple[SimilarGame, ...]] = [()] * len(states)
    if any(similar):
        for batch, rows in _by_minute(states, expected, later=False):
            found = dejavu.similar_games(
                batch, max(similar[row] for row in rows), exclude=[exclude[row] for row in rows]
            )
            for row, games in zip(rows, found, strict=True):
                named[row] = games[: similar[row]]
    return [
        DejavuForecast((halftime, final), games)
        for (halftime, final), games in zip(margins.tolist(), named, strict=True)
    ]


def ask_lstm(
    lstm: Lstm, states: Sequence[GameState], expected: Sequence[float]
) -> list[tuple[float, float]]:
    """The network's margins in points by `HORIZONS`, one pair per state, in order."""
    margins = _margins(lambda batch, _: lstm.increments(batch), states, expected)
    return [(halftime, final) for halftime, final in margins.tolist()]


def _margins(
    answers: Answers, states: Sequence[GameState], expected: Sequence[float]
) -> FloatArray:
    """Margins (n, 2) at each of `HORIZONS`.

    Between two whole minutes a state is forecast as if it were the end of the one and of the
    other, with the present margin both times, and the increments are mixed by the time. At a
    whole minute this is the model's own answer to the last bit.
    """
    margins = np.zeros((len(states), len(HORIZONS)))
    shares = np.asarray([state.clock[1] for state in states])
    for later in (False, True):
        for batch, rows in _by_minute(states, expected, later=later):
            share = shares[rows] if later else 1.0 - shares[rows]
            margins[rows] += share[:, None] * answers(batch, rows)
    present = np.asarray([state.margin for state in states], dtype=np.float64)
    total: FloatArray = margins + present[:, None]
    return total


def _by_minute(
    states: Sequence[GameState], expected: Sequence[float], *, later: bool
) -> list[tuple[States, list[int]]]:
    """States as the models see them, with their rows, a batch per whole minute.

    `later` takes those between two minutes as if they were at the end of the present one.
    """
    seen = {row: state for row, state in enumerate(states) if state.clock[1] or not later}
    if later:
        seen = {row: state.at_end_of_minute() for row, state in seen.items()}
    rows_at: dict[int, list[int]] = {}
    for row, state in seen.items():
        rows_at.setdefault(len(state.pattern), []).append(row)
    return [
        (_batch(minute, [seen[row] for row in rows], [expected[row] for row in rows]), rows)
        for minute, rows in sorted(rows_at.items())
    ]


def _batch(minute: int, states: Sequence[GameState], expected: Sequence[float]) -> States:
    paths = np.zeros((len(states), minute + 1))
    for row, state in enumerate(states):
        paths[row, 1:] = state.pattern
        paths[row, -1] = state.margin
    return States(
        minute,
        paths,
        np.asarray(expected, dtype=np.float64),
        np.asarray([state.last_score for state in states], dtype=np.int8),
    )
