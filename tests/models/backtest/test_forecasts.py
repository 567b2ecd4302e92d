import numpy as np
import pytest
from scipy.stats import norm

from models.backtest.forecasts import LEVELS, Forecasts


def test_gaussian_forecasts_are_those_of_the_normal_distribution() -> None:
    point, actual = np.array([-4.0, 0.0, 2.5]), np.array([1.0, 0.0, -9.0])
    told = Forecasts.gaussian(point, 6.0, actual, final=True)
    assert told.quantiles == pytest.approx(norm.ppf(LEVELS, point[:, None], 6.0))
    assert told.pit == pytest.approx(norm.cdf(actual, point, 6.0))
    assert told.win_probability == pytest.approx(norm.sf(0, point, 6.0))
    grid = np.linspace(-150, 150, 300_001)
    for row in range(3):
        steps = (norm.cdf(grid, point[row], 6.0) - (grid >= actual[row])) ** 2
        assert told.crps[row] == pytest.approx(np.trapezoid(steps, grid), abs=1e-3)


def test_who_wins_is_asked_of_the_final_margin_only() -> None:
    told = Forecasts.gaussian(np.zeros(2), 1.0, np.zeros(2))
    assert np.isnan(told.win_probability).all()


def test_what_is_not_said_is_nan() -> None:
    points = Forecasts.of_points(np.array([1.0]))
    wins = Forecasts.of_win_probability(np.array([0.7]))
    assert np.isnan(points.quantiles).all()
    assert np.isnan(points.win_probability).all()
    assert np.isnan(wins.point).all()
    assert wins.win_probability.tolist() == [0.7]
