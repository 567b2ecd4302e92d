"""What a caller sends."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.errors import ClockError
from models.game.clock import GameClock
from models.game.horizon import HALFTIME_MINUTE, REGULATION_MINUTES, Horizon
from models.game.league import NBA, SECONDS_PER_MINUTE
from serve_app.schemas.fields import (
    EXAMPLE_GAME,
    OVERTIME_CLOCK,
    Alpha,
    ClockText,
    Day,
    ExpectedMargin,
    GameId,
    League,
    Margin,
    Moment,
    Quarter,
    Score,
    SequenceNumber,
    Side,
    Source,
    TeamCode,
    Timestamp,
    expected_only,
)

MAX_LINES = 20
EXAMPLE_PATTERN: list[JsonValue] = [2.0, 3.0, 1.0, -2.0, 0.0, 4.0, 5.0, 5.0, 7.0, 6.0, 3.0, 2.0]
EXAMPLE_PATTERN += [4.0, 8.0, 9.0, 7.0, 6.0, 8.0]

# What one field asks of another, in JSON Schema: it is checked below, and told here.
_PATTERN_BY_HORIZON: dict[str, Any] = {
    "anyOf": [
        {"properties": {"horizon": {"const": "final"}}, "required": ["horizon"]},
        {"properties": {"pattern": {"maxItems": HALFTIME_MINUTE - 1}}},
    ]
}
_LAST_SCORE_BOTH_OR_NEITHER: dict[str, Any] = {
    "anyOf": [
        {
            "properties": {
                "last_score": {"type": "string"},
                "seconds_since_score": {"type": "number"},
            },
            "required": ["last_score", "seconds_since_score"],
        },
        {
            "properties": {"last_score": {"type": "null"}, "seconds_since_score": {"type": "null"}},
        },
    ]
}
_CLOCK_BY_QUARTER: dict[str, Any] = {
    "anyOf": [
        {"properties": {"quarter": {"maximum": NBA.quarters}}},
        {"properties": {"time_remaining": {"pattern": OVERTIME_CLOCK}}},
    ]
}

SecondsSinceScore = Annotated[
    FiniteFloat, Field(strict=True, ge=0, le=REGULATION_MINUTES * SECONDS_PER_MINUTE)
]


# What is left out of a body where it is the default: a service of an earlier version, which does
# not know the field, then takes the request.
def _is_halftime(horizon: Horizon) -> bool:
    return horizon == "halftime"


def _is_empty(value: object) -> bool:
    return not value


class Request(BaseModel):
    """Base of all requests: an unknown field is an error, so that a typo is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictRequest(Request):
    """One pattern to forecast from: the margins at the end of game minutes 1, 2, 3 and so on.

    The forecast is made at the end of its last minute: 18 of them are the pattern at 6:00 of Q2.
    `date` is the day of the game: the forecast then rests on what was learned before it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [_PATTERN_BY_HORIZON, _LAST_SCORE_BOTH_OR_NEITHER],
            "examples": [{"pattern": EXAMPLE_PATTERN, "home_team": "DEN", "away_team": "DAL"}],
        }
    )

    horizon: Horizon = Field(default="halftime", exclude_if=_is_halftime)
    pattern: Annotated[list[Margin], Field(min_length=1, max_length=REGULATION_MINUTES)]
    alpha: Alpha = 0.05
    return_explanation: StrictBool = True
    home_team: TeamCode | None = None
    away_team: TeamCode | None = None
    expected_margin: ExpectedMargin | None = None
    date: Day | None = None
    playoffs: StrictBool = Field(default=False, exclude_if=_is_empty)
    # Which side scored last, and how many game seconds before the end of the last minute.
    last_score: Side | None = None
    seconds_since_score: SecondsSinceScore | None = Field(default=None, validate_default=True)
    lines: Annotated[list[Margin], Field(max_length=MAX_LINES)] = Field(
        default=[], exclude_if=_is_empty
    )

    @field_validator("pattern")
    @classmethod
    def _ends_before_its_horizon(cls, pattern: list[float], info: ValidationInfo) -> list[float]:
        # A horizon that is none has its own error and is missing here.
        if info.data.get("horizon") == "halftime" and len(pattern) >= HALFTIME_MINUTE:
            raise ValueError(
                f"expected 1 to {HALFTIME_MINUTE - 1} margins with horizon halftime, or up to "
                f"{REGULATION_MINUTES} with horizon final; {len(pattern)} came"
            )
        return pattern

    @field_validator("seconds_since_score")
    @classmethod
    def _with_the_last_score(cls, seconds: float | None, info: ValidationInfo) -> float | None:
        # A side that is none has its own error and is missing here.
        known = "last_score" in info.data
        if known and (seconds is None) != (info.data["last_score"] is None):
            raise ValueError("expected last_score and seconds_since_score together, or neither")
        return seconds


class GameRegistration(Request):
    """A game to monitor. The same registration again gets the same answer.

    A `start_time` without a zone is UTC, but its date is the day of the game as it stands.
    `home_team` and `away_team` are two teams.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"game_id": EXAMPLE_GAME, "home_team": "DEN", "away_team": "DAL"}]
        }
    )

    game_id: GameId
    home_team: TeamCode
    away_team: TeamCode
    start_time: Moment | None = None
    expected_margin: ExpectedMargin | None = None
    playoffs: StrictBool = Field(default=False, exclude_if=_is_empty)
    league: League = "nba"

    @model_validator(mode="after")
    def _two_teams(self) -> "GameRegistration":
        if self.home_team == self.away_team:
            raise ValueError(f"home_team and away_team: expected two teams; got {self.home_team!r}")
        return self


class ScoreUpdate(Request):
    """The score at one game clock, as a scraper saw it.

    `sequence` is the scraper's own running number of the update within its game, `source` the
    scraper's name, where several post the same game. An update is told from a repeat by both, or by
    its content where it has no sequence.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **_CLOCK_BY_QUARTER,
            "examples": [
                {"quarter": 2, "time_remaining": "5:41", "score_home": 33, "score_away": 46}
            ],
        }
    )

    quarter: Quarter
    time_remaining: ClockText
    score_home: Score
    score_away: Score
    timestamp: Timestamp | None = None
    sequence: SequenceNumber | None = None
    source: Source | None = Field(default=None, exclude_if=_is_empty)
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

    # The example of the base class has no game.
    model_config = ConfigDict(json_schema_extra=_CLOCK_BY_QUARTER)

    game_id: GameId
