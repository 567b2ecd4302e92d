"""Score events against a slow reading of them, one event and one minute at a time."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.game.last_score import last_score_class
from models.game.score_events import ScoreEvents, check_clocks

# Period, seconds remaining, home score, away score.
Row = tuple[int, float, int, int]


def elapsed(period: int, remaining: float) -> float:
    if period <= 4:
        return 720.0 * period - remaining
    return 2880.0 + 300.0 * (period - 4) - remaining


def seen(period: int, remaining: float, minute: int) -> bool:
    """Whether the end of a regulation minute has seen what happened at this clock."""
    if period > 4 or (minute == 24 and period > 2):
        return False
    return elapsed(period, remaining) <= 60 * minute


def slow_game(rows: list[Row]) -> tuple[list[int], list[int]]:
    """Margins and last-score classes of one game at the end of minutes 1..48."""
    in_order = sorted(rows, key=lambda row: (row[0], -row[1]))
    instants = [list(group)[-1] for _, group in groupby(in_order, key=lambda row: row[:2])]
    margins, classes = [], []
    for minute in range(1, 49):
        margin, last_class = 0, 0
        before = (0, 0)
        for period, remaining, home, away in instants:
            if seen(period, remaining, minute):
                margin = home - away
                gains = home - before[0], away - before[1]
                if gains != (0, 0):
                    side = 0 if min(gains) < 0 else int(np.sign(gains[0] - gains[1]))
                    ago = 60 * minute - elapsed(period, remaining)
                    last_class = last_score_class(side, ago)
            before = home, away
        margins.append(margin)
        classes.append(last_class)
    return margins, classes


CLOCKS = st.one_of(
    st.sampled_from([0.0, 30.0, 60.0, 660.0, 719.5, 720.0]),
    st.integers(0, 144).map(lambda five: 5.0 * five),
    st.floats(0, 720, allow_nan=False).map(lambda clock: round(clock, 1)),
)


@st.composite
def game_rows(draw: st.DrawFn) -> list[Row]:
    """One game in order of its clock: rows that repeat a clock, corrections, overtimes."""
    clocks = sorted(
        draw(st.lists(st.tuples(st.integers(1, 6), CLOCKS), min_size=1, max_size=30)),
        key=lambda clock: (clock[0], -clock[1]),
    )
    home = away = 0
    rows: list[Row] = []
    for period, clock in clocks:
        home = max(home + draw(st.sampled_from([0, 0, 1, 2, 3, -1])), 0)
        away = max(away + draw(st.sampled_from([0, 0, 1, 2, 3, -2])), 0)
        rows.append((period, min(clock, 300.0) if period > 4 else clock, home, away))
    return rows


def events_of(games: list[list[Row]], order: np.ndarray | None = None) -> ScoreEvents:
    game = np.repeat(np.arange(len(games)), [len(rows) for rows in games])
    columns = [np.asarray(column) for column in zip(*(r for g in games for r in g), strict=True)]
    chosen = np.arange(len(game)) if order is None else order
    period, remaining, home, away = (column[chosen] for column in columns)
    return ScoreEvents.of(game[chosen], period, remaining.astype(np.float64), home, away)


@settings(max_examples=80, deadline=None)
@given(games=st.lists(game_rows(), min_size=1, max_size=3))
def test_minutes_are_those_of_a_slow_reading(games: list[list[Row]]) -> None:
    events = events_of(games)
    expected = [slow_game(rows) for rows in games]
    assert events.minute_margins(len(games)).tolist() == [margins for margins, _ in expected]
    assert events.last_scores(len(games)).tolist() == [classes for _, classes in expected]


@settings(max_examples=50, deadline=None)
@given(games=st.lists(game_rows(), min_size=2, max_size=3), seed=st.integers(0, 1000))
def test_games_may_be_mixed_in_the_file(games: list[list[Row]], seed: int) -> None:
    # Rows of one clock must keep their order: the clocks are shuffled, not the rows.
    random = np.random.default_rng(seed)
    clocks = [(game, *row[:2]) for game, rows in enumerate(games) for row in rows]
    place = {clock: random.random() for clock in sorted(set(clocks))}
    order = np.argsort([place[clock] for clock in clocks], kind="stable")
    one, other = events_of(games), events_of(games, order)
    assert (one.minute_margins(len(games)) == other.minute_margins(len(games))).all()
    assert (one.last_scores(len(games)) == other.last_scores(len(games))).all()


def test_of_rows_at_one_clock_the_last_one_counts() -> None:
    events = events_of([[(1, 700.0, 1, 0), (1, 700.0, 2, 0), (1, 690.0, 2, 3)]])
    assert events.elapsed.tolist() == [20.0, 30.0]
    assert events.margin.tolist() == [2, -1]
    assert events.side.tolist() == [1, -1]


def test_a_score_that_goes_down_names_no_side_and_is_the_last_news() -> None:
    events = events_of([[(1, 670.0, 3, 0), (1, 665.0, 2, 0), (2, 0.0, 2, 0)]])
    assert events.last_scores(1)[0, 0] == 0
    assert events.minute_margins(1)[0, 0] == 2


def test_a_row_without_a_score_is_no_news() -> None:
    events = events_of([[(1, 665.0, 2, 0), (1, 660.0, 2, 0), (2, 0.0, 2, 0)]])
    assert events.last_scores(1)[0, 0] == 1  # 5 seconds ago


def test_free_throws_before_the_third_quarter_belong_to_it() -> None:
    rows = [(2, 0.0, 50, 50), (3, 720.0, 51, 50), (4, 720.0, 51, 54)]
    events = events_of([rows])
    margins, last = events.minute_margins(1)[0], events.last_scores(1)[0]
    assert margins[23:25].tolist() == [0, 1]
    assert last[24] == 0  # a minute ago
    # Of the other breaks the feeds' clock does not tell the sides: at 12:00 is at the minute's end.
    assert margins[34:37].tolist() == [1, -3, -3]
    assert last[35] == -1


def test_overtime_is_in_no_regulation_minute() -> None:
    events = events_of([[(4, 0.0, 90, 90), (5, 300.0, 91, 90), (5, 0.0, 99, 90)]])
    assert events.minute_margins(1)[0, 47] == 0
    assert events.elapsed.tolist() == [2880.0, 2880.0, 3180.0]


def test_games_without_a_half_are_named() -> None:
    rows = [[(2, 0.5, 1, 0)], [(2, 0.0, 1, 0)], [(3, 720.0, 1, 0)]]
    assert events_of(rows).unfinished_halves(4).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("period", "remaining", "message"),
    [
        (0, 1.0, "periods 1 to 14"),
        (15, 1.0, "periods 1 to 14"),
        (4, 720.5, "0 to 720 seconds remaining; got 720.5 in period 4 of game b"),
        (5, 300.5, "0 to 300 seconds remaining; got 300.5 in period 5 of game b"),
        (1, -0.5, "got -0.5"),
        (1, float("nan"), "got nan"),
    ],
)
def test_a_clock_that_no_game_shows_is_refused(period: int, remaining: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_clocks(
            np.array([1, period]), np.array([720.0, remaining]), np.array(["a", "b"]), "file"
        )
