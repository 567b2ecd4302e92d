import numpy as np
import pytest

from models.errors import PatternError
from models.pattern import as_expected_margins, as_patterns, origin_shifted


def test_patterns_become_float64() -> None:
    patterns = as_patterns([[1] * 18, [2] * 18])
    assert patterns.dtype == np.float64
    assert patterns.shape == (2, 18)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([[0.0] * 17], r"expected shape \(n, 18\); got \(1, 17\)"),
        ([0.0] * 18, r"got \(18,\)"),
        ([[0.0] * 18, [0.0] * 3], "rows of numbers"),
        ([["three"] * 18], "rows of numbers"),
        ([[0.0] * 17 + [float("nan")]], "got nan at minute 18 of pattern 0"),
        ([[0.0] * 3 + [float("inf")] + [0.0] * 14], "got inf at minute 4"),
        ([[101.0] * 18], "from -100 to 100"),
    ],
)
def test_what_is_no_pattern_says_why(patterns: list[list[float]], message: str) -> None:
    with pytest.raises(PatternError, match=message):
        as_patterns(patterns)


@pytest.mark.parametrize("minutes", [1, 18, 24])
def test_any_first_half_prefix_is_allowed_when_asked(minutes: int) -> None:
    assert as_patterns([[0.0] * minutes], minutes=None).shape == (1, minutes)


@pytest.mark.parametrize("minutes", [0, 25])
def test_a_prefix_past_halftime_is_not(minutes: int) -> None:
    with pytest.raises(PatternError, match="1 to 24"):
        as_patterns(np.zeros((1, minutes)), minutes=None)


@pytest.mark.parametrize("expected", [[1.0], [1.0, float("nan")], [1.0, 101.0]])
def test_expected_margins_are_one_finite_number_per_pattern(expected: list[float]) -> None:
    with pytest.raises(PatternError):
        as_expected_margins(expected, 2)


def test_a_shifted_path_ends_at_the_origin() -> None:
    assert origin_shifted(np.array([[2.0, 5.0, 4.0]])).tolist() == [[-2.0, 1.0, 0.0]]
