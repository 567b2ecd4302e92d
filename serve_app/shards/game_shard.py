"""A shard: the live state of its share of the games, written to the store before it is believed.

Plain Python; `shard_pool` runs it as a Ray actor, which calls one method at a time. Every method
may be called twice with the same arguments: an actor's calls are retried after a crash.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from models.game.clock import GameClock
from serve_app.api.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    PredictionNotMade,
    ServiceProblem,
    UnknownGame,
)
from serve_app.game.due_forecast import DueForecast
from serve_app.game.game_day import day_of
from serve_app.game.game_session import GameSession, State
from serve_app.game.game_view import end_result, ended_game, score_result, view
from serve_app.game.observation import Observation
from serve_app.live.running_pace import RunningPace, Wait
from serve_app.schemas import (
    EndResult,
    Forecast,
    GameRegistration,
    GameView,
    Prediction,
)
from serve_app.shards.session_cache import SessionCache
from serve_app.shards.shard_forecasts import (
    frozen_prediction,
    outcome_of,
    revision_of,
    running_forecast,
)
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.journal import JournalEntry, score_entry
from serve_app.storage.store import Store

ENDED_SESSIONS = 250  # more than one page of GET /games shows


class GameShard:
    """Holds the sessions of its games, as a cache of the store."""

    def __init__(
        self,
        store: Store,
        *,
        auto_register: bool = False,
        forecast_interval_seconds: float = 0.0,
        notify: Callable[[], object] = lambda: None,
        now: Callable[[], float] = time.time,
        ended_sessions: int = ENDED_SESSIONS,
    ) -> None:
        self._store = store
        self._auto_register = auto_register
        self._forecast_interval = forecast_interval_seconds
        self._now = now
        self._sessions = SessionCache(store, notify, ended_sessions)
        self._paces: dict[str, RunningPace] = {}

    # --- games -----------------------------------------------------------------------------

    def register(self, registration: GameRegistration) -> GameView:
        """Monitor a game; the same registration again gets the same answer.

        Raises Conflict where the game is registered with other content.
        """
        game_id = registration.game_id
        stored = self._store.game(game_id)
        if stored is None:
            with self._sessions.writing(game_id) as entries:
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
        day = registration.start_time and day_of(registration.start_time)
        self._store.add_game(registration, day)
        session = GameSession(registration, day)
        self._sessions.add(session)
        payload = f'{{"game": {view(session, self._now()).model_dump_json()}}}'
        entries.append((registration.game_id, "game", self._now(), payload))

    def game(self, game_id: str) -> GameView:
        """What is known of one game; raises UnknownGame."""
        return view(self._sessions.get(game_id), self._now())

    def games(self, game_ids: Sequence[str]) -> list[GameView]:
        """What is known of these games, in order."""
        return [self.game(game_id) for game_id in game_ids]

    def prediction(self, game_id: str) -> Prediction:
        """The frozen prediction; raises a problem that says why there is none."""
        session = self._sessions.get(game_id)
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
        session = self._sessions.get(game_id)
        if session.state is not State.ENDED:
            with self._sessions.writing(game_id) as entries:
                session.end()
                self._store.end_game(game_id)
                self._store.drop_running_forecasts(game_id)
                self._keep_ended(session)
                payload = end_result(session).model_dump_json(exclude={"prediction", "game_id"})
                entries.append((game_id, "ended", self._now(), payload))
            self._sessions.bound_ended(game_id)
            self._paces.pop(game_id, None)
        return end_result(session)

    def _keep_ended(self, session: GameSession) -> None:
        """Keep what an ended game teaches; a later update may still complete or correct it."""
        ended = ended_game(session)
        if ended is not None:
            self._store.set_ended(ended)

    # --- updates ---------------------------------------------------------------------------

    def apply(self, updates: Sequence[Update]) -> list[Applied | ServiceProblem]:
        """Take updates in order, commit them together, then acknowledge each by its own result.

        An update that cannot be taken gets its problem and leaves the others alone.
        """
        applied: list[Applied | ServiceProblem] = []
        last: dict[str, int] = {}
        with self._sessions.writing(*{update.game_id for update in updates}) as entries:
            for place, update in enumerate(updates):
                try:
                    applied.append(self._apply_one(update, entries))
                    last[update.game_id] = place
                except ServiceProblem as problem:
                    applied.append(problem)
        for game_id, place in last.items():
            # Each game's last update carries what is to be forecast after all of them.
            item = applied[place]
            if isinstance(item, Applied):
                applied[place] = replace(item, running=self._ask_running(game_id))
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
        if session.day is None:
            session.day = day_of(session.registration.start_time or self._moment())
            self._store.set_day(update.game_id, session.day)
        if not effect.duplicate:
            entries.append(score_entry(session, effect, self._now()))
            self._resolve(session, entries)
            if session.state is State.ENDED:
                self._keep_ended(session)
        return Applied(score_result(session, effect), session.due)

    def _session_for(self, update: Update, entries: list[JournalEntry]) -> GameSession:
        try:
            return self._sessions.get(update.game_id)
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
        return self._sessions.get(update.game_id)

    # --- forecasts -------------------------------------------------------------------------

    def record(self, due: DueForecast, forecast: Forecast) -> Prediction:
        """Keep a forecast that fell due: freeze the prediction, or add a revision beside it.

        The first to come is kept; a second for the same crossing gets the first one's answer.
        """
        session = self._sessions.get(due.game_id)
        with self._sessions.writing(due.game_id) as entries:
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
        reached = session.buffer.reached_halftime
        prediction = frozen_prediction(due, forecast, self._moment(), after_halftime=reached)
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
        revision = revision_of(due, forecast, self._moment())
        session.revise(revision)
        if session.prediction is not None:
            self._store.set_revisions(due.game_id, session.prediction.revisions)
        payload = f'{{"revision": {revision.model_dump_json()}}}'
        entries.append((due.game_id, "revision", self._now(), payload))

    def _resolve(self, session: GameSession, entries: list[JournalEntry]) -> None:
        actual, prediction = session.new_outcome(), session.prediction
        if actual is None or prediction is None:
            return
        outcome = outcome_of(prediction, actual, self._moment())
        session.resolve(outcome)
        game_id = session.registration.game_id
        self._store.set_outcome(game_id, outcome)
        payload = f'{{"outcome": {outcome.model_dump_json()}}}'
        entries.append((game_id, "outcome", self._now(), payload))

    def _ask_running(self, game_id: str) -> DueForecast | Wait | None:
        pace = self._paces.setdefault(game_id, RunningPace(self._forecast_interval))
        session = self._sessions.get(game_id)
        return pace.ask(game_id, session.running_due, self._now())

    def running(self, game_ids: Sequence[str]) -> list[DueForecast | Wait]:
        """The running forecasts to be made of games whose wait is over."""
        asked = []
        for game_id in game_ids:
            if game_id in self._paces:
                self._paces[game_id].end_wait()
            asked.append(self._ask_running(game_id))
        return [item for item in asked if item is not None]

    def record_running(self, made: Sequence[MadeForecast]) -> None:
        """Keep running forecasts; one that rests on no more than the newest is passed over."""
        with self._sessions.writing(*(item.due.game_id for item in made)) as entries:
            for due, halftime, final in made:
                session = self._sessions.get(due.game_id)
                if not session.takes_running(due):
                    continue
                forecast = running_forecast(due, halftime, final, self._moment())
                session.running = forecast
                payload = f'{{"forecast": {forecast.model_dump_json()}}}'
                entries.append((due.game_id, "forecast", self._now(), payload))

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)
