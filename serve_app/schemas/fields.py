"""Field types of the contract: what a score, a margin, a game id may be."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, StrictInt, StringConstraints

from models.errors import ClockError
from models.game.clock import GameClock

MAX_SCORE = 250
MAX_MARGIN = 100
MAX_EXPECTED_MARGIN = 60


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


Timestamp = Annotated[datetime, AfterValidator(aware)]
GameId = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
    ),
]
Source = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
    ),
]
TeamCode = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=40, pattern=r"^\S(.*\S)?$")
]
Score = Annotated[StrictInt, Field(ge=0, le=MAX_SCORE)]
Margin = Annotated[FiniteFloat, Field(strict=True, ge=-MAX_MARGIN, le=MAX_MARGIN)]
ExpectedMargin = Annotated[
    FiniteFloat, Field(strict=True, ge=-MAX_EXPECTED_MARGIN, le=MAX_EXPECTED_MARGIN)
]
Alpha = Annotated[FiniteFloat, Field(strict=True, gt=0, lt=1)]
Side = Literal["home", "away"]
League = Literal["nba"]
GameState = Literal["registered", "live", "predicted", "resolved", "missed", "ended"]
StrengthSource = Literal["caller", "ratings", "unknown_team", "unknown_season", "home_advantage"]
