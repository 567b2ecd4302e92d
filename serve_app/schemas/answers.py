"""What the service answers and what it broadcasts."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.game.horizon import Horizon
from serve_app.schemas.fields import GameState, StrengthSource


class Answer(BaseModel):
    """Base of all answers: a client ignores fields that a newer service adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SimilarGame(Answer):
    """A historical game that went like the pattern; `pattern` is its own up to that minute."""

    game_id: str
    date: date
    home_team: str
    away_team: str
    pattern: list[float]
    halftime_differential: float
    final_differential: float | None = None
    distance: float


class Explanation(Answer):
    """How the ensemble came to its forecast; all margins in points."""

    dejavu_prediction: float
    lstm_prediction: float
    ensemble_forecast: float
    dejavu_weight: float
    lstm_weight: float
    similar_games: list[SimilarGame]


class Distribution(Answer):
    """A predictive distribution of a margin (home − away, points) and its interval at 1 − alpha.

    `quantiles` maps levels such as `0.05` to points, and all numbers come from one calibrated
    distribution. `win_probability` is that of home, of the final margin only.
    """

    point_forecast: float
    interval_lower: float
    interval_upper: float
    coverage_probability: float
    quantiles: dict[str, float] = {}
    win_probability: float | None = None


class LineProbability(Answer):
    """The probability that the margin ends above a line, in points for home."""

    line: float
    probability: float


class Forecast(Distribution):
    """The forecast margin at its horizon: halftime, or the final one, overtime included.

    `expected_margin` is the pregame one with its own standard deviation where it comes from the
    ratings. `calibration_version` names the model and how many finished games it had learned from.
    """

    model_version: str
    expected_margin: float
    strength: StrengthSource
    horizon: Horizon = "halftime"
    expected_margin_sd: float | None = None
    calibration_version: str | None = None
    probabilities_above: list[LineProbability] | None = None
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

    `last_score` is the class of the last score before 6:00 (`models.game.last_score`), 0 if old.
    `made_after_halftime` marks one that came too late to be of use, after an outage: it was made
    from what was known at the crossing, but it does not count in `/accuracy`.
    """

    game_id: str
    pattern: list[float]
    made_at: datetime
    quarter: int
    time_remaining: str
    minutes_carried_forward: int
    last_score: int = 0
    made_after_halftime: bool = False
    revisions: list[Revision] = []
    outcome: Outcome | None = None


class RunningForecast(Answer):
    """The newest forecast of a game that is under way, made at the clock of its newest update.

    `updates` counts the updates of the game that it rests on. There is one of the halftime margin
    during the first half only.
    """

    made_at: datetime
    quarter: int
    time_remaining: str
    margin: float
    updates: int
    model_version: str
    calibration_version: str | None = None
    expected_margin: float
    strength: StrengthSource
    halftime: Distribution | None = None
    final: Distribution


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
    """What is known of a monitored game.

    `day` is the calendar day it counts for; `forecast` the newest running one.
    """

    game_id: str
    home_team: str
    away_team: str
    league: str
    state: GameState
    start_time: datetime | None = None
    day: date | None = None
    playoffs: bool = False
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
    forecast: RunningForecast | None = None


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


class Health(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """The service can predict: models loaded and every shard answering.

    `instance` names the ingress replica that answered, anew at each of its starts.
    """

    status: Literal["ready"] = "ready"
    instance: str | None = None
    model_version: str | None = None
    shards: int = 0
    placement: str | None = None


class Models(Answer):
    """What is in service: the versions, what it was trained on and has learned since.

    `ratings_day` is the day of the last result that the ratings know, `trained_before` the day
    from which on no game was used in training.
    """

    model_version: str
    calibration_version: str
    learned_games: int
    ratings_day: date | None = None
    trained_before: str | None = None
    train_seasons: list[int]
    weights_seasons: list[int]
    calibration_seasons: list[int]
    dejavu_weight: float
    lstm_weight: float
    library_games: int
    placement: str
