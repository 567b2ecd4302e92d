from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from serve_app.game.game_day import day_of, season_of

EASTERN, PACIFIC = timezone(timedelta(hours=-5)), timezone(timedelta(hours=-8))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 1, 5, 12, 0, tzinfo=EASTERN),
        datetime(2024, 1, 5, 19, 0, tzinfo=EASTERN),
        datetime(2024, 1, 5, 22, 30, tzinfo=PACIFIC),
        datetime(2024, 1, 6, 1, 0, tzinfo=PACIFIC),  # its last minutes, with overtimes
        datetime(2024, 1, 6, 3, 30, tzinfo=UTC),
        datetime(2024, 1, 5, 23, 0),
        datetime(2024, 1, 5),
    ],
)
def test_an_american_night_is_one_day(moment: datetime):
    assert day_of(moment) == date(2024, 1, 5)


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (date(2023, 10, 24), 2023),
        (date(2024, 4, 14), 2023),
        (date(2024, 6, 17), 2023),
        (date(2021, 7, 20), 2020),
        (date(2020, 12, 22), 2020),
    ],
)
def test_a_season_is_named_by_the_year_in_which_it_begins(day: date, season: int):
    assert season_of(day) == season
