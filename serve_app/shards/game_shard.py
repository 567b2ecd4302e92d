"""A shard: the live state of its share of the games, written to the store before it is believed.

Plain Python; `shard_pool` runs it as a Ray actor, which calls one method at a time. Every method
may be called twice with the same arguments, at two shards: after a crash another one is asked.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from models.game.clock import GameClock
from models.game.pattern import MAX_MARGIN
from serve_app.api.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    NothingToCompare,
    PredictionNotMade,
    ServiceProblem,
    TooManyUpdates,
    Unavailable,
    UnknownGame,
)
from serve_app.game.due_forecast import DueForecast
from serve_app.game.game_day import day_of
from serve_app.game.game_session import GameSession, State
from serve_app.game.game_standing import GameStanding, standing
from serve_app.game.game_view import (
    end_result,
    ended_game,
    score_result,
    view,
)
from serve_app.game.observation import Observation
from serve_app.schemas import (
    EndResult,
    GameRegistration,
    GameView,
    Prediction,
    ScoreResult,
)
from serve_app.shards.repeats import repeated_result
from serve_app.shards.session_cache import Notify, SessionCache
from serve_app.shards.session_journal import score_entry
from serve_app.shards.shard_forecasts import ShardForecasts
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.journal import JournalEntry
from serve_app.storage.store import Store

MOST_SESSIONS = 1_000
# A five-second scraper posts some 2,000 in a long game.
MOST_UPDATES = 20_000


class GameShard:
    """Holds the sessions of its games, as a cache of the store."""

    def __init__(
        self,
        store: Store,
        *,
        auto_register: bool = False,
        forecast_interval_seconds: float = 0.0,
        notify: Notify = lambda _: None,
        now: Callable[[], float] = time.time,
        most_sessions: int = MOST_SESSIONS,
        most_updates: int = MOST_UPDATES,
    ) -> None:
        self._store = store
        self._auto_register = auto_register
        self._now = now
        self._most_updates = most_updates
        self._sessions = SessionCache(store, notify, most_sessions)
        self.forecasts = ShardForecasts(
            store, self._sessions, interval_seconds=forecast_interval_seconds, now=now
        )

    def writing(self) -> AbstractContextManager[None]:
        """One transaction for several calls: what they answer holds once it has ended."""
        return self._sessions.writing()

    def refresh(self, game_ids: Iterable[str]) -> None:
        """Read anew what another shard has written of these games, before they are told of."""
        self._sessions.refresh(game_ids)

    # --- games -----------------------------------------------------------------------------

    def register(self, registration: GameRegistration) -> GameView:
        """Monitor a game; the same registration again gets the same answer.

        Raises Conflict where the game is registered with other content.
        """
        game_id = registration.game_id
        held = self._sessions.registration(game_id)
        if held is None:
            with self._sessions.writing():
                self._add(registration)
        elif held != registration:
            raise Conflict(
                f"game {game_id!r}: expected the content it was registered with, "
                f"{held.model_dump_json(exclude_none=True)}; "
                f"got {registration.model_dump_json(exclude_none=True)}",
                game_id=game_id,
            )
        return self.game(game_id)

    def _add(self, registration: GameRegistration) -> None:
        day = registration.start_time and day_of(registration.start_time)
        self._store.games.add(registration, day)
        session = GameSession(registration, day)
        self._sessions.add(session)
        payload = f'{{"game": {view(session, self._now()).model_dump_json()}}}'
        self._sessions.write(JournalEntry(registration.game_id, "game", self._now(), payload))

    def game(self, game_id: str) -> GameView:
        """What is known of one game; raises UnknownGame."""
        return view(self._sessions.get(game_id), self._now())

    def games(self, game_ids: Sequence[str]) -> list[GameView]:
        """What is known of these games, in order; those unknown or unreadable are left out."""
        views = []
        for game_id in game_ids:
            with suppress(Unavailable, UnknownGame):
                views.append(self.game(game_id))
        return views

    def standings(self, owns: Callable[[str], bool]) -> list[GameStanding]:
        """How the live games stand that are in memory and that this shard owns."""
        now = self._now()
        own = (one for one in self._sessions if owns(one.registration.game_id))
        return [live for one in own if (live := standing(one, now)) is not None]

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

    def comparison(self, game_id: str) -> DueForecast:
        """The game as past games are compared with it; raises NothingToCompare."""
        session = self._sessions.get(game_id)
        due = session.comparison_due()
        if due is None:
            played = session.buffer.minutes_played
            missing = session.buffer.unseen(played)
            raise NothingToCompare(
                f"game {game_id!r}: expected a completed minute, an update in nearly all of them "
                f"and margins up to {MAX_MARGIN:g}; got {played} completed, {len(missing)} unseen",
                game_id=game_id,
                missing_minutes=missing,
            )
        return due

    def end(self, game_id: str) -> EndResult:
        """Declare a game over; again: the same answer."""
        with self._sessions.writing():
            session = self._sessions.get(game_id)
            if session.state is not State.ENDED:
                session.end()
                self._store.games.end(game_id)
                self._keep_ended(session)
                payload = end_result(session).model_dump_json(exclude={"prediction", "game_id"})
                self._sessions.write(JournalEntry(game_id, "ended", self._now(), payload))
            return end_result(session)

    def _keep_ended(self, session: GameSession) -> None:
        """Keep what an ended game teaches; a later update may still complete or correct it."""
        ended = ended_game(session)
        if ended is not None:
            self._store.games.set_ended(ended)

    # --- updates ---------------------------------------------------------------------------

    def apply(self, updates: Sequence[Update]) -> list[Applied | ServiceProblem]:
        """Take updates in order, commit them together, then acknowledge each by its own result.

        An update that cannot be taken gets its problem and leaves the others alone.
        """
        applied: list[Applied | ServiceProblem] = []
        last: dict[str, int] = {}
        with self._sessions.writing():
            for place, update in enumerate(updates):
                try:
                    applied.append(self._apply_one(update))
                    last[update.game_id] = place
                except ServiceProblem as problem:
                    applied.append(problem)
        for game_id, place in last.items():
            # Each game's last update carries what is to be forecast after all of them.
            item = applied[place]
            if isinstance(item, Applied):
                applied[place] = replace(item, running=self.forecasts.ask_running(game_id))
        return applied

    def _apply_one(self, update: Update) -> Applied:
        session = self._session_for(update)
        seen = Observation(
            GameClock.parse(update.quarter, update.time_remaining, session.buffer.rules),
            update.score_home,
            update.score_away,
            update.timestamp,
            update.sequence,
            update.source,
        )
        identity = session.identity_of(seen)
        if session.may_know(seen):
            first = self._sessions.first_payload(update.game_id, identity)
            if first is not None:
                session.last_received = self._now()
                return Applied(repeated_result(session, seen, first), session.due)
        self._expect_room(session)
        return Applied(self._take(session, seen, identity), session.due)

    def _take(self, session: GameSession, seen: Observation, identity: str) -> ScoreResult:
        """Take an update that was not taken before."""
        effect = session.observe(seen)
        session.last_received = self._now()
        if session.day is None:
            moment = datetime.fromtimestamp(self._now(), UTC)
            session.day = day_of(session.registration.start_time or moment)
        if not effect.duplicate:
            self._sessions.write(score_entry(session, effect, identity, self._now()))
            self.forecasts.resolve(session)
            if session.state is State.ENDED:
                self._keep_ended(session)
        return score_result(session, seen, effect.flags, duplicate=effect.duplicate)

    def _expect_room(self, session: GameSession) -> None:
        if session.updates >= self._most_updates:
            game_id = session.registration.game_id
            raise TooManyUpdates(
                f"game {game_id!r}: expected at most {self._most_updates} updates; got one more",
                game_id=game_id,
                max_updates=self._most_updates,
            )

    def _session_for(self, update: Update) -> GameSession:
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
        try:
            registration = GameRegistration(
                game_id=update.game_id, home_team=update.home_team, away_team=update.away_team
            )
        except ValidationError as error:
            raise InvalidRequest(
                f"game {update.game_id!r} cannot be registered: {error.errors()[0]['msg']}"
            ) from None
        self._add(registration)
        return self._sessions.get(update.game_id)
