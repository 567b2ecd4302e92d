"""Field types of the contract: what a score, a margin, a game id may be.

What a type refuses its JSON Schema tells, so that the OpenAPI description is true.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from models.errors import ClockError
from models.game.clock import GameClock
from models.game.league import NBA

MAX_SCORE = 250
MAX_MARGIN = 100
MAX_EXPECTED_MARGIN = 60
MAX_CLOCK_CHARACTERS = 20
# A time in nanoseconds fits, and so does a column of 8 bytes.
MAX_SEQUENCE = 9 * 10**18
EXAMPLE_GAME = "0022300500"
EXAMPLE_PAST_GAME = "0021801218"
# Milliseconds of the year 2096: larger numbers are no time at which a score was seen.
MAX_EPOCH = 4e12

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Fractions of a second have at most three digits; `10:07`, `57.0`, `:32.1`, `PT10M07.00S`.
_FRACTION = r"(\.[0-9]{1,3})?"
_UNDER_A_MINUTE = rf"[0-5]?[0-9]\.[0-9]{{1,3}}|:[0-5]?[0-9]{_FRACTION}"


def _clock_pattern(minutes: str, iso_minutes: str, longest: int) -> str:
    """The clock texts of a period of `longest` minutes, as a regular expression."""
    nought = r"(\.0{1,3})?"
    shown = rf"({minutes}):[0-5][0-9]{_FRACTION}|{longest:02d}:00{nought}"
    short = "" if longest > 9 else rf"|{longest}:00{nought}"
    iso = rf"PT({iso_minutes})M[0-5][0-9]{_FRACTION}S|PT{longest:02d}M00{nought}S"
    return f"^({shown}{short}|{_UNDER_A_MINUTE}|{iso})$"


QUARTER_CLOCK = _clock_pattern("0?[0-9]|1[01]", "0[0-9]|1[01]", 12)
OVERTIME_CLOCK = _clock_pattern("0?[0-4]", "0[0-4]", 5)


def existing_quarter(quarter: int) -> int:
    """A quarter that some game clock shows; raises ValueError on any other."""
    try:
        GameClock(quarter, 0.0)
    except ClockError as error:
        raise expected_only(error) from None
    return quarter


def expected_only(error: ClockError) -> ValueError:
    """What was expected, without the field and the value that stand beside it in an answer."""
    return ValueError(str(error).partition(": ")[2].partition("; got")[0])


def aware(moment: datetime) -> datetime:
    """A time without a zone is taken as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole(value: object) -> object:
    """A number without a fraction, which 3.0 is in JSON as well as 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text_or_moment(value: object) -> object:
    """No bare number, which would be taken for seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.match(value)):
        return value
    raise ValueError("expected ISO 8601 text such as 2024-01-05 or 2024-01-05T19:30:00Z")


def _moment_or_epoch(value: object) -> object:
    """Text, or seconds since 1970, or milliseconds where the number is too large for seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= MAX_EPOCH:
            return value
        raise ValueError(f"expected seconds or milliseconds since 1970, 0 to {MAX_EPOCH:g}")
    return _text_or_moment(value)


def _in_utc(moment: datetime) -> datetime:
    """A time whose day in UTC has a number; raises ValueError on one at either end of time."""
    try:
        aware(moment).astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time in the years 1 to 9999 of UTC") from None
    return moment


def _described(**schema: Any) -> WithJsonSchema:  # noqa: ANN401 - JSON Schema
    """The schema of what is taken; what is answered keeps its own."""
    return WithJsonSchema(schema, mode="validation")


Moment = Annotated[
    datetime,
    BeforeValidator(_text_or_moment),
    AfterValidator(_in_utc),
    _described(type="string", format="date-time"),
]
Timestamp = Annotated[
    datetime,
    BeforeValidator(_moment_or_epoch),
    AfterValidator(_in_utc),
    AfterValidator(aware),
    _described(
        anyOf=[
            {"type": "string", "format": "date-time"},
            {"type": "number", "minimum": 0, "maximum": MAX_EPOCH},
        ]
    ),
]
Day = Annotated[date, BeforeValidator(_text_or_moment), _described(type="string", format="date")]
# The bounds stand before the validator: only there do they come into the JSON Schema.
SequenceNumber = Annotated[StrictInt, Field(ge=0, le=MAX_SEQUENCE), BeforeValidator(_whole)]
Quarter = Annotated[
    StrictInt,
    BeforeValidator(_whole),
    AfterValidator(existing_quarter),
    Field(json_schema_extra={"minimum": 1, "maximum": NBA.last_quarter}),
]
ClockText = Annotated[
    str,
    StringConstraints(strict=True, max_length=MAX_CLOCK_CHARACTERS),
    Field(json_schema_extra={"pattern": QUARTER_CLOCK, "examples": ["6:00", "PT06M00.00S"]}),
]
_AnyGameId = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
    ),
]
GameId = Annotated[_AnyGameId, Field(examples=[EXAMPLE_GAME])]
PastGameId = Annotated[_AnyGameId, Field(examples=[EXAMPLE_PAST_GAME])]
Source = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
    ),
]
# Neither blanks at its ends nor control characters: some databases refuse them.
TeamCode = Annotated[
    str,
    StringConstraints(
        strict=True,
        min_length=1,
        max_length=40,
        pattern=r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$",
    ),
]
Score = Annotated[StrictInt, Field(ge=0, le=MAX_SCORE), BeforeValidator(_whole)]
Margin = Annotated[FiniteFloat, Field(strict=True, ge=-MAX_MARGIN, le=MAX_MARGIN)]
ExpectedMargin = Annotated[
    FiniteFloat, Field(strict=True, ge=-MAX_EXPECTED_MARGIN, le=MAX_EXPECTED_MARGIN)
]
Alpha = Annotated[FiniteFloat, Field(strict=True, gt=0, lt=1)]
Side = Literal["home", "away"]
League = Literal["nba"]
GameState = Literal["registered", "live", "predicted", "resolved", "missed", "ended"]
StrengthSource = Literal["caller", "ratings", "unknown_team", "unknown_season", "home_advantage"]
