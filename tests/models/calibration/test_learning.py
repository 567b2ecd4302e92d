import numpy as np
import pytest

from models.calibration.learning import course, course_errors, game_errors, no_increments
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.forecasters.live_models import ask_dejavu
from models.game.game_state import states_at
from models.game.horizon import CELLS
from tests.models.conftest import live_states


@pytest.fixture(scope="module")
def dejavu(library: Library, drift: Drift) -> Dejavu:
    return Dejavu(library, drift, DejavuSettings(neighbours=20, prior_games=10.0))


def test_errors_are_actual_minus_forecast_in_hundredths(dejavu: Dejavu, library: Library) -> None:
    few = np.arange(len(library.games)) < 5
    games, expected = library.games.select(few), library.expected_margins[few]
    errors = game_errors(dejavu.increments, games, expected)
    assert errors.shape == (5, len(CELLS))
    for cell, (horizon, minute) in enumerate(CELLS):
        states = states_at(games, expected, minute)
        actual = games.halftime_margin if horizon == "halftime" else games.final_margin
        forecast = states.present + dejavu.increments(states)[:, int(horizon == "final")]
        assert errors[:, cell] == pytest.approx(actual - forecast, abs=0.00501)
    assert (errors == errors.round(2)).all()


def test_one_game_live_has_the_errors_of_the_table_to_the_last_digit(
    dejavu: Dejavu, library: Library
) -> None:
    chosen = np.arange(len(library.games)) % 60 == 0
    games, expected = library.games.select(chosen), library.expected_margins[chosen]
    table = game_errors(dejavu.increments, games, expected)
    for row in range(len(games)):
        states = course(games.margins[row].tolist(), games.last_score[row].tolist())
        forecasts = ask_dejavu(dejavu, states, [float(expected[row])] * 48, [None] * 48, [0] * 48)
        live = course_errors(
            [forecast.margins for forecast in forecasts],
            float(games.halftime_margin[row]),
            float(games.final_margin[row]),
        )
        assert list(live) == table[row].tolist()


def test_a_course_is_the_game_at_every_minute_from_tip_off(library: Library) -> None:
    games = library.games
    states = course(games.margins[7].tolist(), games.last_score[7].tolist())
    assert len(states) == 48
    for minute, state in enumerate(states):
        past = states_at(games, library.expected_margins, minute).rows(slice(7, 8))
        if minute:
            assert state == live_states(past)[0]
        assert len(state.pattern) == minute
        assert state.margin == past.present[0]


def test_persistence_is_off_by_what_came(library: Library) -> None:
    games = library.games
    errors = game_errors(no_increments, games, library.expected_margins)
    assert (errors[:, 18] == games.halftime_margin - games.margins[:, 17]).all()
    assert (errors[:, 24] == games.final_margin).all()
    assert (errors[:, -1] == games.final_margin - games.margins[:, 46]).all()
