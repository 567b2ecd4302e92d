import math

import numpy as np
import pytest

from models import metrics
from models.errors import AlphaError, DataError

LOWER, UPPER = [0.0, 0.0, 0.0, 0.0], [10.0, 10.0, 10.0, 10.0]
ACTUAL = [5.0, 10.0, 12.0, -1.0]


def test_mae_and_rmse_by_hand() -> None:
    assert metrics.mae([1.0, 2.0], [4.0, -2.0]) == 3.5
    assert metrics.rmse([1.0, 2.0], [4.0, -2.0]) == pytest.approx(math.sqrt(12.5))


def test_coverage_counts_the_ends() -> None:
    assert metrics.coverage(LOWER, UPPER, ACTUAL) == 0.5


def test_width() -> None:
    assert metrics.width([0.0, -2.0], [4.0, 4.0]) == 5.0


def test_interval_score_by_hand() -> None:
    # Width 10 each, plus 2/0.2 times the 2 points above and the 1 point below.
    assert metrics.interval_score(LOWER, UPPER, ACTUAL, 0.2) == pytest.approx(10 + (20 + 10) / 4)


def test_interval_score_takes_a_level_per_game() -> None:
    score = metrics.interval_score([0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.5, 0.1])
    assert score == pytest.approx(((1 + 4) + (1 + 20)) / 2)


def test_crps_of_a_normal_at_its_mean() -> None:
    # sigma * (2 phi(0) - 1 / sqrt(pi)) = 0.233695 sigma
    assert metrics.crps_gaussian([3.0], [2.0], [3.0]) == pytest.approx(2 * 0.2336949772551092)


def test_crps_agrees_with_its_definition_by_sampling() -> None:
    random = np.random.default_rng(0)
    sample, other = random.normal(1.0, 3.0, (2, 400_000))
    expected = np.mean(np.abs(sample - 4.0)) - np.mean(np.abs(sample - other)) / 2
    assert metrics.crps_gaussian([1.0], [3.0], [4.0]) == pytest.approx(expected, abs=0.02)


def test_crps_of_a_sure_normal_is_the_absolute_error() -> None:
    assert metrics.crps_gaussian([1.0], [1e-9], [4.0]) == pytest.approx(3.0)


def test_crps_interval_reads_the_normal_off_the_interval() -> None:
    half = 1.959963984540054 * 2.0
    assert metrics.crps_interval([1 - half], [1 + half], [4.0], 0.05) == pytest.approx(
        metrics.crps_gaussian([1.0], [2.0], [4.0])
    )


def test_score_gathers_all_metrics() -> None:
    scores = metrics.score([5.0] * 4, LOWER, UPPER, ACTUAL, 0.2)
    assert scores.games == 4
    assert scores.mae == metrics.mae([5.0] * 4, ACTUAL)
    assert scores.coverage == 0.5
    assert scores.width == 10.0
    assert scores.interval_score == metrics.interval_score(LOWER, UPPER, ACTUAL, 0.2)


def test_paired_difference_by_hand() -> None:
    difference = metrics.paired_difference([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 3.0])
    # |errors| 0, 1, 2 against 1, 0, 3: differences -1, 1, -1.
    assert difference.mean == pytest.approx(-1 / 3)
    assert difference.standard_error == pytest.approx(np.std([-1, 1, -1], ddof=1) / math.sqrt(3))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        metrics.mae([1.0], [1.0, 2.0])
    with pytest.raises(DataError, match="at least 1"):
        metrics.mae([], [])
    with pytest.raises(DataError, match="above 0"):
        metrics.crps_gaussian([0.0], [0.0], [0.0])
    with pytest.raises(DataError, match="at least 2"):
        metrics.paired_difference([0.0], [0.0], [0.0])
    with pytest.raises(AlphaError, match="between 0 and 1"):
        metrics.interval_score([0.0], [1.0], [0.5], 1.0)


def test_an_outcome_equal_to_its_quantile_is_half_below_it() -> None:
    assert metrics.share_below([5.0, 5.0, 5.0, 5.0], [4.0, 5.0, 6.0, 5.0]) == 0.5


def test_whole_outcomes_of_a_calibrated_forecast_are_below_its_quantiles_as_often_as_promised() -> (
    None
):
    random = np.random.default_rng(0)
    for points in (random.uniform(-20, 20, 40_000), random.integers(-20, 20, 40_000) * 1.0):
        outcomes = np.round(points + random.normal(0.0, 6.0, len(points)))
        # The median of the second ones is a whole number each time, as outcomes are.
        assert metrics.share_below(points, outcomes) == pytest.approx(0.5, abs=0.008)
    below = metrics.share_below(points + random.uniform(-0.5, 0.5, len(points)) - 9.869, outcomes)
    assert below == pytest.approx(0.05, abs=0.005)
