import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ClockError
from models.game.clock import GameClock, parse_time_remaining


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6:00", 360.0),
        ("06:00", 360.0),
        ("12:00", 720.0),
        ("0:00", 0.0),
        ("57.0", 57.0),
        (":32.1", 32.1),
        ("PT06M00.00S", 360.0),
        ("PT00M09.90S", 9.9),
        ("0:57.4", 57.4),
    ],
)
def test_accepted_forms(text: str, seconds: float):
    assert parse_time_remaining(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "6",
        "6:0",
        "6:60",
        "6:000",
        "60.0",
        "-1:00",
        "6:00 ",
        "--:--",
        "Half",
        "PT6M0S",
        "٦:٠٠",
        "1e3",
        "nan",
        "PT06M60.00S",
        ":",
        "6:00\n",
    ],
)
def test_anything_else_is_a_clear_error(text: str):
    with pytest.raises(ClockError, match=r"expected a clock such as 6:00.*got"):
        parse_time_remaining(text)


@pytest.mark.parametrize(
    ("quarter", "text", "elapsed"),
    [
        (1, "12:00", 0.0),
        (1, "0:00", 720.0),
        (2, "12:00", 720.0),
        (2, "6:00", 1080.0),
        (2, "0:00", 1440.0),
        (4, "0:00", 2880.0),
        (5, "5:00", 2880.0),
        (6, "0:00", 3480.0),
    ],
)
def test_elapsed_seconds(quarter: int, text: str, elapsed: float):
    assert GameClock.parse(quarter, text).elapsed_seconds == elapsed


@pytest.mark.parametrize(("quarter", "text"), [(1, "12:01"), (5, "5:01"), (3, "13:00")])
def test_a_clock_longer_than_its_quarter(quarter: int, text: str):
    with pytest.raises(ClockError, match=r"expected 0 to (720|300) seconds in quarter"):
        GameClock.parse(quarter, text)


@pytest.mark.parametrize("quarter", [0, -1, 15])
def test_a_quarter_that_is_none(quarter: int):
    with pytest.raises(ClockError, match="expected 1 to 4, or up to 14 for overtimes"):
        GameClock.parse(quarter, "6:00")


@given(st.integers(1, 4), st.integers(0, 7200))
def test_shown_clock_reads_back(quarter: int, tenths: int):
    clock = GameClock(quarter, tenths / 10)
    assert GameClock.parse(quarter, clock.time_remaining) == clock


@given(st.text(max_size=12))
def test_no_text_breaks_the_parser(text: str):
    with contextlib.suppress(ClockError):
        assert 0 <= parse_time_remaining(text) < 100 * 60
