import numpy as np

from models.game.pattern import PATTERN_MINUTES, origin_shifted


def test_a_shifted_path_ends_at_the_origin() -> None:
    assert origin_shifted(np.array([[2.0, 5.0, 4.0]])).tolist() == [[-2.0, 1.0, 0.0]]


def test_the_frozen_forecast_is_made_after_18_minutes() -> None:
    assert PATTERN_MINUTES == 18
