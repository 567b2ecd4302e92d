"""The game day: the one calendar day that a game counts for, whatever zone it is seen from."""

from datetime import UTC, date, datetime, timedelta

# UTC−10 h is the zone of Hawaii: there every American night is over before the day is.
NIGHT_SHIFT = timedelta(hours=10)
# The latest finals ended on 20 July (2021), but for the season that was put off in 2020.
SEASON_FIRST_MONTH = 8


def day_of(moment: datetime) -> date:
    """The day of a game that starts or is under way at `moment`.

    A time with a zone counts in UTC−10 h; one without is the date on somebody's schedule as is.
    """
    return (moment.astimezone(UTC) - NIGHT_SHIFT).date() if moment.tzinfo else moment.date()


def season_of(day: date) -> int:
    """The season of a day, by its starting year: it changes in the summer."""
    return day.year if day.month >= SEASON_FIRST_MONTH else day.year - 1
