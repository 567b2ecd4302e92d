import numpy as np
import pytest

from models.errors import ForecastError
from models.forecasters.ensemble import PRIOR_SD, Ensemble


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
    good, poor = random.normal(0, 1, (2000, 4)), random.normal(0, 20, (2000, 4))
    assert Ensemble.fit(good, poor).dejavu_weight > 0.98
    assert Ensemble.fit(poor, good).dejavu_weight < 0.02


def test_models_that_hardly_differ_stay_near_the_middle() -> None:
    random = np.random.default_rng(0)
    errors = random.normal(0, 6, (2000, 4))
    ensemble = Ensemble.fit(errors, errors + random.normal(0, 0.05, (2000, 4)))
    assert abs(ensemble.dejavu_weight - 0.5) < 0.1
    assert ensemble.dejavu_weight + ensemble.lstm_weight == pytest.approx(1)
    assert Ensemble.fit(errors, errors) == Ensemble(0.5, 0.5)


def test_the_share_minimises_squared_error_and_prior_together() -> None:
    random = np.random.default_rng(3)
    common = random.normal(0, 5, (60, 3))
    dejavu = common + random.normal(0, 2, (60, 3))
    lstm = common + random.normal(0, 3, (60, 3))
    spread = np.sqrt(np.mean(lstm**2, axis=0))

    def cost(share: float) -> float:
        errors = (share * dejavu + (1 - share) * lstm) / spread
        prior = (share - 0.5) ** 2 / PRIOR_SD**2
        return float(np.sum(np.mean(errors**2, axis=1))) + prior

    shares = np.round(np.arange(0, 1.0001, 0.0001), 4).tolist()
    assert Ensemble.fit(dejavu, lstm).dejavu_weight == pytest.approx(
        min(shares, key=cost), abs=1.5e-4
    )


def test_a_cell_in_larger_points_does_not_count_for_more() -> None:
    random = np.random.default_rng(4)
    dejavu, lstm = random.normal(0, 1, (500, 2)), random.normal(0, 1.2, (500, 2))
    scale = np.array([1.0, 100.0])
    assert Ensemble.fit(dejavu * scale, lstm * scale) == Ensemble.fit(dejavu, lstm)


def test_perfect_models_are_no_division_by_zero() -> None:
    assert Ensemble.fit(np.zeros((3, 2)), np.zeros((3, 2))) == Ensemble(0.5, 0.5)
    assert Ensemble.fit(np.ones((99, 2)), np.zeros((99, 2))).dejavu_weight < 0.1
