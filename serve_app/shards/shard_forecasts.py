"""What a shard writes down of forecasts: the frozen one, revisions, outcomes, running ones."""

from datetime import datetime

from serve_app.game.due_forecast import DueForecast
from serve_app.schemas import (
    Distribution,
    Forecast,
    Outcome,
    Prediction,
    Revision,
    RunningForecast,
)


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
