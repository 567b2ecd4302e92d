from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import PatternError
from models.game.game_state import GameState, increments, states_at
from models.game.games import GameTable
from models.game.pattern import FloatArray
from tests.models.conftest import live_states


def steps(*changes: tuple[float, float]) -> Callable[[float], float]:
    """The margin at a clock, from (seconds elapsed, margin) in order of time."""

    def margin_at(seconds: float) -> float:
        return next((margin for when, margin in reversed(changes) if when <= seconds), 0.0)

    return margin_at


def sevens(seconds: float) -> float:
    """A margin that is another one at every clock, and never 0."""
    return 1.0 + (seconds % 50.0)


@given(seconds=st.floats(0, 2880, exclude_max=True))
def test_in_regulation_the_pattern_is_the_whole_minutes_played(seconds: float) -> None:
    state = GameState.at(sevens, seconds, last_score=-2)
    minutes = int(seconds // 60)
    assert state.pattern == tuple(sevens(60.0 * minute) for minute in range(1, minutes + 1))
    assert state.margin == sevens(seconds)
    assert state.elapsed_seconds == seconds
    assert state.last_score == -2
    whole, share = state.clock
    assert whole == minutes
    assert 0 <= share < 1
    assert 60 * (whole + share) == pytest.approx(seconds)


@given(overtimes=st.integers(0, 9), played=st.integers(1, 299_999).map(lambda after: after / 1000))
def test_an_overtime_with_seconds_left_is_regulation_with_as_many_left(
    overtimes: int, played: float
) -> None:
    seconds = 2880.0 + 300.0 * overtimes + played
    state = GameState.at(sevens, seconds)
    shift = 300.0 * (overtimes + 1)
    assert state.elapsed_seconds == pytest.approx(seconds - shift)
    assert state.margin == sevens(seconds)
    assert len(state.pattern) == int((seconds - shift) // 60)
    assert state.pattern == tuple(
        sevens(shift + 60.0 * minute) for minute in range(1, len(state.pattern) + 1)
    )
    assert not state.is_over


@pytest.mark.parametrize("overtimes", [0, 1, 2, 5])
def test_a_lead_at_the_end_is_the_end(overtimes: int) -> None:
    end = 2880.0 + 300.0 * overtimes
    state = GameState.at(steps((100.0, 4.0), (end - 1.0, 7.0)), end, last_score=1)
    assert state.is_over
    assert (state.elapsed_seconds, state.margin, state.last_score) == (2880.0, 7.0, 1)
    assert len(state.pattern) == 48
    assert state.pattern[-1] == 7.0
    assert state.clock == (48, 0.0)


@pytest.mark.parametrize("overtimes", [0, 1, 2, 5])
def test_a_tie_at_the_end_is_the_start_of_an_overtime(overtimes: int) -> None:
    end = 2880.0 + 300.0 * overtimes
    state = GameState.at(steps((100.0, 4.0), (end - 1.0, 0.0)), end, last_score=1)
    assert not state.is_over
    assert (state.elapsed_seconds, state.margin) == (2880.0 - 300.0, 0.0)
    assert state.last_score == 0  # an overtime begins with a jump ball
    assert len(state.pattern) == 43
    assert state.pattern[-2:] == (4.0, 0.0)


def test_a_second_into_an_overtime_little_has_changed() -> None:
    margin_at = steps((100.0, 4.0), (2879.0, 0.0))
    start, later = GameState.at(margin_at, 2880.0), GameState.at(margin_at, 2881.0)
    assert later.pattern == start.pattern
    assert later.elapsed_seconds == start.elapsed_seconds + 1


def test_the_last_second_of_regulation_is_no_overtime() -> None:
    state = GameState.at(steps((2879.0, 0.0)), 2879.9)
    assert len(state.pattern) == 47
    assert state.elapsed_seconds == 2879.9


def test_before_the_first_minute_there_is_no_pattern() -> None:
    state = GameState.at(steps((30.0, 3.0)), 59.9)
    assert (state.pattern, state.margin) == ((), 3.0)
    assert GameState.at(steps(), 0.0).clock == (0, 0.0)


def test_halftime_is_the_end_of_minute_24() -> None:
    margin_at = steps((1439.5, 5.0), (1440.0, 6.0))
    assert len(GameState.at(margin_at, 1439.9).pattern) == 23
    half = GameState.at(margin_at, 1440.0)
    assert (len(half.pattern), half.pattern[-1]) == (24, 6.0)


@pytest.mark.parametrize("minute", [1, 12, 18, 24, 47])
def test_at_a_whole_minute_live_and_past_games_look_alike(games: GameTable, minute: int) -> None:
    rows = np.arange(len(games)) < 5
    few = games.select(rows)
    states = states_at(few, np.zeros(5), minute)
    path = few.margins[2]
    live = GameState.at(
        lambda seconds: float(path[int(seconds // 60) - 1]) if seconds >= 60 else 0.0,
        60.0 * minute,
        last_score=int(few.last_score[2, minute - 1]),
    )
    assert live == live_states(states)[2]
    assert live == GameState.of_pattern(path[:minute].tolist(), live.last_score)


def test_tip_off_is_level(games: GameTable) -> None:
    states = states_at(games, np.ones(len(games)), 0)
    assert states.paths.shape == (len(games), 1)
    assert not states.paths.any()
    assert not states.last_score.any()
    assert (states.present == 0).all()
    assert len(states.rows(slice(3, 7))) == 4


@pytest.mark.parametrize("minute", [0, 1, 23, 24, 47])
def test_increments_lead_from_the_present_to_the_horizons(games: GameTable, minute: int) -> None:
    present: FloatArray = states_at(games, np.zeros(len(games)), minute).present
    to_halftime, to_final = increments(games, minute).T
    assert (present + to_final == games.final_margin).all()
    if minute < 24:
        assert (present + to_halftime == games.halftime_margin).all()
    else:
        assert np.isnan(to_halftime).all()


def test_a_pattern_is_a_state_at_its_end() -> None:
    state = GameState.of_pattern([1, -2, 3], last_score=4)
    assert state == GameState(
        pattern=(1.0, -2.0, 3.0), margin=3.0, elapsed_seconds=180.0, last_score=4
    )


@pytest.mark.parametrize("seconds", [0.0, 30.0, 60.0, 1090.0, 2830.0, 2870.0])
def test_at_the_end_of_its_minute_nobody_has_scored_since(seconds: float) -> None:
    state = GameState.at(sevens, seconds, last_score=3)
    later = state.at_end_of_minute()
    assert later == GameState.of_pattern((*state.pattern, state.margin), 3)


def test_a_tie_that_nobody_breaks_goes_into_overtime() -> None:
    margin_at = steps((100.0, 4.0), (2850.0, 0.0))
    later = GameState.at(margin_at, 2870.0, last_score=2).at_end_of_minute()
    assert later == GameState.at(margin_at, 2880.0)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ([], "expected 1 to 48 margins; got 0"),
        ([0.0] * 49, "expected 1 to 48 margins; got 49"),
        ([0.0, 100.5], "from -100 to 100"),
        ([float("nan")], "from -100 to 100"),
        ([float("-inf")], "from -100 to 100"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: list[float], message: str) -> None:
    with pytest.raises(PatternError, match=message):
        GameState.of_pattern(pattern)


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(1, 59.9), (1, 120.0), (0, -1.0), (0, float("nan")), (49, 2940.0)]
)
def test_a_clock_that_does_not_fit_the_pattern_is_refused(minutes: int, seconds: float) -> None:
    with pytest.raises(PatternError, match="expected the margins of the whole minutes"):
        GameState(pattern=(0.0,) * minutes, margin=0.0, elapsed_seconds=seconds)


@pytest.mark.parametrize("last_score", [-6, 6, 300])
def test_a_class_that_no_last_score_has_is_refused(last_score: int) -> None:
    with pytest.raises(PatternError, match=f"class from -5 to 5; got {last_score}"):
        GameState.of_pattern([0.0], last_score)
