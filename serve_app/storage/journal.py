"""How score updates are written to the journal, and a session read back from it."""

import datetime
import json
from collections.abc import Sequence

from models.game.clock import GameClock
from models.game.league import LEAGUES
from serve_app.game.game_session import GameSession, minute_of
from serve_app.game.observation import Observation, UpdateEffect
from serve_app.schemas import GameRegistration, Prediction, RunningForecast
from serve_app.storage.store import JournalRow

JournalEntry = tuple[str, str, float, str]  # game_id, type, epoch seconds, payload as JSON text


def score_entry(session: GameSession, effect: UpdateEffect, now: float) -> JournalEntry:
    """The journal entry of one update, which is also its live message."""
    seen = effect.observation
    payload = {
        "quarter": seen.clock.quarter,
        "time_remaining": seen.clock.time_remaining,
        "score_home": seen.score_home,
        "score_away": seen.score_away,
        "timestamp": seen.timestamp,
        "sequence": seen.sequence,
        "margin": seen.margin,
        "game_minute": minute_of(seen.clock),
        "state": session.state,
        "flags": effect.flags,
    }
    return (session.registration.game_id, "score", now, json.dumps(payload))


def rebuild_session(
    registration: GameRegistration,
    scores: Sequence[JournalRow],
    prediction: Prediction | None,
    *,
    day: datetime.date | None,
    running: RunningForecast | None,
    ended: bool,
) -> GameSession:
    """The session of a game as it was, from its journaled updates in the order they came."""
    session = GameSession(registration, day, running=running)
    rules = LEAGUES[registration.league]
    for row in scores:
        payload = json.loads(row.payload)
        clock = GameClock.parse(payload["quarter"], payload["time_remaining"], rules)
        session.observe(
            Observation(
                clock,
                payload["score_home"],
                payload["score_away"],
                payload["timestamp"],
                payload["sequence"],
            )
        )
        session.last_received = row.time
    if prediction is not None:
        session.freeze(prediction)
        if prediction.outcome is not None:
            session.resolve(prediction.outcome)
    if ended:
        session.end()
    return session
