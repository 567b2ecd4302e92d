"""One monitored game: its buffer, its state, and when a forecast of it falls due.

Pure and rebuilt from the journal: the same updates in the same order give the same session.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from models.game.clock import GameClock
from models.game.game_state import GameState
from models.game.league import LEAGUES, SECONDS_PER_MINUTE
from serve_app.game.due_forecast import DueForecast, ForecastKind, RevisionReason
from serve_app.game.identity import update_identity
from serve_app.game.observation import Observation, UpdateEffect
from serve_app.game.score_buffer import MAX_CARRIED_FORWARD, LiveScoreBuffer
from serve_app.schemas import (
    GameRegistration,
    InsufficientPattern,
    Outcome,
    Prediction,
    Revision,
    RunningForecast,
)


class State(StrEnum):
    """Where a game stands. MISSED: halftime came before a prediction could be made."""

    REGISTERED = "registered"
    LIVE = "live"
    PREDICTED = "predicted"
    RESOLVED = "resolved"
    MISSED = "missed"
    ENDED = "ended"


ALLOWED_MOVES = {
    State.REGISTERED: {State.LIVE, State.ENDED},
    State.LIVE: {State.PREDICTED, State.MISSED, State.ENDED},
    State.PREDICTED: {State.RESOLVED, State.ENDED},
    State.RESOLVED: {State.ENDED},
    State.MISSED: {State.ENDED},
    State.ENDED: set(),
}


class IllegalMoveError(RuntimeError):
    """A move between game states that the table does not allow: a defect of the service."""


@dataclass(slots=True)
class GameSession:
    """The live state of one game between registration and its end.

    `day` is the day it counts for; unknown only before its first update. `version` counts the
    commits that changed the game.
    """

    registration: GameRegistration
    day: datetime.date | None = None
    state: State = State.REGISTERED
    due: DueForecast | None = None
    prediction: Prediction | None = None
    running: RunningForecast | None = None
    updates: int = 0
    corrections: int = 0
    last_received: float | None = None
    version: int = 0
    buffer: LiveScoreBuffer = field(init=False)
    _sequences: dict[str | None, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        game = self.registration
        rules = LEAGUES[game.league]
        self.buffer = LiveScoreBuffer(game.game_id, game.home_team, game.away_team, rules)

    def move_to(self, state: State) -> None:
        """Change the state; raises IllegalMoveError where the table has no such move."""
        if state is not self.state:
            if state not in ALLOWED_MOVES[self.state]:
                raise IllegalMoveError(
                    f"game {self.registration.game_id}: expected a move from {self.state} to one "
                    f"of {sorted(ALLOWED_MOVES[self.state])}; got {state}"
                )
            self.state = state

    def identity_of(self, observation: Observation) -> str:
        """The identity of an update that is about to be taken."""
        return update_identity(observation, self.buffer.changes_before(observation))

    def may_know(self, observation: Observation) -> bool:
        """Whether an update of the same identity may have been taken before."""
        if observation.sequence is None:
            return self.buffer.knows(observation)
        return observation.sequence <= self._sequences.get(observation.source, -1)

    def restore(self, observations: Sequence[Observation], state: State, corrections: int) -> None:
        """Take into a new session what another one took in this order, and where it stood then.

        Unlike `observe` this finds no forecast that falls due.
        """
        self.buffer.restore(observations)
        for observation in observations:
            self._note_sequence(observation)
        self.state, self.updates, self.corrections = state, len(observations), corrections

    def _note_sequence(self, observation: Observation) -> None:
        sequence, source = observation.sequence, observation.source
        if sequence is not None and sequence > self._sequences.get(source, -1):
            self._sequences[source] = sequence

    def observe(self, observation: Observation) -> UpdateEffect:
        """Take one update; afterwards `due` holds the forecast that is to be made, if any."""
        self._note_sequence(observation)
        effect = self.buffer.observe(observation)
        if effect.duplicate:
            return effect
        self.updates += 1
        corrected = "score_decreased" in effect.flags
        self.corrections += corrected
        if self.state is State.REGISTERED:
            self.move_to(State.LIVE)
        if self.state is State.LIVE and self.due is None:
            self._look_for_trigger()
        elif not self.buffer.reached_halftime:
            if self.prediction is not None:
                self._look_for_revision("score_correction" if corrected else "late_update")
            elif self.due is not None:
                self._renew(self.due)
        return effect

    def _look_for_trigger(self) -> None:
        if self.buffer.reached_halftime:
            # A forecast made after the fact would be no forecast.
            self.move_to(State.MISSED)
        elif self.buffer.is_ready_for_prediction():
            self.due = self.forecast_at_trigger("prediction")

    def _renew(self, due: DueForecast) -> None:
        """A forecast that is not made yet is made from the newest evidence for its minutes."""
        state = self.buffer.trigger_state() or due.state
        if state != due.state:
            carried = len(self.buffer.missing_minutes())
            self.due = replace(
                due, state=state, minutes_carried_forward=carried, updates=self.updates
            )

    def _look_for_revision(self, reason: RevisionReason) -> None:
        pattern = self.buffer.get_pattern_at_6min_2q()
        if pattern is None or pattern == self.forecast_pattern:
            self.due = None
        elif self.due is None or self.due.pattern != pattern:
            self.due = self.forecast_at_trigger(reason)

    def forecast_at_trigger(
        self, kind: Literal["prediction"] | RevisionReason
    ) -> DueForecast | None:
        """A forecast from 6:00 of Q2, by what is known now; None where it cannot be made."""
        state = self.buffer.trigger_state()
        if state is None:
            return None
        carried = len(self.buffer.missing_minutes())
        return self._forecast_of(kind, state, minutes_carried_forward=carried)

    def running_due(self) -> DueForecast | None:
        """A forecast of the game as it stands now; None where it cannot be made.

        It is made of a game that has begun and is not declared over.
        """
        state = None if self.state is State.ENDED else self.buffer.state()
        return None if state is None else self._forecast_of("running", state)

    def comparison_due(self) -> DueForecast | None:
        """What past games are compared with: the game as its last whole minute ended.

        Also of a game that is declared over; None where there is no such minute.
        """
        state = self.buffer.minute_state()
        return None if state is None else self._forecast_of("comparison", state)

    def _forecast_of(
        self,
        kind: ForecastKind,
        state: GameState,
        *,
        minutes_carried_forward: int = 0,
    ) -> DueForecast | None:
        game, latest = self.registration, self.buffer.latest
        if latest is None:
            return None
        return DueForecast(
            game_id=game.game_id,
            home_team=game.home_team,
            away_team=game.away_team,
            expected_margin=game.expected_margin,
            day=self.day,
            playoffs=game.playoffs,
            kind=kind,
            state=state,
            clock=latest.clock,
            updates=self.updates,
            minutes_carried_forward=minutes_carried_forward,
        )

    def end(self) -> None:
        """The game is over: whatever was still to be forecast comes too late."""
        self.move_to(State.ENDED)
        self.due = None

    # --- forecasts -------------------------------------------------------------------------

    def takes_running(self, due: DueForecast) -> bool:
        """Whether a running forecast rests on more than the newest one; repeats do not."""
        newest = self.running
        return self.state is not State.ENDED and (newest is None or due.updates > newest.updates)

    @property
    def forecast_pattern(self) -> list[float] | None:
        """The pattern of the newest forecast: the last revision's, else the frozen one's."""
        if self.prediction is None:
            return None
        revisions = self.prediction.revisions
        return revisions[-1].pattern if revisions else self.prediction.pattern

    def freeze(self, prediction: Prediction) -> None:
        """Keep the one prediction of this game.

        An update that came while it was made may already call for a revision of it.
        """
        self.prediction = prediction
        self.due = None
        if self.state is State.LIVE:
            self.move_to(State.PREDICTED)
        if self.state is State.PREDICTED and not self.buffer.reached_halftime:
            self._look_for_revision("late_update")

    def revise(self, revision: Revision) -> None:
        """Add a revision beside the frozen prediction."""
        if self.prediction is not None:
            revisions = [*self.prediction.revisions, revision]
            self.prediction = self.prediction.model_copy(update={"revisions": revisions})
            self.due = None

    def new_outcome(self) -> float | None:
        """The halftime margin, where it is known and not yet the prediction's outcome."""
        if self.prediction is None:
            return None
        actual = self.buffer.halftime_margin()
        known = self.prediction.outcome
        return None if actual is None or (known and known.halftime_margin == actual) else actual

    def resolve(self, outcome: Outcome) -> None:
        """Score the frozen prediction against what happened."""
        if self.prediction is not None:
            self.prediction = self.prediction.model_copy(update={"outcome": outcome})
            if self.state is State.PREDICTED:
                self.move_to(State.RESOLVED)

    def crossed_at(self, clock: GameClock) -> bool:
        """Whether the prediction was made by an update at this clock."""
        made = self.prediction
        return made is not None and (made.quarter, made.time_remaining) == (
            clock.quarter,
            clock.time_remaining,
        )

    def insufficient_pattern(self) -> InsufficientPattern | None:
        """Why the game, past its trigger, has no prediction; None where it has or will have."""
        if not self.buffer.crossed_trigger or self.prediction is not None or self.due is not None:
            return None
        missing = self.buffer.missing_minutes()
        if len(missing) <= MAX_CARRIED_FORWARD:
            return None
        return InsufficientPattern(missing_minutes=missing, allowed=MAX_CARRIED_FORWARD)

    @property
    def game_minute(self) -> int | None:
        """The minute being played, from 1; None before the first update."""
        latest = self.buffer.latest
        return None if latest is None else minute_of(latest.clock)


def minute_of(clock: GameClock) -> int:
    """The game minute that `clock` falls into, from 1: 12:00 and 11:01 of Q1 are in minute 1."""
    return max(1, -int(-clock.elapsed_seconds // SECONDS_PER_MINUTE))
