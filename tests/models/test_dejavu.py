from dataclasses import replace

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.dejavu import Dejavu, DejavuForecast, DejavuSettings
from models.errors import DataError, PatternError
from models.games import GameTable
from models.library import Library
from models.pattern import PATTERN_MINUTES

SETTINGS = DejavuSettings(neighbours=25)
PATTERNS = np.random.default_rng(1).integers(-4, 5, (64, PATTERN_MINUTES)).cumsum(axis=1) * 1.0
EXPECTED = np.random.default_rng(2).normal(3, 6, 64)


@pytest.fixture(scope="module")
def dejavu(library: Library) -> Dejavu:
    return Dejavu(library, SETTINGS)


def test_the_forecast_is_the_kernel_mean_of_increments_by_brute_force(
    dejavu: Dejavu, library: Library
) -> None:
    pattern, expected = PATTERNS[0], EXPECTED[0]
    margins = library.games.margins.astype(float)

    def point(path: np.ndarray, before: float) -> np.ndarray:
        shifted = (path - path[-1])[:-1]
        return np.concatenate([0.1 * shifted, [0.3 * path[-1]], [round(20 * before) / 20]])

    there = point(pattern, expected)
    squared = np.array(
        [
            ((point(path[:18], before) - there) ** 2).sum()
            for path, before in zip(margins, library.expected_margins, strict=True)
        ]
    )
    nearest = np.argsort(squared, kind="stable")[:25]
    weights = 1 - squared[nearest] / squared[nearest[-1]]
    increments = margins[nearest, 23] - margins[nearest, 17]
    forecast = dejavu.forecast([pattern], [expected])[0]
    assert forecast.halftime_margin == pytest.approx(
        pattern[-1] + np.average(increments, weights=weights), abs=1e-4
    )
    assert [game.game_id for game in forecast.similar_games] == (
        library.games.game_id[nearest[:10]].tolist()
    )
    distances = [game.distance for game in forecast.similar_games]
    assert distances == pytest.approx(np.sqrt(squared[nearest[:10]]), abs=1e-4)


def test_increments_are_added_to_the_present_margin(library: Library) -> None:
    settings = DejavuSettings(neighbours=25, margin_scale=0.0)
    low, high = Dejavu(library, settings).forecast([PATTERNS[0], PATTERNS[0] + 7], [1.0, 1.0])
    assert high.halftime_margin - low.halftime_margin == pytest.approx(7, abs=1e-3)


def test_a_similar_game_is_shown_as_it_was(dejavu: Dejavu, library: Library) -> None:
    games = library.games
    row = 11
    found = dejavu.forecast([games.margins[row, :18]], [library.expected_margins[row]])[0]
    game = found.similar_games[0]
    assert game.game_id == games.game_id[row]
    assert game.distance == 0.0
    assert (game.home_team, game.away_team) == (games.home[row], games.away[row])
    assert game.date == games.date[row].item()
    assert game.pattern == tuple(games.margins[row, :18])
    assert game.halftime_margin == games.margins[row, 23]


def test_an_excluded_game_is_not_its_own_neighbour(dejavu: Dejavu, library: Library) -> None:
    games = library.games
    row = 11
    pattern, expected = games.margins[row, :18], library.expected_margins[row]
    alone, unknown, out = dejavu.forecast(
        [pattern] * 3, [expected] * 3, exclude=[None, "no such game", str(games.game_id[row])]
    )
    assert alone == unknown
    assert games.game_id[row] not in {game.game_id for game in out.similar_games}
    assert out.similar_games[:9] == alone.similar_games[1:]
    without = games.game_id != games.game_id[row]
    smaller = Dejavu(Library(games.select(without), library.expected_margins[without]), SETTINGS)
    assert smaller.forecast([pattern], [expected])[0] == out


@pytest.fixture(scope="module")
def alone(shipped: Bundle) -> list[DejavuForecast]:
    return [
        shipped.dejavu.forecast([pattern], [expected])[0]
        for pattern, expected in zip(PATTERNS, EXPECTED, strict=True)
    ]


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.integers(0, 63), min_size=2, max_size=64))
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    shipped: Bundle, alone: list[DejavuForecast], rows: list[int]
) -> None:
    batch = shipped.dejavu.forecast(PATTERNS[rows], EXPECTED[rows])
    assert batch == [alone[row] for row in rows]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(shipped: Bundle, alone: list[DejavuForecast], threads: int) -> None:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        assert shipped.dejavu.forecast(PATTERNS, EXPECTED) == alone
    finally:
        faiss.omp_set_num_threads(before)


@pytest.mark.parametrize("similar", [0, 3, 40])
def test_as_many_similar_games_as_asked(dejavu: Dejavu, similar: int) -> None:
    forecast = dejavu.forecast(PATTERNS[:1], EXPECTED[:1], similar=similar)[0]
    assert len(forecast.similar_games) == similar
    assert (
        forecast.halftime_margin == dejavu.forecast(PATTERNS[:1], EXPECTED[:1])[0].halftime_margin
    )


def test_equally_near_games_come_in_library_order(games: GameTable) -> None:
    same = games.select(np.arange(len(games)) < 5)
    margins = np.repeat(same.margins[:1], 5, axis=0)
    twins = replace(same, margins=margins)
    found = Dejavu(Library(twins, np.zeros(5)), SETTINGS).forecast([margins[0, :18]], [0.0])[0]
    assert [game.game_id for game in found.similar_games] == same.game_id.tolist()
    assert found.halftime_margin == margins[0, 23]


def test_wrong_input_is_refused(dejavu: Dejavu, library: Library) -> None:
    with pytest.raises(PatternError, match="18"):
        dejavu.forecast([[0.0] * 17], [0.0])
    with pytest.raises(PatternError, match="one per pattern"):
        dejavu.forecast([[0.0] * 18], [])
    with pytest.raises(PatternError, match="exclude"):
        dejavu.forecast([[0.0] * 18], [0.0], exclude=[])
    with pytest.raises(DataError, match="at least 2"):
        Dejavu(Library(library.games.select(np.zeros(len(library.games), dtype=bool)), np.zeros(0)))
    assert dejavu.forecast(np.zeros((0, 18)), []) == []


def test_scales_that_would_round_are_refused(library: Library) -> None:
    with pytest.raises(DataError, match="Make them smaller"):
        Dejavu(library, DejavuSettings(path_scale=1.0))


def test_a_pattern_between_whole_points_has_a_forecast(dejavu: Dejavu) -> None:
    low, middle, high = dejavu.forecast([PATTERNS[0] + move for move in (0, 0.25, 0.5)], [1.0] * 3)
    assert low.halftime_margin < middle.halftime_margin < high.halftime_margin
