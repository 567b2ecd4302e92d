import numpy as np
import pytest

from models.game.last_score import CLASS_EDGES, CLASSES, last_score_class, last_score_classes


@pytest.mark.parametrize(
    ("seconds", "magnitude"),
    [
        (0.0, 1),
        (9.99, 1),
        (10.0, 2),
        (13.99, 2),
        (14.0, 3),
        (17.99, 3),
        (18.0, 4),
        (21.99, 4),
        (22.0, 5),
        (31.99, 5),
        (32.0, 0),
        (2880.0, 0),
        (-0.01, 0),
        (float("nan"), 0),
        (float("inf"), 0),
    ],
)
def test_the_class_is_the_side_and_how_long_ago(seconds: float, magnitude: int) -> None:
    assert last_score_class(1, seconds) == magnitude
    assert last_score_class(-1, seconds) == -magnitude
    assert last_score_class(0, seconds) == 0


def test_many_at_once_are_the_same_one_by_one() -> None:
    random = np.random.default_rng(0)
    side, seconds = random.integers(-1, 2, (5, 48)), random.uniform(-2, 40, (5, 48))
    many = last_score_classes(side, seconds)
    assert many.dtype == np.int8
    assert many.shape == (5, 48)
    assert many.ravel().tolist() == [
        last_score_class(one, ago)
        for one, ago in zip(side.ravel().tolist(), seconds.ravel().tolist(), strict=True)
    ]
    assert np.abs(many).max() == CLASSES == len(CLASS_EDGES)
