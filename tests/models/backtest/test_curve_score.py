import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.curve_score import CurveScore
from models.calibration.distribution import GRID_LEVELS, MarginDistribution, Shape


def shape(seed: int, lower_tail: float, upper_tail: float) -> Shape:
    random = np.random.default_rng(seed)
    return Shape(np.sort(random.normal(0, 1, len(GRID_LEVELS))), lower_tail, upper_tail)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    tails=st.tuples(st.floats(0.05, 0.8), st.floats(0.05, 0.8)),
    error=st.floats(-6, 6),
)
def test_the_score_is_the_integral_of_the_curve(
    seed: int, tails: tuple[float, float], error: float
) -> None:
    curve = shape(seed, *tails)
    grid = np.linspace(-16, 16, 40_001)
    told = MarginDistribution(horizon="final", point=0.0, spread=1.0, shape=curve)
    below = np.asarray([told.below(float(one)) for one in grid])
    integral = np.trapezoid((below - (grid >= error)) ** 2, grid)
    found = CurveScore.of(curve).crps(np.asarray([error]))[0]
    assert found == pytest.approx(integral, abs=2e-3)


def test_a_curve_without_tails_and_with_equal_quantiles() -> None:
    curve = Shape(np.repeat([-1.0, 0.0, 1.0], [60, 79, 60]), 0.0, 0.0)
    found = CurveScore.of(curve).crps(np.asarray([-2.0, 0.0, 3.0]))
    assert (found > 0).all()
    assert found[1] < found[0] < found[2]


def test_the_truth_scores_best() -> None:
    random = np.random.default_rng(4)
    errors = random.normal(0, 1, 4000)
    levels = np.sort(random.normal(0, 1, 200_000))
    right = Shape(np.quantile(levels, GRID_LEVELS), 0.3, 0.3)
    mean = CurveScore.of(right).crps(errors).mean()
    for factor in (0.8, 1.25):
        wrong = Shape(right.quantiles * factor, 0.3 * factor, 0.3 * factor)
        assert CurveScore.of(wrong).crps(errors).mean() > mean
