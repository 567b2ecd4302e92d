import pytest

from serve_app.night_report.words import percent, seconds, signed


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(3.46, 1, "+3.5"), (-2.0, 0, "−2"), (-0.04, 1, "0.0"), (0.0, 0, "0"), (12.345, 2, "+12.35")],
)
def test_margins_have_a_sign_and_zero_has_none(value: float, decimals: int, text: str):
    assert signed(value, decimals) == text


@pytest.mark.parametrize(("share", "text"), [(0.95, "95 %"), (1.0 - 0.005, "99.5 %"), (1, "100 %")])
def test_shares_are_told_in_per_cent(share: float, text: str):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.25, "−0.2 s"),
        (4.04, "4.0 s"),
        (150.0, "2 min"),
        (10_000.0, "3 h"),
        (82_231_200.0, "952 days"),
    ],
)
def test_a_time_span_is_in_the_unit_that_it_is_read_best_in(value: float, text: str):
    assert seconds(value) == text
