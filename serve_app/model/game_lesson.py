"""A game's lesson: the forecasts of all its minutes, and how far they were off."""

import asyncio

from models.calibration.adaptation import Adaptation
from models.calibration.learned_game import LearnedGame
from models.calibration.learning import course, course_errors
from models.forecasters.forecaster import ForecastRequest
from models.game.game_state import GameState
from models.game.horizon import CELLS, HALFTIME_MINUTE, Horizon
from serve_app.game.ended_game import EndedGame
from serve_app.model.placement import Placement

CHUNK = 12  # forecasts made at a time, so that live games need not wait for a lesson


async def lesson(ended: EndedGame, placement: Placement, adaptation: Adaptation) -> LearnedGame:
    """What one finished game teaches, forecast with the ratings as of the morning of its day."""
    rated = adaptation.before(ended.date).strength.expected_margin(
        ended.home, ended.away, ended.date, playoffs=ended.playoffs
    )
    expected = rated.margin if ended.expected_margin is None else ended.expected_margin
    dejavu, lstm = await _errors(ended, expected, placement)
    return LearnedGame(
        game_id=ended.game_id,
        date=ended.date,
        season=ended.season,
        playoffs=ended.playoffs,
        home=ended.home,
        away=ended.away,
        final_home=ended.final_home,
        final_away=ended.final_away,
        expected_margin=expected,
        margins=ended.margins,
        last_score=ended.last_score,
        dejavu_errors=dejavu,
        lstm_errors=lstm,
    )


async def _errors(
    ended: EndedGame, expected: float, placement: Placement
) -> tuple[tuple[float, ...], tuple[float, ...]] | tuple[None, None]:
    """Both models' errors (cells,) in points; None each where the course is not known."""
    if ended.margins is None or ended.last_score is None:
        return None, None
    states = course(ended.margins, ended.last_score)
    requests = [_request(ended, expected, states[minute], horizon) for horizon, minute in CELLS]
    dejavu, lstm = [[0.0, 0.0] for _ in states], [[0.0, 0.0] for _ in states]
    for start in range(0, len(requests), CHUNK):
        made = await placement.forecast(requests[start : start + CHUNK], similar=0)
        for (horizon, minute), forecast in zip(CELLS[start : start + CHUNK], made, strict=True):
            place = int(horizon == "final")
            dejavu[minute][place] = forecast.dejavu_prediction
            lstm[minute][place] = forecast.lstm_prediction
        await asyncio.sleep(0)
    halftime = float(ended.margins[HALFTIME_MINUTE - 1])
    final = float(ended.final_home - ended.final_away)
    return course_errors(dejavu, halftime, final), course_errors(lstm, halftime, final)


def _request(
    ended: EndedGame, expected: float, state: GameState, horizon: Horizon
) -> ForecastRequest:
    return ForecastRequest(
        state=state,
        horizon=horizon,
        expected_margin=expected,
        date=ended.date,
        exclude_game_id=ended.game_id,
    )
