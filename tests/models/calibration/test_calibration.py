"""Calibration against crepes, against plain numbers, and against what coverage should be."""

import math

import numpy as np
import pytest

from models.calibration.calibration import Calibration, CalibrationSettings, days
from models.calibration.distribution import GRID_LEVELS
from models.errors import DataError
from models.game.game_state import GameState
from models.game.games import IntArray
from models.game.horizon import CELLS, Horizon, cell_of
from models.game.pattern import FloatArray
from tests.models.calibration.crepes_inputs import (
    PERCENTS,
    UNSCALED_GAMES,
    normalised,
    recorded,
    unscaled_of,
)

FOREVER = CalibrationSettings(spread_half_life=1e12, shape_half_life=1e12, window=10**6)
DAY = np.datetime64("2020-01-01")


def daily(games: int, per_day: int = 5) -> np.ndarray:
    return DAY + np.arange(games) // per_day


def unscaled(scores: FloatArray) -> Calibration:
    """These scores with equal weights, in cells whose spread is one point."""
    return Calibration(scores=scores, squares=np.ones(scores.shape[1]), mass=1.0, settings=FOREVER)


def places(values: FloatArray, ordered: FloatArray) -> IntArray:
    """Which of the ordered scores (n,) each value is nearest to."""
    nearest: IntArray = np.abs(ordered[None, :] - values[:, None]).argmin(axis=1)
    return nearest


@pytest.mark.parametrize("games", UNSCALED_GAMES)
def test_with_equal_weights_and_no_scale_it_agrees_with_crepes(games: int) -> None:
    inputs = unscaled_of(games)
    theirs = recorded(f"{games} games", inputs.errors, inputs.margins, PERCENTS)
    ordered = np.sort(inputs.errors)
    shape = unscaled(inputs.errors[:, None]).shape(0)

    ours = np.asarray([shape.quantile(percent / 100) for percent in PERCENTS.tolist()])
    apart = places(theirs["percentiles"], ordered) - places(ours, ordered)
    # crepes rounds up: where a product such as 0.07 · 200 is not quite whole, to the next score.
    assert set(apart.tolist()) <= {0, 1}
    assert np.mean(apart == 0) > 0.9

    levels = np.asarray([shape.level(margin) for margin in inputs.margins.tolist()])
    assert np.abs(levels - theirs["p_values"]).max() <= 0.005


def test_normalised_scores_agree_with_crepes_scaled_by_the_same_spread() -> None:
    inputs = normalised()
    theirs = recorded("normalised", inputs.residuals, inputs.spread, inputs.point, inputs.alpha)
    ours = Calibration(
        scores=inputs.scores, squares=inputs.squares, mass=1.0, settings=FOREVER
    ).distribution("final", GameState.of_pattern([2.0] * 30), inputs.point)
    neighbours = np.diff(np.sort(inputs.residuals)).max()
    assert ours.interval(inputs.alpha) == pytest.approx(theirs["interval"], abs=neighbours)


def test_scores_and_spreads_by_plain_numbers() -> None:
    settings = CalibrationSettings(spread_half_life=3.0, shape_half_life=4.0, warm_up=10)
    errors = np.random.default_rng(0).normal(0, 5, (26, 1))
    dates = DAY + np.repeat(np.arange(13), 2)
    calibration = Calibration.fit(errors, dates, settings)
    expected = []
    for row in range(10, 26):
        # The games of earlier days, the newest weighing 1.
        before = errors[: row - row % 2, 0]
        weights = [0.5 ** (age / 3) for age in range(len(before) - 1, -1, -1)]
        spread = math.sqrt(
            sum(w * e * e for w, e in zip(weights, before, strict=True)) / sum(weights)
        )
        expected.append(float(errors[row, 0]) / spread)
    assert calibration.scores[:, 0].tolist() == pytest.approx(expected)
    weights = [0.5 ** (age / 3) for age in range(25, -1, -1)]
    squares = [w * e * e for w, e in zip(weights, errors[:, 0], strict=True)]
    assert calibration.spreads[0] == pytest.approx(math.sqrt(sum(squares) / sum(weights)))


def test_the_shape_is_the_weighted_distribution_of_the_scores() -> None:
    settings = CalibrationSettings(shape_half_life=50.0)
    scores = np.random.default_rng(1).normal(0, 1, (300, 1))
    shape = Calibration(scores=scores, squares=np.ones(1), mass=1.0, settings=settings).shape(0)
    weights = 0.5 ** (np.arange(299, -1, -1) / 50)
    total = weights.sum() + 1
    heaviest = weights.max() / total
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = weights[scores[:, 0] < shape.quantile(level)].sum() + 0.5
        assert below / total == pytest.approx(level, abs=heaviest)
    assert shape.upper_tail > 0
    assert shape.lower_tail > 0


def coverages(errors: FloatArray, settings: CalibrationSettings, alpha: float) -> FloatArray:
    """Coverage by stretches of 100 games, each calibrated on all games before; over all cells."""
    shares = []
    for start in range(1000, len(errors), 100):
        past = Calibration.fit(errors[:start], daily(start), settings)
        inside = 0.0
        for cell in range(errors.shape[1]):
            shape, spread = past.shape(cell), past.spreads[cell]
            now = errors[start : start + 100, cell] / spread
            lower, upper = shape.quantile(alpha / 2), shape.quantile(1 - alpha / 2)
            inside += float(np.mean((lower <= now) & (now <= upper)))
        shares.append(inside / errors.shape[1])
    return np.asarray(shares)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_coverage_is_right_where_nothing_changes(alpha: float) -> None:
    errors = np.random.default_rng(5).laplace(0.5, 4, (1500, 24))
    assert coverages(errors, CalibrationSettings(), alpha).mean() == pytest.approx(
        1 - alpha, abs=0.015
    )


def test_coverage_stays_right_where_the_spread_doubles_and_would_not_without_decay() -> None:
    growing = np.linspace(1, 2, 2000)[:, None]
    errors = np.random.default_rng(6).normal(0, 5, (2000, 24)) * growing
    quick = CalibrationSettings(spread_half_life=100.0, shape_half_life=400.0)
    followed, lagging, behind = (
        coverages(errors, settings, 0.1).mean()
        for settings in (quick, CalibrationSettings(), FOREVER)
    )
    assert followed == pytest.approx(0.9, abs=0.012)
    assert behind < 0.87
    assert behind < lagging < followed


def test_within_a_day_the_order_of_games_changes_no_score() -> None:
    random = np.random.default_rng(3)
    errors, dates = random.normal(0, 5, (60, 3)), daily(60, 10)
    start = Calibration.fit(errors[:40], dates[:40])
    today = np.arange(40, 50)
    shuffled = random.permutation(today)
    one, other = (start.walk(errors[rows], dates[rows]) for rows in (today, shuffled))
    assert one.scores[-10:][shuffled - 40].tolist() == other.scores[-10:].tolist()


def test_day_by_day_and_at_once_give_the_same_bits() -> None:
    errors, dates = np.random.default_rng(4).normal(0, 5, (90, 3)), daily(90, 7)
    start = Calibration.fit(errors[:42], dates[:42], CalibrationSettings(window=60))
    at_once = start.walk(errors[42:], dates[42:])
    stepwise = start
    for day in days(dates[42:]):
        stepwise = stepwise.walk(errors[42:][day], dates[42:][day])
    assert stepwise.scores.tobytes() == at_once.scores.tobytes()
    assert stepwise.squares.tobytes() == at_once.squares.tobytes()
    assert stepwise.mass == at_once.mass
    assert len(at_once.scores) == 60
    assert [shape.quantiles.tolist() for shape in stepwise.shapes] == (
        [shape.quantiles.tolist() for shape in at_once.shapes]
    )


def test_games_to_come_change_nothing_before_them() -> None:
    random = np.random.default_rng(7)
    errors, dates = random.normal(0, 5, (80, 3)), daily(80, 4)
    changed = errors.copy()
    changed[60:] *= 50
    one, other = (Calibration.fit(table, dates, FOREVER) for table in (errors, changed))
    before = len(one.scores) - 20
    assert one.scores[:before].tobytes() == other.scores[:before].tobytes()
    # The first day after is scored by the spread before it; only then it grows.
    assert 50 * one.scores[before : before + 4] == pytest.approx(other.scores[before : before + 4])
    assert (other.spreads > one.spreads).all()


def test_no_games_teach_nothing() -> None:
    errors, dates = np.random.default_rng(8).normal(0, 5, (40, 2)), daily(40)
    start = Calibration.fit(errors, dates)
    same = start.walk(errors[:0], dates[:0])
    assert same.scores.tobytes() == start.scores.tobytes()
    assert same.mass == start.mass
    assert list(days(dates[:0])) == []


def test_days_are_runs_of_one_date() -> None:
    assert list(days(DAY + np.array([0, 0, 3, 4, 4, 4]))) == [
        slice(0, 2),
        slice(2, 3),
        slice(3, 6),
    ]


def test_too_few_games_are_refused() -> None:
    with pytest.raises(DataError, match="at least 20 games; got 19"):
        Calibration.fit(np.ones((19, 2)), daily(19))


def test_without_decay_every_game_counts_once() -> None:
    scores = np.zeros((250, 1))
    assert unscaled(scores).effective_games == pytest.approx(250)
    decayed = Calibration(scores=scores, squares=np.ones(1), mass=1.0)
    assert 200 < decayed.effective_games < 250


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    """Scores of their own in every cell, spreads that fall towards the horizon."""
    random = np.random.default_rng(9)
    left = np.array([(24 if horizon == "halftime" else 48) - minute for horizon, minute in CELLS])
    scores = random.normal(0, 1, (200, len(CELLS))) + 0.01 * left
    return Calibration(scores=scores, squares=4.0 * left, mass=1.0, settings=FOREVER)


def at(seconds: float, margin: float = 4.0) -> GameState:
    return GameState(pattern=(margin,) * int(seconds // 60), margin=margin, elapsed_seconds=seconds)


@pytest.mark.parametrize(
    ("horizon", "minute"), [("halftime", 0), ("halftime", 23), ("final", 0), ("final", 47)]
)
def test_at_a_whole_minute_the_cell_speaks(
    calibration: Calibration, horizon: Horizon, minute: int
) -> None:
    found = calibration.distribution(horizon, at(60.0 * minute), 1.5)
    cell = cell_of(horizon, minute)
    assert (found.horizon, found.point) == (horizon, 1.5)
    assert found.spread == calibration.spreads[cell]
    assert found.shape.quantiles.tolist() == calibration.shape(cell).quantiles.tolist()


@pytest.mark.parametrize("horizon", ["halftime", "final"])
@pytest.mark.parametrize("minute", [0, 10, 22])
def test_between_two_minutes_the_variance_is_between_theirs(
    calibration: Calibration, horizon: Horizon, minute: int
) -> None:
    spreads = [
        calibration.distribution(horizon, at(60.0 * minute + extra), 0.0).spread
        for extra in (0.0, 0.001, 15.0, 30.0, 59.999, 60.0)
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] == pytest.approx(spreads[1], abs=1e-3)
    assert spreads[-1] == pytest.approx(spreads[-2], abs=1e-3)
    assert spreads[3] ** 2 == pytest.approx((spreads[0] ** 2 + spreads[-1] ** 2) / 2)
    quarter = calibration.distribution(horizon, at(60.0 * minute + 15.0), 0.0).shape
    first, last = (calibration.shape(cell_of(horizon, minute + later)) for later in (0, 1))
    assert quarter.quantiles == pytest.approx(0.75 * first.quantiles + 0.25 * last.quantiles)


def test_at_the_end_a_lead_is_certain_and_a_tie_is_an_overtime(calibration: Calibration) -> None:
    over = calibration.distribution("final", at(2880.0), 4.0)
    assert (over.spread, over.win_probability) == (0.0, 1.0)
    seconds_left = [
        calibration.distribution("final", at(2880.0 - left), 4.0).spread for left in (30, 3, 0.01)
    ]
    assert seconds_left == sorted(seconds_left, reverse=True)
    assert seconds_left[-1] < 0.05
    overtime = calibration.spreads[cell_of("final", 43)]
    assert calibration.distribution("final", at(2880.0, 0.0), 0.0).spread == overtime
    tied = calibration.distribution("final", at(2879.99, 0.0), 0.0)
    assert tied.spread == pytest.approx(overtime, rel=1e-3)
    half = calibration.distribution("halftime", at(1439.99), 4.0)
    assert half.spread < 0.05


def test_the_grid_reaches_from_half_a_percent_to_the_last_half() -> None:
    assert GRID_LEVELS[[0, 99, -1]].tolist() == [0.005, 0.5, 0.995]
