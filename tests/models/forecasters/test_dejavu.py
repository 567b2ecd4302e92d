"""Dejavu against a reading of its definition in plain numbers, one library game at a time."""

from dataclasses import replace

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError, PatternError
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.game.game_state import States, states_at
from models.game.games import GameTable
from models.game.pattern import FloatArray
from tests.models.conftest import no_drift, random_states

SETTINGS = DejavuSettings(neighbours=25, season_half_life=3.0, prior_games=10.0)
# FAISS keeps the nearest of 100 and more in another way, and computes for 20 queries and more so.
WIDE = DejavuSettings(neighbours=150, season_half_life=3.0, prior_games=10.0)


@pytest.fixture(scope="module")
def dejavu(library: Library, drift: Drift) -> Dejavu:
    return Dejavu(library, drift, SETTINGS)


@pytest.fixture(scope="module")
def wide(library: Library, drift: Drift) -> Dejavu:
    return Dejavu(library, drift, WIDE)


def point(path: FloatArray, expected: float, minute: int) -> list[int]:
    """A game as whole twentieths; `path` begins at tip-off and ends with the present margin."""

    def steps(margin: float, scale: float) -> int:
        return round(20 * scale * min(max(margin, -60.0), 60.0))

    present = float(path[-1])
    length = (18 / minute) ** 0.5 if minute else 1.0
    shape = [steps(float(margin) - present, 0.1 * length) for margin in path[1:-1]]
    return [*shape, steps(present, 0.3), steps(expected, 1.0)]


def by_distance(library: Library, states: States, row: int) -> list[tuple[int, int]]:
    """Squared distance in twentieths and row of every library game, nearest first."""
    minute = states.minute
    there = point(states.paths[row], float(states.expected[row]), minute)
    past = states_at(library.games, library.expected_margins, minute)
    return sorted(
        (
            sum(
                (one - other) ** 2
                for one, other in zip(there, point(path, before, minute), strict=True)
            ),
            game,
        )
        for game, (path, before) in enumerate(zip(past.paths, past.expected.tolist(), strict=True))
    )


def slow_increment(  # noqa: PLR0917
    library: Library, drift: Drift, states: States, row: int, place: int, how: DejavuSettings
) -> float:
    """One increment by the definition."""
    past = states_at(library.games, library.expected_margins, states.minute)
    departures = drift.departures(library.games, past)[:, place]
    nearest = by_distance(library, states, row)[: how.neighbours]
    first, radius = nearest[0][0], nearest[-1][0]
    newest = int(library.games.season.max())
    total, mass = 0.0, how.prior_games
    for distance, game in nearest:
        near = 1.0 if radius == first else 1.0 - distance / radius
        age = newest - int(library.games.season[game])
        weight = near * 0.5 ** (age / how.season_half_life)
        total += weight * float(departures[game])
        mass += weight
    return float(drift.increments(states)[row, place]) + total / mass


@pytest.mark.parametrize("minute", [0, 1, 2, 18, 23, 40, 47])
def test_the_increment_is_the_shrunk_kernel_mean_of_departures(
    library: Library, drift: Drift, dejavu: Dejavu, minute: int
) -> None:
    states = random_states(minute, 4)
    found = dejavu.increments(states)
    for row in range(4):
        for place in (0, 1):
            expected = (
                slow_increment(library, drift, states, row, place, SETTINGS)
                if place or minute < 24
                else 0.0
            )
            assert found[row, place] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("minute", [1, 18, 40])
def test_similar_games_are_exactly_the_nearest(
    library: Library, dejavu: Dejavu, minute: int
) -> None:
    states = random_states(minute, 6)
    for row, found in enumerate(dejavu.similar_games(states, 40)):
        nearest = by_distance(library, states, row)[:40]
        assert [game.game_id for game in found] == [
            str(library.games.game_id[game]) for _, game in nearest
        ]
        assert [game.distance for game in found] == pytest.approx(
            [distance**0.5 / 20 for distance, _ in nearest]
        )


@pytest.mark.parametrize("minute", [1, 18, 47])
@pytest.mark.parametrize("expected", [-100.0, 100.0])
def test_the_most_extreme_games_are_measured_exactly(
    library: Library, dejavu: Dejavu, minute: int, expected: float
) -> None:
    swings = np.full((30, minute + 1), 100.0)
    swings[:, :-1] *= np.where(np.arange(30) % 2, -1, 1)[:, None]
    swings[:, 0] = 0.0
    states = States(minute, swings, np.full(30, expected), np.zeros(30, dtype=np.int8))
    for row, found in enumerate(dejavu.similar_games(states, 10)[:2]):
        assert [round((20 * game.distance) ** 2) for game in found] == [
            distance for distance, _ in by_distance(library, states, row)[:10]
        ]
    assert np.isfinite(dejavu.increments(states)).all()


def test_a_similar_game_is_shown_as_it_was(dejavu: Dejavu, library: Library) -> None:
    games, row = library.games, 11
    states = states_at(games, library.expected_margins, 18).rows(slice(row, row + 1))
    game = dejavu.similar_games(states, 1)[0][0]
    assert game.game_id == games.game_id[row]
    assert game.distance == 0.0
    assert (game.home_team, game.away_team) == (games.home[row], games.away[row])
    assert game.date == games.date[row].item()
    assert game.pattern == tuple(games.margins[row, :18])
    assert game.halftime_margin == games.margins[row, 23]
    assert game.final_margin == games.final_margin[row]


@pytest.mark.parametrize("minute", [0, 1, 18, 40])
def test_an_excluded_game_is_as_if_it_were_not_in_the_library(
    dejavu: Dejavu, library: Library, drift: Drift, minute: int
) -> None:
    games, row = library.games, 11
    own = str(games.game_id[row])
    states = states_at(games, library.expected_margins, minute).rows(np.array([row, row, row]))
    excluded = [None, "no such game", own]
    alone, unknown, out = dejavu.increments(states, exclude=excluded).tolist()
    without = games.game_id != own
    smaller = Dejavu(
        Library(games.select(without), library.expected_margins[without]), drift, SETTINGS
    )
    assert alone == unknown
    assert out == smaller.increments(states)[2].tolist()
    shown = dejavu.similar_games(states, 10, exclude=excluded)
    assert shown[0] == shown[1]
    assert own not in {game.game_id for game in shown[2]}
    assert shown[2] == smaller.similar_games(states, 10)[2]


def test_a_game_too_far_to_be_a_neighbour_may_be_excluded(dejavu: Dejavu, library: Library) -> None:
    states = random_states(18, 1)
    farthest = by_distance(library, states, 0)[-1][1]
    out = dejavu.increments(states, exclude=[str(library.games.game_id[farthest])])
    assert out.tolist() == dejavu.increments(states).tolist()


QUERIES = {minute: random_states(minute) for minute in (1, 18, 40)}


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.integers(0, 63), min_size=1, max_size=64), minute=st.sampled_from([1, 18, 40])
)
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    dejavu: Dejavu, wide: Dejavu, rows: list[int], minute: int
) -> None:
    states, chosen = QUERIES[minute], np.array(rows)
    for search in (dejavu, wide):
        whole = search.increments(states)
        assert search.increments(states.rows(chosen)).tolist() == whole[chosen].tolist()
    one = rows[0]
    alone = states.rows(np.array([one]))
    assert wide.increments(alone)[0].tolist() == whole[one].tolist()
    assert wide.similar_games(alone, 5)[0] == wide.similar_games(states, 5)[one]


def test_more_queries_than_a_block_are_answered_in_order(dejavu: Dejavu) -> None:
    states = random_states(18, 1100)
    whole = dejavu.increments(states)
    for row in (0, 511, 512, 1024, 1099):
        assert dejavu.increments(states.rows(np.array([row])))[0].tolist() == whole[row].tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(wide: Dejavu, threads: int) -> None:
    states = QUERIES[18]
    alone = [wide.increments(states.rows(np.array([row])))[0].tolist() for row in range(64)]
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        assert wide.increments(states).tolist() == alone
    finally:
        faiss.omp_set_num_threads(before)


@pytest.mark.parametrize("how", [SETTINGS, WIDE])
def test_equally_near_games_come_in_the_order_of_their_rows(
    games: GameTable, how: DejavuSettings
) -> None:
    twins = replace(games, margins=np.repeat(games.margins[:1], len(games), axis=0))
    search = Dejavu(Library(twins, np.zeros(len(games))), no_drift(), how)
    states = states_at(twins, np.zeros(len(games)), 18).rows(slice(0, 64))
    assert [game.game_id for game in search.similar_games(states, 20)[0]] == (
        games.game_id[:20].tolist()
    )
    # All of them weigh the same, and more of them than are asked: which are taken shows.
    taken = how.neighbours
    weights = 0.5 ** ((2014 - games.season[:taken]) / how.season_half_life)
    gained = (games.final_margin - twins.margins[:, 17])[:taken]
    expected = np.sum(weights * gained) / (np.sum(weights) + how.prior_games)
    for batch in (states, states.rows(slice(0, 1)), states.rows(slice(0, 19))):
        assert search.increments(batch)[:, 1] == pytest.approx(expected, abs=1e-12)


def test_a_library_smaller_than_the_neighbours_is_asked_whole(
    library: Library, drift: Drift
) -> None:
    few = np.arange(len(library.games)) < 8
    small = Library(library.games.select(few), library.expected_margins[few])
    search = Dejavu(small, drift, SETTINGS)
    states = random_states(18, 3)
    # One of them may always be the game itself, so all but the farthest are asked.
    how = replace(SETTINGS, neighbours=7)
    assert search.increments(states)[1, 1] == pytest.approx(
        slow_increment(small, drift, states, 1, 1, how), abs=1e-9
    )
    assert len(search.similar_games(states, 10)[0]) == 7


def test_at_tip_off_games_are_alike_by_their_expected_margin(dejavu: Dejavu) -> None:
    states = random_states(0, 2)
    found = dejavu.similar_games(states, 3)
    assert [game.pattern for game in found[0]] == [()] * 3
    distances = [game.distance for game in found[0]]
    assert distances == sorted(distances)


def test_past_a_horizon_nothing_is_to_come(dejavu: Dejavu) -> None:
    assert dejavu.increments(random_states(23))[:, 0].all()
    assert not dejavu.increments(random_states(24))[:, 0].any()
    assert not dejavu.increments(random_states(48)).any()
    assert dejavu.similar_games(random_states(48, 2), 10) == [(), ()]


@pytest.mark.parametrize("similar", [0, 3, 40])
def test_as_many_similar_games_as_asked(dejavu: Dejavu, similar: int) -> None:
    assert [len(found) for found in dejavu.similar_games(random_states(18, 2), similar)] == (
        [similar] * 2
    )


def test_wrong_input_is_refused(dejavu: Dejavu, library: Library, drift: Drift) -> None:
    with pytest.raises(PatternError, match="exclude: expected 2 entries; got 0"):
        dejavu.increments(random_states(18, 2), exclude=[])
    with pytest.raises(DataError, match="at least 2"):
        Dejavu(
            Library(library.games.select(np.zeros(len(library.games), dtype=bool)), np.zeros(0)),
            drift,
        )
    assert dejavu.increments(random_states(18, 0)).shape == (0, 2)


def test_scales_that_would_round_are_refused(library: Library, drift: Drift) -> None:
    with pytest.raises(DataError, match="Make them smaller"):
        Dejavu(library, drift, DejavuSettings(path_scale=1.0))


def test_margins_between_whole_points_move_the_forecast_with_them(
    library: Library, drift: Drift
) -> None:
    search = Dejavu(library, drift, replace(SETTINGS, prior_games=1e9))
    path = random_states(18, 1)
    moved = replace(path, paths=path.paths + 0.25)
    assert search.increments(moved) == pytest.approx(drift.increments(moved), abs=1e-4)
