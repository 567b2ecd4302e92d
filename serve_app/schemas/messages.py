"""The messages of the live feed, over WebSocket and as server-sent events alike."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from serve_app.schemas.answers import (
    Answer,
    GameView,
    Outcome,
    Prediction,
    Revision,
    RunningForecast,
)
from serve_app.schemas.fields import GameState
from serve_app.schemas.system import System

ChangeType = Literal["game", "score", "forecast", "prediction", "revision", "outcome", "ended"]


class LiveMessage(Answer):
    """What every message has. `seq` grows by the order of the store; to go on later, name it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    seq: int
    type: Literal[
        "snapshot",
        "resumed",
        "heartbeat",
        "system",
        "game",
        "score",
        "forecast",
        "prediction",
        "revision",
        "outcome",
        "ended",
    ]
    time: datetime
    game_id: str | None = None


class _Message(Answer):
    seq: int = Field(ge=0, description="Grows by the order of the store; `since` goes on from it.")
    time: datetime


class SnapshotMessage(_Message):
    """The games as they stand, the newest or those named: without `since`, or an unknown one.

    `unknown_since` is that one: what came after it is kept no longer, or never was in this store.
    """

    type: Literal["snapshot"]
    games: list[GameView]
    unknown_since: int | None = None


class ResumedMessage(_Message):
    """The first message where `since` is known: every change after it follows, once."""

    type: Literal["resumed"]


class HeartbeatMessage(_Message):
    """Nothing that was asked for has happened for a while; `since` may be this `seq`."""

    type: Literal["heartbeat"]


class SystemMessage(_Message):
    """How the service is doing, every few seconds, to who names the type `system`."""

    type: Literal["system"]
    system: System


class _Change(_Message):
    game_id: str


class GameMessage(_Change):
    """A game is monitored."""

    type: Literal["game"]
    game: GameView


class ScoreMessage(_Change):
    """A score update was taken; `margin` in points, `game_minute` from 1."""

    type: Literal["score"]
    quarter: int
    time_remaining: str
    score_home: int
    score_away: int
    timestamp: float | None
    sequence: int | None
    source: str | None = None
    margin: int
    game_minute: int
    state: GameState
    flags: list[str]


class ForecastMessage(_Change):
    """A running forecast was made."""

    type: Literal["forecast"]
    forecast: RunningForecast


class PredictionMessage(_Change):
    """The prediction of a game was frozen, resting on so many updates."""

    type: Literal["prediction"]
    prediction: Prediction
    updates: int


class RevisionMessage(_Change):
    """A revision was put beside a prediction, resting on so many updates."""

    type: Literal["revision"]
    revision: Revision
    updates: int


class OutcomeMessage(_Change):
    """Halftime: the prediction was held against the margin, or against a corrected one."""

    type: Literal["outcome"]
    outcome: Outcome


class EndedMessage(_Change):
    """A game was declared over; margins in points."""

    type: Literal["ended"]
    predicted: float | None
    actual: float | None
    error: float | None


AnyMessage: TypeAlias = Annotated[
    SnapshotMessage
    | ResumedMessage
    | HeartbeatMessage
    | SystemMessage
    | GameMessage
    | ScoreMessage
    | ForecastMessage
    | PredictionMessage
    | RevisionMessage
    | OutcomeMessage
    | EndedMessage,
    Field(discriminator="type"),
]
