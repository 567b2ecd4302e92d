"""What travels over HTTP: requests and answers of the contract, shared by service and client.

Imports neither Ray nor torch, because the client runs inside someone else's scraper.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.clock import GameClock
from models.errors import ClockError
from models.league import NBA

MAX_SCORE = 250
MAX_MARGIN = 100
MAX_EXPECTED_MARGIN = 60


def _aware(moment: datetime) -> datetime:
    """A time without a zone is taken as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _existing_quarter(quarter: int) -> int:
    try:
        GameClock(quarter, 0.0)
    except ClockError as error:
        raise _expected(error) from None
    return quarter


def _expected(error: ClockError) -> ValueError:
    """What was expected, without the field and the value that stand beside it in an answer."""
    return ValueError(str(error).partition(": ")[2].partition("; got")[0])


Timestamp = Annotated[datetime, AfterValidator(_aware)]
GameId = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
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
League = Literal["nba"]
GameState = Literal["registered", "live", "predicted", "resolved", "missed", "ended"]
StrengthSource = Literal["caller", "ratings", "unknown_team", "home_advantage"]


class Request(BaseModel):
    """Base of all requests: an unknown field is an error, so that a typo is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of all answers: a client ignores fields that a newer service adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


# --- requests -------------------------------------------------------------------------------


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

    quarter: Annotated[StrictInt, AfterValidator(_existing_quarter)]
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
            raise _expected(error) from None
        return text

    def clock(self) -> GameClock:
        """The game clock of this update."""
        return GameClock.parse(self.quarter, self.time_remaining)


class GameScoreUpdate(ScoreUpdate):
    """A score update that names its game, for lists over any games."""

    game_id: GameId


# --- answers --------------------------------------------------------------------------------


class SimilarGame(Answer):
    """A historical game whose first 18 minutes went like the pattern."""

    game_id: str
    date: date
    home_team: str
    away_team: str
    pattern: list[float]
    halftime_differential: float
    distance: float


class Explanation(Answer):
    """How the ensemble came to its forecast; all margins in points."""

    dejavu_prediction: float
    lstm_prediction: float
    ensemble_forecast: float
    dejavu_weight: float
    lstm_weight: float
    similar_games: list[SimilarGame]


class Forecast(Answer):
    """The forecast halftime margin (home − away, points) with its interval at 1 − alpha."""

    point_forecast: float
    interval_lower: float
    interval_upper: float
    coverage_probability: float
    model_version: str
    expected_margin: float
    strength: StrengthSource
    explanation: Explanation | None = None


class Outcome(Answer):
    """What happened at halftime, against the frozen forecast; errors in points."""

    halftime_margin: float
    error: float
    persistence_error: float
    covered: bool
    resolved_at: datetime


class Revision(Answer):
    """A later forecast of the same game: its pattern changed after the prediction was frozen."""

    reason: Literal["late_update", "score_correction"]
    made_at: datetime
    pattern: list[float]
    minutes_carried_forward: int
    forecast: Forecast


class Prediction(Forecast):
    """The frozen prediction of one game, made once when the clock crossed 6:00 of Q2.

    `made_after_halftime` marks one that came too late to be of use, after an outage: it was made
    from what was known at the crossing, but it does not count in `/accuracy`.
    """

    game_id: str
    pattern: list[float]
    made_at: datetime
    quarter: int
    time_remaining: str
    minutes_carried_forward: int
    made_after_halftime: bool = False
    revisions: list[Revision] = []
    outcome: Outcome | None = None


class Problem(Answer):
    """An error as RFC 9457 problem details; `type` is what a program switches on."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str


class InsufficientPattern(Answer):
    """Why a game past the trigger has no prediction: too many minutes without any update."""

    missing_minutes: list[int]
    allowed: int


class ScoreResult(Answer):
    """What became of one accepted update.

    `game_minute` is the minute being played (1..48, more in overtime); `flags` names what was odd
    about the update (`score_jump`, `score_decreased`, `clock_backwards`, `superseded`).
    """

    game_id: str
    accepted: bool
    duplicate: bool
    game_minute: int
    margin: int
    flags: list[str] = []
    prediction: Prediction | None = None
    insufficient_pattern: InsufficientPattern | None = None


class ListItemResult(Answer):
    """One item's result in a list: `result` where `status` is 200, else `problem`."""

    status: int
    result: ScoreResult | None = None
    problem: Problem | None = None


class GameView(Answer):
    """What is known of a monitored game."""

    game_id: str
    home_team: str
    away_team: str
    league: str
    state: GameState
    start_time: datetime | None = None
    expected_margin: float | None = None
    quarter: int | None = None
    time_remaining: str | None = None
    score_home: int | None = None
    score_away: int | None = None
    margin: int | None = None
    game_minute: int | None = None
    pattern: list[float] = []
    missing_minutes: list[int] = []
    updates: int = 0
    corrections: int = 0
    feed_lag_seconds: float | None = None
    prediction: Prediction | None = None


class EndResult(Answer):
    """The closing account of a game: predicted, actual and error, in points."""

    game_id: str
    predicted: float | None
    actual: float | None
    error: float | None
    prediction: Prediction | None = None


class PredictionLog(Answer):
    """A page of the prediction log, oldest first; `next_since` fetches the next page."""

    predictions: list[Prediction]
    next_since: int


class Skill(Answer):
    """Point accuracy and interval quality over the resolved predictions, in points."""

    mae: float
    rmse: float
    crps: float
    coverage: float
    width: float
    interval_score: float


class Accuracy(Answer):
    """How the resolved predictions did, beside the baseline, at their own intervals."""

    resolved: int
    predicted: int
    coverage_target: float | None = None
    ensemble: Skill | None = None
    persistence: Skill | None = None


class Health(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """The service can predict: models loaded and every shard answering."""

    status: Literal["ready"] = "ready"
    model_version: str | None = None
    shards: int = 0
    placement: str | None = None


class Models(Answer):
    """What is loaded: the version, what it was trained on, and how it combines."""

    model_version: str
    train_seasons: list[int]
    weights_seasons: list[int]
    calibration_seasons: list[int]
    held_out_date: str | None = None
    dejavu_weight: float
    lstm_weight: float
    library_games: int
    placement: str


class LiveMessage(Answer):
    """One message of the live feed. `seq` grows by store order; `snapshot` carries all games."""

    model_config = ConfigDict(extra="allow", frozen=True)

    seq: int
    type: Literal["snapshot", "game", "score", "prediction", "revision", "outcome", "ended"]
    time: datetime
    game_id: str | None = None
