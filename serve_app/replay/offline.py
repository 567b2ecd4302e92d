"""The same games forecast offline by the same bundle, to compare with what the service logged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.metrics import Scores, score
from models.training.bundle import Bundle
from serve_app.replay.agreement import Logged, alpha_of, score_predictions
from serve_app.replay.truth import GameTruth
from serve_app.schemas import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineAgreement:
    """The resolved games as logged and as the bundle forecasts them from the events' patterns.

    Where noise made the service predict from another pattern or last score (`other_pattern`), and
    where it had learned from finished games by then (`adapted`), its forecast differs rightly.
    `differing` names the other games whose forecasts or intervals do not agree to the last digit;
    `scores_equal` says that of all metrics together.
    """

    model_version: str
    games: int
    other_pattern: int
    adapted: int
    equal: int
    differing: list[str]
    largest_difference: float
    offline: Scores | None
    logged: Scores | None
    scores_equal: bool


def compare_offline(folder: Path, truths: Sequence[GameTruth], logged: Logged) -> OfflineAgreement:
    """Forecast the resolved games with the bundle in `folder`, and compare.

    Raises BundleError where the bundle cannot be loaded.
    """
    bundle = Bundle.load(folder)
    pairs = [
        (truth, prediction)
        for truth in truths
        for prediction in logged.get(truth.game_id, ())[:1]
        if prediction.outcome is not None
    ]
    forecasts = bundle.forecaster.forecast([_request(*pair) for pair in pairs], similar=0)
    same_pattern = [
        (prediction, forecast)
        for (truth, prediction), forecast in zip(pairs, forecasts, strict=True)
        if (prediction.pattern, prediction.last_score) == (truth.pattern, truth.last_score)
    ]
    comparable = [(p, f) for p, f in same_pattern if p.calibration_version == f.calibration_version]
    differing = [p.game_id for p, f in comparable if _numbers(p) != _numbers(f)]
    actual = [truth.halftime_margin for truth, _ in pairs]
    predictions = [prediction for _, prediction in pairs]
    offline_scores = _score(forecasts, predictions, actual)
    logged_scores = score_predictions(predictions, actual)
    return OfflineAgreement(
        model_version=bundle.model_version,
        games=len(pairs),
        other_pattern=len(pairs) - len(same_pattern),
        adapted=len(same_pattern) - len(comparable),
        equal=len(comparable) - len(differing),
        differing=differing,
        largest_difference=max(
            (abs(p.point_forecast - f.point_forecast) for p, f in comparable), default=0.0
        ),
        offline=offline_scores,
        logged=logged_scores,
        scores_equal=offline_scores == logged_scores,
    )


def _request(truth: GameTruth, prediction: Prediction) -> ForecastRequest:
    return ForecastRequest(
        state=truth.state,
        alpha=alpha_of(prediction),
        home_team=truth.home,
        away_team=truth.away,
        expected_margin=truth.expected_margin,
        date=truth.date,
        playoffs=truth.playoffs,
        exclude_game_id=truth.game_id,
    )


def _numbers(forecast: MarginForecast | Prediction) -> tuple[float, float, float]:
    return forecast.point_forecast, forecast.interval_lower, forecast.interval_upper


def _score(
    forecasts: Sequence[MarginForecast], predictions: Sequence[Prediction], actual: Sequence[float]
) -> Scores | None:
    if not forecasts:
        return None
    return score(
        [forecast.point_forecast for forecast in forecasts],
        [forecast.interval_lower for forecast in forecasts],
        [forecast.interval_upper for forecast in forecasts],
        actual,
        [alpha_of(prediction) for prediction in predictions],
    )
