import pytest

from models.game.league import LEAGUES, NBA


def test_nba_timing():
    assert NBA.trigger_elapsed == 18 * 60
    assert NBA.halftime_elapsed == 24 * 60
    assert NBA.pattern_minutes == 18
    assert LEAGUES["nba"] is NBA


@pytest.mark.parametrize(
    ("quarter", "start", "length"), [(1, 0, 720), (4, 2160, 720), (5, 2880, 300), (6, 3180, 300)]
)
def test_quarters_and_overtimes(quarter: int, start: int, length: int):
    assert NBA.start_elapsed(quarter) == start
    assert NBA.length_seconds(quarter) == length
