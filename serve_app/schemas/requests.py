"""What a caller sends."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.clock import GameClock
from models.errors import ClockError
from models.league import NBA
from serve_app.schemas.fields import (
    Alpha,
    ExpectedMargin,
    GameId,
    League,
    Margin,
    Score,
    TeamCode,
    Timestamp,
    existing_quarter,
    expected_only,
)


class Request(BaseModel):
    """Base of all requests: an unknown field is an error, so that a typo is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictRequest(Request):
    """One pattern to forecast from: the margins at the end of game minutes 1..18."""

    pattern: Annotated[
        list[Margin], Field(min_length=NBA.pattern_minutes, max_length=NBA.pattern_minutes)
    ]
    alpha: Alpha = 0.05
    return_explanation: bool = True
    home_team: TeamCode | None = None
    away_team: TeamCode | None = None
    expected_margin: ExpectedMargin | None = None


class GameRegistration(Request):
    """A game to monitor. The same registration again gets the same answer."""

    game_id: GameId
    home_team: TeamCode
    away_team: TeamCode
    start_time: Timestamp | None = None
    expected_margin: ExpectedMargin | None = None
    league: League = "nba"

    @model_validator(mode="after")
    def _two_teams(self) -> "GameRegistration":
        if self.home_team == self.away_team:
            raise ValueError(f"home_team and away_team: expected two teams; got {self.home_team!r}")
        return self


class ScoreUpdate(Request):
    """The score at one game clock, as a scraper saw it."""

    quarter: Annotated[StrictInt, AfterValidator(existing_quarter)]
    time_remaining: StrictStr
    score_home: Score
    score_away: Score
    timestamp: Timestamp | None = None
    sequence: Annotated[StrictInt, Field(ge=0, lt=2**63)] | None = None
    # Read only where the service registers unknown games by itself.
    home_team: TeamCode | None = None
    away_team: TeamCode | None = None

    @field_validator("time_remaining")
    @classmethod
    def _clock_exists(cls, text: str, info: ValidationInfo) -> str:
        # Where the quarter is wrong it is missing here, and the form alone is checked.
        try:
            GameClock.parse(info.data.get("quarter", 1), text)
        except ClockError as error:
            raise expected_only(error) from None
        return text

    def clock(self) -> GameClock:
        """The game clock of this update."""
        return GameClock.parse(self.quarter, self.time_remaining)


class GameScoreUpdate(ScoreUpdate):
    """A score update that names its game, for lists over any games."""

    game_id: GameId
