"""How score updates are written to the journal, and a session read back from it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from models.game.clock import GameClock
from models.game.league import LEAGUES
from serve_app.game.game_session import GameSession, State, minute_of
from serve_app.game.observation import Observation, UpdateEffect
from serve_app.schemas import Prediction, RunningForecast
from serve_app.storage.games import GameSums, StoredGame
from serve_app.storage.journal import JournalEntry, ScoreRows

CLOCKS = 16_384  # every second of a game and of ten overtimes, twice


class StoredScore(msgspec.Struct, kw_only=True):
    """What a shard reads back of a journaled update; the rest of the payload it can tell anew."""

    quarter: int
    time_remaining: str
    score_home: int
    score_away: int
    timestamp: float | None
    sequence: int | None
    source: str | None = None  # a game of an earlier version has none


class ScorePayload(StoredScore, kw_only=True):
    """The payload of a journaled update, which is also its live message."""

    margin: int
    game_minute: int
    state: State
    flags: tuple[str, ...]


_read_score = msgspec.json.Decoder(StoredScore).decode
_read_scores = msgspec.json.Decoder(list[StoredScore]).decode


def score_entry(
    session: GameSession, effect: UpdateEffect, identity: str, now: float
) -> JournalEntry:
    """The journal entry of one update."""
    seen = effect.observation
    payload = ScorePayload(
        quarter=seen.clock.quarter,
        time_remaining=seen.clock.time_remaining,
        score_home=seen.score_home,
        score_away=seen.score_away,
        timestamp=seen.timestamp,
        sequence=seen.sequence,
        source=seen.source,
        margin=seen.margin,
        game_minute=minute_of(seen.clock),
        state=session.state,
        flags=effect.flags,
    )
    text = msgspec.json.encode(payload).decode()
    return JournalEntry(session.registration.game_id, "score", now, text, identity)


def observation_of(payload: str, league: str) -> Observation:
    """The update that a journal entry holds."""
    return _observations([_read_score(payload)], league)[0]


def observations_of(scores: ScoreRows, league: str) -> list[Observation]:
    """A game's journaled updates, in the order in which they came."""
    return _observations(_read_scores(f"[{scores.payloads or ''}]"), league)


def _observations(scores: Iterable[StoredScore], league: str) -> list[Observation]:
    return [
        Observation(
            clock_of(score.quarter, score.time_remaining, league),
            score.score_home,
            score.score_away,
            score.timestamp,
            score.sequence,
            score.source,
        )
        for score in scores
    ]


@lru_cache(CLOCKS)
def clock_of(quarter: int, time_remaining: str, league: str) -> GameClock:
    """A journaled clock: all games have the same, and reading them anew takes half of a rebuild."""
    return GameClock.parse(quarter, time_remaining, LEAGUES[league])


def sums_of(session: GameSession) -> GameSums:
    """What the store keeps of a session beside its journal."""
    return GameSums(
        session.state.value, session.updates, session.corrections, session.last_received
    )


def rebuild_session(
    stored: StoredGame,
    scores: ScoreRows,
    prediction: Prediction | None,
    running: RunningForecast | None,
) -> GameSession:
    """The session of a game as it was, from its updates in their order."""
    session = GameSession(stored.registration, stored.day, running=running, version=stored.version)
    league = stored.registration.league
    observations = observations_of(scores, league)
    if stored.sums is None or _may_have_a_due_prediction(stored.sums, session, observations):
        for observation in observations:
            session.observe(observation)
    else:
        sums = stored.sums
        session.restore(observations, State(sums.state), sums.corrections)
    session.last_received = scores.latest_time
    if prediction is not None:
        session.freeze(prediction)
        if prediction.outcome is not None:
            session.resolve(prediction.outcome)
    if stored.ended:
        session.end()
    return session


def _may_have_a_due_prediction(
    sums: GameSums, session: GameSession, observations: Sequence[Observation]
) -> bool:
    """Whether it matters what was known at each moment: the trigger is crossed, and no more."""
    trigger = session.buffer.rules.trigger_elapsed
    return sums.state == State.LIVE and any(
        observation.clock.elapsed_seconds >= trigger for observation in observations
    )
