"""Forecasts in the words of the HTTP contract."""

from collections.abc import Sequence

from models.calibration.distribution import QUANTILE_LEVELS
from models.forecasters.forecaster import MarginForecast
from serve_app.schemas import Explanation, Forecast, LineProbability, SimilarGame

LEVEL_NAMES = tuple(f"{level:.2f}" for level in QUANTILE_LEVELS)


def as_answer(forecast: MarginForecast, *, explain: bool, lines: Sequence[float] = ()) -> Forecast:
    """A forecast as it is answered; `lines` in points ask for the chances of a larger margin."""
    chance_above = forecast.distribution.probability_above
    return Forecast(
        point_forecast=forecast.point_forecast,
        interval_lower=forecast.interval_lower,
        interval_upper=forecast.interval_upper,
        coverage_probability=forecast.coverage_probability,
        quantiles=dict(zip(LEVEL_NAMES, forecast.quantiles, strict=True)),
        win_probability=forecast.win_probability,
        model_version=forecast.model_version,
        expected_margin=forecast.expected_margin,
        strength=forecast.strength,
        horizon=forecast.horizon,
        expected_margin_sd=forecast.expected_margin_sd,
        calibration_version=forecast.calibration_version,
        probabilities_above=[
            LineProbability(line=line, probability=chance_above(line)) for line in lines
        ]
        or None,
        explanation=_explanation(forecast) if explain else None,
    )


def _explanation(forecast: MarginForecast) -> Explanation:
    return Explanation(
        dejavu_prediction=forecast.dejavu_prediction,
        lstm_prediction=forecast.lstm_prediction,
        ensemble_forecast=forecast.point_forecast,
        dejavu_weight=forecast.dejavu_weight,
        lstm_weight=forecast.lstm_weight,
        similar_games=[
            SimilarGame(
                game_id=game.game_id,
                date=game.date,
                home_team=game.home_team,
                away_team=game.away_team,
                pattern=list(game.pattern),
                halftime_differential=game.halftime_margin,
                final_differential=game.final_margin,
                distance=game.distance,
            )
            for game in forecast.similar_games
        ],
    )
