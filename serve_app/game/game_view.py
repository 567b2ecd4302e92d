"""What is told of a session: its view, the result of an update, the closing account."""

from collections.abc import Iterable

from models.game.horizon import HALFTIME_MINUTE, REGULATION_MINUTES
from models.game.league import SECONDS_PER_MINUTE
from serve_app.game.ended_game import EndedGame
from serve_app.game.game_day import season_of
from serve_app.game.game_session import GameSession, State, minute_of
from serve_app.game.observation import Observation
from serve_app.game.score_buffer import LiveScoreBuffer
from serve_app.schemas import EndResult, GameView, ScoreResult, aware


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
        start_time=game.start_time and aware(game.start_time),
        day=session.day,
        playoffs=game.playoffs,
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
        forecast=None if session.state is State.ENDED else session.running,
    )


def score_result(
    session: GameSession, seen: Observation, flags: Iterable[str], *, duplicate: bool
) -> ScoreResult:
    """The answer to one update."""
    repeats_crossing = duplicate and session.crossed_at(seen.clock)
    return ScoreResult(
        game_id=session.registration.game_id,
        accepted=True,
        duplicate=duplicate,
        game_minute=minute_of(seen.clock),
        margin=seen.margin,
        flags=list(flags),
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


def ended_game(session: GameSession) -> EndedGame | None:
    """What a game teaches; None where it is not over or its final score is not known."""
    game, finals = session.registration, session.buffer.final_scores()
    if session.state is not State.ENDED or finals is None or session.day is None:
        return None
    margins, last_score = _course(session.buffer) or (None, None)
    return EndedGame(
        game_id=game.game_id,
        date=session.day,
        season=season_of(session.day),
        playoffs=game.playoffs,
        home=game.home_team,
        away=game.away_team,
        expected_margin=game.expected_margin,
        final_home=finals[0],
        final_away=finals[1],
        margins=margins,
        last_score=last_score,
    )


def _course(buffer: LiveScoreBuffer) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Margins and last scores at each minute's end; None where too much of it went unseen."""
    halftime = buffer.halftime_margin()
    if halftime is None or not buffer.is_complete:
        return None
    ends = [minute * SECONDS_PER_MINUTE for minute in range(1, REGULATION_MINUTES + 1)]
    margins = [buffer.margin_at(end) for end in ends]
    margins[HALFTIME_MINUTE - 1] = halftime
    return tuple(margins), tuple(buffer.last_score_at(end) for end in ends)
