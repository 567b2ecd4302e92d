import numpy as np
import pytest

from models.ensemble import Ensemble
from models.errors import ForecastError


def test_it_is_the_weighted_mean() -> None:
    assert Ensemble(0.4, 0.6).combine(10.0, 5.0) == 7.0
    assert Ensemble(0.25, 0.75).combine(np.array([4.0, 0.0]), np.zeros(2)).tolist() == [1.0, 0.0]


def test_presets_and_pairs() -> None:
    assert Ensemble.from_weights("original") == Ensemble(0.4, 0.6)
    assert Ensemble.from_weights([0.4, 0.6]) == Ensemble(0.4, 0.6)


@pytest.mark.parametrize(
    "weights", [[0.5, 0.6], [-0.1, 1.1], [1.0], [0.2, 0.3, 0.5], "best", [float("nan"), 0.5]]
)
def test_wrong_weights_are_refused(weights: list[float] | str) -> None:
    with pytest.raises(ForecastError, match="ensemble weights: expected"):
        Ensemble.from_weights(weights)


def test_a_much_better_model_gets_the_weight() -> None:
    random = np.random.default_rng(0)
    actual = random.normal(0, 10, 2000)
    good, poor = actual + random.normal(0, 1, 2000), actual + random.normal(0, 20, 2000)
    assert Ensemble.fit(good, poor, actual).dejavu_weight > 0.98
    assert Ensemble.fit(poor, good, actual).dejavu_weight < 0.02


def test_models_that_hardly_differ_stay_near_the_middle() -> None:
    random = np.random.default_rng(0)
    dejavu = random.normal(0, 10, 2000)
    lstm = dejavu + random.normal(0, 0.05, 2000)
    ensemble = Ensemble.fit(dejavu, lstm, dejavu + random.normal(0, 6, 2000))
    assert abs(ensemble.dejavu_weight - 0.5) < 0.1
    assert Ensemble.fit(dejavu, dejavu, dejavu + 1).dejavu_weight == 0.5
    assert ensemble.dejavu_weight + ensemble.lstm_weight == pytest.approx(1)


def test_two_perfect_models_are_no_division_by_zero() -> None:
    assert Ensemble.fit(np.zeros(3), np.zeros(3), np.zeros(3)) == Ensemble(0.5, 0.5)
