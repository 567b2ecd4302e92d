"""What a shard keeps of forecasts: the frozen one, revisions, outcomes, running ones."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from serve_app.api.problems import PredictionNotMade
from serve_app.game.due_forecast import DueForecast
from serve_app.game.game_session import GameSession
from serve_app.schemas import (
    Distribution,
    Forecast,
    Outcome,
    Prediction,
    Revision,
    RunningForecast,
)
from serve_app.shards.running_pace import Wait
from serve_app.shards.session_cache import SessionCache
from serve_app.shards.shard_messages import MadeForecast
from serve_app.storage.journal import JournalEntry
from serve_app.storage.store import Store


class ShardForecasts:
    """Keeps the forecasts of the games in `sessions`, and says which running ones are to be made.

    A game's running forecasts are at least `interval_seconds` apart.
    """

    def __init__(
        self,
        store: Store,
        sessions: SessionCache,
        *,
        interval_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._interval = interval_seconds
        self._now = now

    def record(self, due: DueForecast, forecast: Forecast) -> Prediction:
        """Keep a forecast that fell due: freeze the prediction, or add a revision beside it.

        The first to come is kept; a second for the same crossing gets the first one's answer.
        """
        with self._sessions.writing():
            session = self._sessions.get(due.game_id)
            if session.prediction is None and session.due is not None:
                self._freeze(session, due, forecast)
            elif session.due == due and due.kind != "prediction":
                self._revise(session, due, forecast)
            self.resolve(session)
        if session.prediction is None:
            raise PredictionNotMade(
                f"game {due.game_id!r}: the prediction was not kept", game_id=due.game_id
            )
        return session.prediction

    def _freeze(self, session: GameSession, due: DueForecast, forecast: Forecast) -> None:
        """The prediction, its outbox entry and the game's new state: one commit, or none.

        The store keeps one prediction a game, so a shard that does not know of it cannot add one.
        """
        reached = session.buffer.reached_halftime
        prediction = frozen_prediction(due, forecast, self._moment(), after_halftime=reached)
        self._store.predictions.freeze(prediction)
        payload = f'{{"prediction": {prediction.model_dump_json()}, "updates": {due.updates}}}'
        self._write(session, "prediction", payload)
        session.freeze(prediction)

    def _revise(self, session: GameSession, due: DueForecast, forecast: Forecast) -> None:
        revision = revision_of(due, forecast, self._moment())
        session.revise(revision)
        if session.prediction is not None:
            self._store.predictions.set_revisions(due.game_id, session.prediction.revisions)
        payload = f'{{"revision": {revision.model_dump_json()}, "updates": {due.updates}}}'
        self._write(session, "revision", payload)

    def resolve(self, session: GameSession) -> None:
        """Put what happened beside the prediction, inside `writing`, where it is known by now."""
        actual, prediction = session.new_outcome(), session.prediction
        if actual is None or prediction is None:
            return
        outcome = outcome_of(prediction, actual, self._moment())
        session.resolve(outcome)
        self._store.predictions.set_outcome(session.registration.game_id, outcome)
        self._write(session, "outcome", f'{{"outcome": {outcome.model_dump_json()}}}')

    def ask_running(self, game_id: str) -> DueForecast | Wait | None:
        """The running forecast that is to be made of a game, or how long to wait with it."""
        session = self._sessions.get(game_id)
        pace = self._sessions.pace(game_id, self._interval)
        return pace.ask(game_id, session.running_due, self._now())

    def running(self, game_ids: Sequence[str]) -> list[DueForecast | Wait]:
        """The running forecasts to be made of games whose wait is over."""
        asked = []
        for game_id in game_ids:
            self._sessions.pace(game_id, self._interval).end_wait()
            asked.append(self.ask_running(game_id))
        return [item for item in asked if item is not None]

    def record_running(self, made: Sequence[MadeForecast]) -> None:
        """Keep running forecasts; one that rests on no more than the newest is passed over."""
        with self._sessions.writing():
            for due, halftime, final in made:
                session = self._sessions.get(due.game_id)
                if not session.takes_running(due):
                    continue
                forecast = running_forecast(due, halftime, final, self._moment())
                session.running = forecast
                self._write(session, "forecast", f'{{"forecast": {forecast.model_dump_json()}}}')

    def _write(self, session: GameSession, kind: str, payload: str) -> None:
        game_id = session.registration.game_id
        self._sessions.write(JournalEntry(game_id, kind, self._now(), payload))

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


def frozen_prediction(
    due: DueForecast, forecast: Forecast, made_at: datetime, *, after_halftime: bool
) -> Prediction:
    """The one prediction of a game."""
    return Prediction(
        **dict(forecast),
        game_id=due.game_id,
        pattern=due.pattern,
        made_at=made_at,
        quarter=due.clock.quarter,
        time_remaining=due.clock.time_remaining,
        minutes_carried_forward=due.minutes_carried_forward,
        last_score=due.state.last_score,
        made_after_halftime=after_halftime,
    )


def revision_of(due: DueForecast, forecast: Forecast, made_at: datetime) -> Revision:
    """A later forecast of the same game; raises ValueError where `due` is none."""
    if due.kind in {"prediction", "running", "comparison"}:
        raise ValueError(f"revision: expected a due forecast with a reason; got {due.kind}")
    return Revision(
        reason=due.kind,
        made_at=made_at,
        pattern=due.pattern,
        minutes_carried_forward=due.minutes_carried_forward,
        forecast=forecast,
    )


def outcome_of(prediction: Prediction, halftime_margin: float, resolved_at: datetime) -> Outcome:
    """What happened, against the frozen prediction."""
    return Outcome(
        halftime_margin=halftime_margin,
        error=halftime_margin - prediction.point_forecast,
        persistence_error=halftime_margin - prediction.pattern[-1],
        covered=prediction.interval_lower <= halftime_margin <= prediction.interval_upper,
        resolved_at=resolved_at,
    )


def running_forecast(
    due: DueForecast, halftime: Forecast | None, final: Forecast, made_at: datetime
) -> RunningForecast:
    """The forecast of a game at its present clock."""
    return RunningForecast(
        made_at=made_at,
        quarter=due.clock.quarter,
        time_remaining=due.clock.time_remaining,
        margin=due.state.margin,
        updates=due.updates,
        model_version=final.model_version,
        calibration_version=final.calibration_version,
        expected_margin=final.expected_margin,
        strength=final.strength,
        halftime=halftime and _distribution(halftime),
        final=_distribution(final),
    )


def _distribution(forecast: Forecast) -> Distribution:
    return Distribution(**{name: getattr(forecast, name) for name in Distribution.model_fields})
