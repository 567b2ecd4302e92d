import json

import numpy as np
import pytest

from models.errors import DataError
from models.ratings.belief import Belief, Contrast

PRIOR = Belief.independent(np.array([1.0, -2.0, 0.5]), np.array([4.0, 9.0, 1.0]))
OBSERVATIONS = [
    ([0, 1], [1.0, -1.0], 5.0, 2.0),
    ([2], [3.0], -1.0, 0.5),
    ([1, 2, 0], [0.5, 1.0, 2.0], 4.0, 1.0),
]


def contrast(places: list[int], weights: list[float]) -> Contrast:
    return Contrast(np.array(places), np.array(weights))


def learned() -> Belief:
    belief = PRIOR
    for places, weights, observed, noise in OBSERVATIONS:
        belief = belief.learned(contrast(places, weights), observed, noise)
    return belief


def test_learning_one_by_one_is_the_regression_on_all_at_once() -> None:
    rows = np.zeros((3, 3))
    for row, (places, weights, _, _) in enumerate(OBSERVATIONS):
        rows[row, places] = weights
    observed, noise = (np.array([one[column] for one in OBSERVATIONS]) for column in (2, 3))
    precision = np.linalg.inv(PRIOR.covariance) + rows.T @ np.diag(1 / noise) @ rows
    covariance = np.linalg.inv(precision)
    mean = covariance @ (np.linalg.inv(PRIOR.covariance) @ PRIOR.mean + rows.T @ (observed / noise))
    assert learned().mean == pytest.approx(mean)
    assert learned().covariance == pytest.approx(covariance)


def test_the_covariance_stays_symmetric_to_the_last_bit() -> None:
    belief = learned().aged(np.array([0.3, 0.7, 1.0]), np.array([0.1, 0.2, 0.3]))
    assert (belief.covariance == belief.covariance.T).all()


def test_a_contrast_has_the_mean_and_variance_of_its_sum() -> None:
    mean, variance = learned().expect(contrast([2, 0], [2.0, -1.0]))
    weights = np.array([-1.0, 0.0, 2.0])
    assert mean == pytest.approx(weights @ learned().mean)
    assert variance == pytest.approx(weights @ learned().covariance @ weights)


def test_ageing_shrinks_and_adds_variance() -> None:
    belief = PRIOR.aged(np.array([0.5, 1.0, 1.0]), np.array([0.0, 2.0, 0.0]))
    assert belief.mean.tolist() == [0.5, -2.0, 0.5]
    assert np.diag(belief.covariance).tolist() == [1.0, 11.0, 1.0]


def test_new_quantities_come_last_and_say_nothing_of_the_others() -> None:
    belief = learned().grown(np.array([7.0]), np.array([3.0]))
    assert len(belief) == 4
    assert (belief.covariance[:3, :3] == learned().covariance).all()
    assert belief.covariance[3].tolist() == [0.0, 0.0, 0.0, 3.0]
    assert belief.mean[3] == 7.0


def test_a_belief_survives_json_bit_for_bit() -> None:
    again = Belief.from_state(json.loads(json.dumps(learned().to_state())), 3)
    assert (again.mean == learned().mean).all()
    assert (again.covariance == learned().covariance).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": [1.0, 2.0]}, "expected 3 means and 6 covariances; got 2 and 6"),
        ({"covariance": [1.0] * 5}, "got 3 and 5"),
        ({"mean": [1.0, float("nan"), 2.0]}, "finite numbers as 'mean'"),
        ({"mean": ["one", 2.0, 3.0]}, "list of numbers as 'mean'"),
        ({"covariance": [-1.0, 0.0, 1.0, 0.0, 0.0, 1.0]}, "variances of 0 or more; got -1"),
    ],
)
def test_a_state_that_is_none_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Belief.from_state({**PRIOR.to_state(), **change}, 3)
