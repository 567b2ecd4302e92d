"""A shard: the live state of its share of the games, written to the store before it is believed.

Plain Python; `shard_pool` runs it as a Ray actor, which calls one method at a time. Every method
may be called twice with the same arguments: an actor's calls are retried after a crash.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from models.clock import GameClock
from serve_app.game_session import DueForecast, GameSession, State
from serve_app.game_view import end_result, score_result, view
from serve_app.journal import JournalEntry, rebuild_session, score_entry
from serve_app.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    PredictionNotMade,
    ServiceProblem,
    UnknownGame,
)
from serve_app.schemas import (
    EndResult,
    Forecast,
    GameRegistration,
    GameView,
    Outcome,
    Prediction,
    Revision,
    ScoreResult,
)
from serve_app.score_buffer import Observation
from serve_app.store import Store

ENDED_SESSIONS = 250  # more than one page of GET /games shows


@dataclass(frozen=True, slots=True)
class Update:
    """One validated score update on its way to a shard; teams only where it may register."""

    game_id: str
    quarter: int
    time_remaining: str
    score_home: int
    score_away: int
    timestamp: float | None = None
    sequence: int | None = None
    home_team: str | None = None
    away_team: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one update: its result, and the forecast that is to be made, if any."""

    result: ScoreResult
    due: DueForecast | None = None


class GameShard:
    """Holds the sessions of its games, as a cache of the store."""

    def __init__(
        self,
        store: Store,
        *,
        auto_register: bool = False,
        notify: Callable[[], object] = lambda: None,
        now: Callable[[], float] = time.time,
        ended_sessions: int = ENDED_SESSIONS,
    ) -> None:
        self._store = store
        self._ended_sessions = ended_sessions
        self._auto_register = auto_register
        self._notify = notify
        self._now = now
        self._sessions: dict[str, GameSession] = {}
        self._ended: deque[str] = deque()

    # --- sessions --------------------------------------------------------------------------

    def _session(self, game_id: str) -> GameSession:
        """The session of a registered game, rebuilt from the journal where it is not at hand."""
        session = self._sessions.get(game_id)
        if session is None:
            stored = self._store.game(game_id)
            if stored is None:
                raise UnknownGame.of(game_id)
            session = rebuild_session(
                stored.registration,
                self._store.scores(game_id),
                self._store.prediction(game_id),
                ended=stored.ended,
            )
            self._sessions[game_id] = session
            if stored.ended:
                self._bound_ended(game_id)
        return session

    def _bound_ended(self, game_id: str) -> None:
        """Let the session that ended longest ago go; the store knows it still."""
        self._ended.append(game_id)
        if len(self._ended) > self._ended_sessions:
            self._sessions.pop(self._ended.popleft(), None)

    @contextmanager
    def _writing(self, *game_ids: str) -> Iterator[list[JournalEntry]]:
        """Collect journal entries and commit them as one; on failure forget what memory did.

        The sessions of `game_ids` are then rebuilt from the store at their next use, so that
        memory never holds what the store does not.
        """
        entries: list[JournalEntry] = []
        try:
            with self._store.transaction():
                yield entries
                self._store.append(entries)
        except BaseException:
            for game_id in game_ids:
                self._sessions.pop(game_id, None)
            raise
        if entries:
            self._notify()

    # --- games -----------------------------------------------------------------------------

    def register(self, registration: GameRegistration) -> GameView:
        """Monitor a game; the same registration again gets the same answer.

        Raises Conflict where the game is registered with other content.
        """
        game_id = registration.game_id
        stored = self._store.game(game_id)
        if stored is None:
            with self._writing(game_id) as entries:
                self._add(registration, entries)
        elif stored.registration != registration:
            raise Conflict(
                f"game {game_id!r}: expected the content it was registered with, "
                f"{stored.registration.model_dump_json(exclude_none=True)}; "
                f"got {registration.model_dump_json(exclude_none=True)}",
                game_id=game_id,
            )
        return self.game(game_id)

    def _add(self, registration: GameRegistration, entries: list[JournalEntry]) -> None:
        self._store.add_game(registration)
        session = GameSession(registration)
        self._sessions[registration.game_id] = session
        payload = f'{{"game": {view(session, self._now()).model_dump_json()}}}'
        entries.append((registration.game_id, "game", self._now(), payload))

    def game(self, game_id: str) -> GameView:
        """What is known of one game; raises UnknownGame."""
        return view(self._session(game_id), self._now())

    def games(self, game_ids: Sequence[str]) -> list[GameView]:
        """What is known of these games, in order."""
        return [self.game(game_id) for game_id in game_ids]

    def prediction(self, game_id: str) -> Prediction:
        """The frozen prediction; raises a problem that says why there is none."""
        session = self._session(game_id)
        if session.prediction is not None:
            return session.prediction
        insufficient = session.insufficient_pattern()
        if insufficient is not None:
            raise InsufficientPatternProblem(
                f"game {game_id!r}: expected at most {insufficient.allowed} minutes without an "
                f"update before the trigger; got {len(insufficient.missing_minutes)}: "
                f"{insufficient.missing_minutes}; post the earlier updates to fill them",
                game_id=game_id,
                **insufficient.model_dump(),
            )
        late = session.state is State.MISSED
        raise PredictionNotMade(
            f"game {game_id!r} is {session.state}; "
            + (
                "it was past halftime before it could be predicted"
                if late
                else "its prediction is made when the clock crosses 6:00 of Q2"
            ),
            game_id=game_id,
            state=str(session.state),
        )

    def end(self, game_id: str) -> EndResult:
        """Declare a game over; again: the same answer."""
        session = self._session(game_id)
        if session.state is not State.ENDED:
            with self._writing(game_id) as entries:
                session.end()
                self._store.end_game(game_id)
                payload = end_result(session).model_dump_json(exclude={"prediction", "game_id"})
                entries.append((game_id, "ended", self._now(), payload))
            self._bound_ended(game_id)
        return end_result(session)

    # --- updates ---------------------------------------------------------------------------

    def apply(self, updates: Sequence[Update]) -> list[Applied | ServiceProblem]:
        """Take updates in order, commit them together, then acknowledge each by its own result.

        An update that cannot be taken gets its problem and leaves the others alone.
        """
        applied: list[Applied | ServiceProblem] = []
        with self._writing(*{update.game_id for update in updates}) as entries:
            for update in updates:
                try:
                    applied.append(self._apply_one(update, entries))
                except ServiceProblem as problem:
                    applied.append(problem)
        return applied

    def _apply_one(self, update: Update, entries: list[JournalEntry]) -> Applied:
        session = self._session_for(update, entries)
        rules = session.buffer.rules
        observation = Observation(
            GameClock.parse(update.quarter, update.time_remaining, rules),
            update.score_home,
            update.score_away,
            update.timestamp,
            update.sequence,
        )
        effect = session.observe(observation)
        session.last_received = self._now()
        if not effect.duplicate:
            entries.append(score_entry(session, effect, self._now()))
            self._resolve(session, entries)
        return Applied(score_result(session, effect), session.due)

    def _session_for(self, update: Update, entries: list[JournalEntry]) -> GameSession:
        try:
            return self._session(update.game_id)
        except UnknownGame:
            if not self._auto_register:
                raise
        if update.home_team is None or update.away_team is None:
            raise InvalidRequest(
                f"game {update.game_id!r} is not registered: expected home_team and away_team in "
                "the update to register it; got none",
                errors=[{"field": "home_team", "value": None, "expected": "a team code"}],
            )
        self._add(
            GameRegistration(
                game_id=update.game_id, home_team=update.home_team, away_team=update.away_team
            ),
            entries,
        )
        return self._sessions[update.game_id]

    # --- forecasts -------------------------------------------------------------------------

    def record(self, due: DueForecast, forecast: Forecast) -> Prediction:
        """Keep a forecast that fell due: freeze the prediction, or add a revision beside it.

        The first to come is kept; a second for the same crossing gets the first one's answer.
        """
        session = self._session(due.game_id)
        with self._writing(due.game_id) as entries:
            if session.prediction is None:
                self._freeze(session, due, forecast, entries)
            elif session.due == due and due.kind != "prediction":
                self._revise(session, due, forecast, entries)
            self._resolve(session, entries)
        if session.prediction is None:
            raise PredictionNotMade(
                f"game {due.game_id!r}: the prediction was not kept", game_id=due.game_id
            )
        return session.prediction

    def _freeze(
        self,
        session: GameSession,
        due: DueForecast,
        forecast: Forecast,
        entries: list[JournalEntry],
    ) -> None:
        prediction = Prediction(
            **dict(forecast),
            game_id=due.game_id,
            pattern=list(due.pattern),
            made_at=self._moment(),
            quarter=due.clock.quarter,
            time_remaining=due.clock.time_remaining,
            minutes_carried_forward=due.minutes_carried_forward,
            made_after_halftime=session.buffer.reached_halftime,
        )
        if self._store.freeze(prediction):
            payload = f'{{"prediction": {prediction.model_dump_json()}}}'
            entries.append((due.game_id, "prediction", self._now(), payload))
        session.freeze(self._store.prediction(due.game_id) or prediction)

    def _revise(
        self,
        session: GameSession,
        due: DueForecast,
        forecast: Forecast,
        entries: list[JournalEntry],
    ) -> None:
        if due.kind == "prediction":
            return
        revision = Revision(
            reason=due.kind,
            made_at=self._moment(),
            pattern=list(due.pattern),
            minutes_carried_forward=due.minutes_carried_forward,
            forecast=forecast,
        )
        session.revise(revision)
        if session.prediction is not None:
            self._store.set_revisions(due.game_id, session.prediction.revisions)
        payload = f'{{"revision": {revision.model_dump_json()}}}'
        entries.append((due.game_id, "revision", self._now(), payload))

    def _resolve(self, session: GameSession, entries: list[JournalEntry]) -> None:
        actual, prediction = session.new_outcome(), session.prediction
        if actual is None or prediction is None:
            return
        outcome = Outcome(
            halftime_margin=actual,
            error=actual - prediction.point_forecast,
            persistence_error=actual - prediction.pattern[-1],
            covered=prediction.interval_lower <= actual <= prediction.interval_upper,
            resolved_at=self._moment(),
        )
        session.resolve(outcome)
        game_id = session.registration.game_id
        self._store.set_outcome(game_id, outcome)
        payload = f'{{"outcome": {outcome.model_dump_json()}}}'
        entries.append((game_id, "outcome", self._now(), payload))

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)
