"""How a live game stands for an operator: when it was heard of, and what it lacks."""

from typing import Literal, NamedTuple, get_args

from serve_app.game.game_session import GameSession, State

# A game that nobody declares over is taken for over when nothing has come for so long.
LIVE_SECONDS = 3 * 3_600.0

Unpredicted = Literal["due", "insufficient", "missed"]
UNPREDICTED: tuple[Unpredicted, ...] = get_args(Unpredicted)


class GameStanding(NamedTuple):
    """A live game: seconds since its last update, minutes without one, and why unpredicted.

    `unpredicted` is None before the trigger and once there is a prediction; `due`: it is to be
    made; `insufficient`: too many minutes saw no update; `missed`: halftime came first.
    """

    lag_seconds: float
    missing_minutes: int
    unpredicted: Unpredicted | None


def standing(session: GameSession, now: float) -> GameStanding | None:
    """How a game stands at epoch second `now`; None where it is not under way."""
    if session.state in {State.REGISTERED, State.ENDED} or session.last_received is None:
        return None
    lag = max(0.0, now - session.last_received)
    if lag > LIVE_SECONDS:
        return None
    return GameStanding(lag, len(session.buffer.missing_minutes()), _unpredicted(session))


def _unpredicted(session: GameSession) -> Unpredicted | None:
    if session.prediction is not None or not session.buffer.crossed_trigger:
        return None
    if session.state is State.MISSED:
        return "missed"
    return "due" if session.due is not None else "insufficient"
