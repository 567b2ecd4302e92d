import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conformal import ConformalInterval
from models.errors import AlphaError, DataError

INTERVAL = ConformalInterval.fit(np.arange(1.0, 20.0), np.zeros(19))  # scores 1..19
ALPHAS = st.floats(0, 1, exclude_min=True, exclude_max=True)


@pytest.mark.parametrize(
    ("alpha", "half_width"), [(0.05, 19), (0.1, 18), (0.11, 18), (0.5, 10), (0.95, 1), (0.999, 1)]
)
def test_the_half_width_is_the_corrected_order_statistic(alpha: float, half_width: float) -> None:
    assert INTERVAL.half_width(alpha) == half_width


def test_it_is_added_around_the_point_also_below_zero() -> None:
    assert INTERVAL.interval(3.0, 0.5) == (-7.0, 13.0)
    assert INTERVAL.interval(-3.0, 0.5) == (-13.0, 7.0)


@given(one=ALPHAS, other=ALPHAS)
def test_widths_are_finite_and_monotone_in_alpha(one: float, other: float) -> None:
    narrow, wide = (INTERVAL.half_width(alpha) for alpha in (max(one, other), min(one, other)))
    assert 0 <= narrow <= wide < math.inf


def test_past_the_evidence_the_width_goes_on_growing() -> None:
    assert INTERVAL.smallest_alpha == 0.05
    assert INTERVAL.half_width(0.01) > INTERVAL.half_width(0.02) > INTERVAL.half_width(0.05) == 19


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.5, float("nan"), float("inf")])
def test_an_alpha_outside_0_to_1_is_refused(alpha: float) -> None:
    with pytest.raises(AlphaError, match="between 0 and 1"):
        INTERVAL.interval(0.0, alpha)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_coverage_holds_on_average_over_small_calibration_sets(alpha: float) -> None:
    random = np.random.default_rng(5)
    covered = []
    for _ in range(4000):
        errors = random.standard_t(4, 40)
        interval = ConformalInterval.fit(np.zeros(39), errors[:39])
        covered.append(abs(errors[39]) <= interval.half_width(alpha))
    assert 1 - alpha - 0.02 < np.mean(covered) < 1 - alpha + 1 / 40 + 0.02


@pytest.mark.parametrize("scores", [[], [2.0, 1.0], [-1.0, 1.0], [1.0, float("nan")]])
def test_what_are_no_scores_is_refused(scores: list[float]) -> None:
    with pytest.raises(DataError, match="conformal scores"):
        ConformalInterval(np.array(scores))
