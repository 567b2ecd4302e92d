"""One forecaster, two placements: both models in this process, or in deployments of their own.

Both run the same objects on the same numbers and combine them with the same code, so their
answers are the same to the last bit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.dejavu import DejavuForecast
from models.forecaster import Combiner, Forecaster, ForecastRequest, MarginForecast
from serve_app.schemas import Explanation, Forecast, SimilarGame


class Placement(Protocol):
    """Where forecasts are made."""

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order, naming `similar` games each."""
        ...


class Fused:
    """Both models live in this process."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order."""
        return self._forecaster.forecast(requests, similar=similar)


@dataclass(frozen=True, slots=True)
class DejavuQuestion:
    """One pattern for the similarity search; margins in points."""

    pattern: tuple[float, ...]
    expected_margin: float
    exclude_game_id: str | None
    similar: int


@dataclass(frozen=True, slots=True)
class LstmQuestion:
    """One pattern for the network; margins in points."""

    pattern: tuple[float, ...]
    expected_margin: float


AsksDejavu = Callable[[list[DejavuQuestion]], Awaitable[list[DejavuForecast]]]
AsksLstm = Callable[[list[LstmQuestion]], Awaitable[list[float]]]  # halftime margins in points


class Composed:
    """Each model is a deployment of its own; both are asked at once."""

    def __init__(self, combiner: Combiner, dejavu: AsksDejavu, lstm: AsksLstm) -> None:
        self._combiner = combiner
        self._dejavu = dejavu
        self._lstm = lstm

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order."""
        if not requests:
            return []
        strengths = [
            self._combiner.expected_margin(r.expected_margin, r.home_team, r.away_team)
            for r in requests
        ]
        rows = list(zip(requests, strengths, strict=True))
        dejavu, lstm = await asyncio.gather(
            self._dejavu(
                [
                    DejavuQuestion(tuple(r.pattern), margin, r.exclude_game_id, similar)
                    for r, (margin, _) in rows
                ]
            ),
            self._lstm([LstmQuestion(tuple(r.pattern), margin) for r, (margin, _) in rows]),
        )
        return [
            self._combiner.combine(r.pattern, r.alpha, margin, source, analogy, recurrent)
            for (r, (margin, source)), analogy, recurrent in zip(rows, dejavu, lstm, strict=True)
        ]


def as_answer(forecast: MarginForecast, *, explain: bool) -> Forecast:
    """A forecast in the words of the HTTP contract."""
    return Forecast(
        point_forecast=forecast.point_forecast,
        interval_lower=forecast.interval_lower,
        interval_upper=forecast.interval_upper,
        coverage_probability=forecast.coverage_probability,
        model_version=forecast.model_version,
        expected_margin=forecast.expected_margin,
        strength=forecast.strength,
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
                distance=game.distance,
            )
            for game in forecast.similar_games
        ],
    )
