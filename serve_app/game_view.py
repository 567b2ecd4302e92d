"""What is told of a session: its view, the result of an update, the closing account."""

from serve_app.game_session import GameSession, minute_of
from serve_app.schemas import EndResult, GameView, ScoreResult
from serve_app.score_buffer import UpdateEffect


def view(session: GameSession, now: float) -> GameView:
    """What is known of a game at epoch second `now`."""
    game, buffer = session.registration, session.buffer
    latest = buffer.latest
    lag = None if session.last_received is None else max(0.0, now - session.last_received)
    return GameView(
        game_id=game.game_id,
        home_team=game.home_team,
        away_team=game.away_team,
        league=game.league,
        state=session.state.value,
        start_time=game.start_time,
        expected_margin=game.expected_margin,
        quarter=latest.clock.quarter if latest else None,
        time_remaining=latest.clock.time_remaining if latest else None,
        score_home=latest.score_home if latest else None,
        score_away=latest.score_away if latest else None,
        margin=buffer.get_current_differential(),
        game_minute=session.game_minute,
        pattern=buffer.pattern_so_far(),
        missing_minutes=buffer.missing_minutes(),
        updates=session.updates,
        corrections=session.corrections,
        feed_lag_seconds=lag,
        prediction=session.prediction,
    )


def score_result(session: GameSession, effect: UpdateEffect) -> ScoreResult:
    """The answer to one update."""
    seen = effect.observation
    repeats_crossing = effect.duplicate and session.crossed_at(seen.clock)
    return ScoreResult(
        game_id=session.registration.game_id,
        accepted=True,
        duplicate=effect.duplicate,
        game_minute=minute_of(seen.clock),
        margin=seen.margin,
        flags=list(effect.flags),
        prediction=session.prediction if repeats_crossing else None,
        insufficient_pattern=session.insufficient_pattern(),
    )


def end_result(session: GameSession) -> EndResult:
    """Predicted, actual and error (actual − predicted) of a game, as far as they are known."""
    prediction = session.prediction
    actual = session.buffer.halftime_margin()
    predicted = prediction.point_forecast if prediction else None
    error = None if actual is None or predicted is None else actual - predicted
    return EndResult(
        game_id=session.registration.game_id,
        predicted=predicted,
        actual=actual,
        error=error,
        prediction=prediction,
    )
