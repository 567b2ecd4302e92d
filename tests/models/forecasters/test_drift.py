from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError
from models.forecasters.drift import FEATURES, Drift
from models.forecasters.library import Library
from models.game.game_state import States, increments, states_at
from models.game.games import GameTable
from models.game.last_score import CLASSES
from tests.models.conftest import make_games, no_drift, random_states

BREAKS = (0, 12, 24, 36)


def with_margins(margins: np.ndarray, last_score: np.ndarray, final: np.ndarray) -> GameTable:
    """A table of these games; who played and when does not matter."""
    rows = np.zeros(len(margins), dtype=np.int64)
    games = make_games(range(2010, 2011), days=1)
    columns = {name: getattr(games, name)[rows] for name in ("game_id", "date", "season")}
    teams = {name: getattr(games, name)[rows] for name in ("playoffs", "home", "away")}
    return GameTable(
        **columns,
        **teams,
        margins=margins.astype(np.int16),
        last_score=last_score.astype(np.int8),
        final_home=final.astype(np.int16),
        final_away=np.zeros(len(margins), dtype=np.int16),
    )


def test_it_finds_what_the_increments_were_made_of() -> None:
    random = np.random.default_rng(0)
    count = 6000
    expected = random.normal(2, 6, count)
    lead = np.round(random.normal(0, 12, count))
    halftime = 1.5 + 0.1 * lead + 0.2 * expected - 0.01 * expected * np.abs(lead)
    final = -2.0 - 0.3 * lead + 0.8 * expected + 0.02 * expected * np.abs(lead)
    margins = np.zeros((count, 48))
    margins[:, 17] = lead
    margins[:, 23] = np.round(lead + halftime + random.normal(0, 1, count))
    games = with_margins(
        margins, np.zeros_like(margins), np.round(lead + final + random.normal(0, 1, count))
    )
    found = Drift.fit(games, expected).coefficients[18]
    assert found[0] == pytest.approx([1.5, 0.1, 0.2, -0.01], rel=0.05, abs=0.002)
    assert found[1] == pytest.approx([-2.0, -0.3, 0.8, 0.02], rel=0.05, abs=0.002)


def test_it_finds_what_the_last_score_is_worth() -> None:
    random = np.random.default_rng(1)
    worth = np.array([0, 3, 2, -1, -2, 1])  # by class, 0 is no news
    last = random.integers(-CLASSES, CLASSES + 1, (1500, 48))
    gained = random.integers(-3, 4, (1500, 48))
    gained[:, 1:] += (np.sign(last) * worth[np.abs(last)])[:, :-1]
    margins = gained.cumsum(axis=1)
    games = with_margins(margins, last, margins[:, -1])
    drift = Drift.fit(games, np.zeros(1500))
    assert drift.possession == pytest.approx(worth[1:], abs=0.2)


@pytest.mark.parametrize("minute", [*BREAKS, 1, 18, 30, 47])
def test_the_last_score_counts_except_at_a_break(drift: Drift, minute: int) -> None:
    states = random_states(minute, 2 * CLASSES + 1)
    classes = np.arange(-CLASSES, CLASSES + 1).astype(np.int8)
    scored = replace(states, last_score=classes)
    nothing = replace(states, last_score=np.zeros_like(classes))
    gained = (drift.increments(scored) - drift.increments(nothing))[:, 1]
    worth = np.concatenate((-drift.possession[::-1], [0.0], drift.possession))
    assert gained == pytest.approx(np.zeros(len(classes)) if minute in BREAKS else worth)


@pytest.mark.parametrize("minute", [0, 7, 18, 31])
def test_a_mirrored_game_drifts_the_other_way(drift: Drift, minute: int) -> None:
    states = random_states(minute)
    mirrored = States(minute, -states.paths, -states.expected, -states.last_score)
    constant = np.where([minute < 24, True], drift.coefficients[minute, :, 0], 0.0)
    assert drift.increments(mirrored) - constant == pytest.approx(
        constant - drift.increments(states), abs=1e-12
    )


def test_minutes_to_come_change_no_drift(drift: Drift, library: Library) -> None:
    games, expected = library.games, library.expected_margins
    margins, last = games.margins.copy(), games.last_score.copy()
    margins[:, 18:], last[:, 18:] = 99, 1
    changed = replace(games, margins=margins, last_score=last, final_home=games.final_home + 50)
    for minute in (0, 17, 18):
        before, after = (
            drift.increments(states_at(table, expected, minute)) for table in (games, changed)
        )
        assert (before == after).all()


def test_alone_and_in_a_batch_the_same_to_the_bit(drift: Drift) -> None:
    states = random_states(18)
    batch = drift.increments(states)
    for row in range(len(states)):
        alone = drift.increments(states.rows(slice(row, row + 1)))
        assert alone.tolist() == batch[row : row + 1].tolist()


def test_past_a_horizon_nothing_is_to_come(drift: Drift) -> None:
    assert drift.increments(random_states(23))[:, 0].all()
    assert not drift.increments(random_states(24))[:, 0].any()
    assert drift.increments(random_states(47))[:, 1].all()
    assert drift.increments(random_states(48)).tolist() == [[0.0, 0.0]] * 64


def test_departures_are_what_came_beyond_the_drift(drift: Drift, library: Library) -> None:
    games = library.games
    states = states_at(games, library.expected_margins, 18)
    departures = drift.departures(games, states)
    assert (departures + drift.increments(states)) == pytest.approx(increments(games, 18))
    assert np.abs(departures.mean(axis=0)) == pytest.approx([0, 0], abs=0.2)
    assert (no_drift().departures(games, states) == increments(games, 18)).all()


def test_arrays_of_another_shape_are_refused(drift: Drift) -> None:
    assert Drift(**drift.tensors()).tensors() == drift.tensors()
    with pytest.raises(DataError, match=rf"\(48, 2, {FEATURES}\)"):
        Drift(drift.possession, drift.coefficients[:24])
    with pytest.raises(DataError, match=rf"\({CLASSES},\)"):
        Drift(drift.possession[1:], drift.coefficients)
