"""What the service does, free of HTTP: take scores, make the forecasts that fall due, answer."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from models.forecaster import ForecastRequest, MarginForecast
from serve_app.forecasting import Placement, as_answer
from serve_app.game_session import DueForecast
from serve_app.game_shard import Applied, Update
from serve_app.problems import ServiceProblem
from serve_app.schemas import (
    EndResult,
    Forecast,
    GameRegistration,
    GameView,
    Prediction,
    PredictRequest,
    ScoreResult,
)
from serve_app.settings import Settings

logger = logging.getLogger(__name__)

CHUNK = 32  # patterns of one list that are forecast at a time


class Shards(Protocol):
    """The game shards, whichever way they are reached."""

    async def register(self, registration: GameRegistration) -> GameView: ...  # noqa: D102
    async def apply(  # noqa: D102
        self, updates: Sequence[Update]
    ) -> list[Applied | ServiceProblem]: ...
    async def record(self, due: DueForecast, forecast: Forecast) -> Prediction: ...  # noqa: D102
    async def game(self, game_id: str) -> GameView: ...  # noqa: D102
    async def games(self, game_ids: Sequence[str]) -> list[GameView]: ...  # noqa: D102
    async def prediction(self, game_id: str) -> Prediction: ...  # noqa: D102
    async def end(self, game_id: str) -> EndResult: ...  # noqa: D102
    async def process_ids(self) -> list[int]: ...  # noqa: D102


class LiveService:
    """Scores in, forecasts out."""

    def __init__(self, settings: Settings, shards: Shards, placement: Placement) -> None:
        self._settings = settings
        self.shards = shards
        self._placement = placement

    async def predict(self, requests: Sequence[PredictRequest]) -> list[Forecast]:
        """One forecast per request, in order; nothing is kept."""
        questions = [
            ForecastRequest(
                pattern=request.pattern,
                alpha=request.alpha,
                home_team=request.home_team,
                away_team=request.away_team,
                expected_margin=request.expected_margin,
            )
            for request in requests
        ]
        explained = any(request.return_explanation for request in requests)
        similar = self._settings.similar_games if explained else 0
        forecasts: list[MarginForecast] = []
        for start in range(0, len(questions), CHUNK):
            chunk = questions[start : start + CHUNK]
            forecasts += await self._placement.forecast(chunk, similar=similar)
            await asyncio.sleep(0)  # A long list must not hold up the scores of live games.
        return [
            as_answer(forecast, explain=request.return_explanation)
            for forecast, request in zip(forecasts, requests, strict=True)
        ]

    async def post_scores(self, updates: Sequence[Update]) -> list[ScoreResult | ServiceProblem]:
        """Take updates over any games, and make the forecasts that fell due by them.

        The update that crossed the trigger carries the prediction in its result, and so does each
        later one of the same list.
        """
        applied = await self.shards.apply(updates)
        dues = {
            item.due.game_id: item.due
            for item in applied
            if isinstance(item, Applied) and item.due is not None
        }
        predictions = await self._make(list(dues.values()))
        return [
            item
            if isinstance(item, ServiceProblem)
            else item.result
            if item.due is None or item.due.game_id not in predictions
            else item.result.model_copy(update={"prediction": predictions[item.due.game_id]})
            for item in applied
        ]

    async def _make(self, dues: Sequence[DueForecast]) -> dict[str, Prediction]:
        """Forecast what fell due, and keep it; by game id.

        Where this fails the updates stand and the forecast stays due: the game's next update asks
        for it again.
        """
        if not dues:
            return {}
        try:
            forecasts = await self._placement.forecast(
                [self._request(due) for due in dues], similar=self._settings.similar_games
            )
        except Exception:
            logger.exception("forecasts for %s stay due", [due.game_id for due in dues])
            return {}
        kept = await asyncio.gather(
            *(
                self.shards.record(due, as_answer(forecast, explain=True))
                for due, forecast in zip(dues, forecasts, strict=True)
            ),
            return_exceptions=True,
        )
        predictions = {}
        for due, prediction in zip(dues, kept, strict=True):
            if isinstance(prediction, BaseException):
                logger.error("forecast of %s stays due: %r", due.game_id, prediction)
            else:
                predictions[due.game_id] = prediction
        return predictions

    def _request(self, due: DueForecast) -> ForecastRequest:
        return ForecastRequest(
            pattern=due.pattern,
            alpha=self._settings.alpha,
            home_team=due.home_team,
            away_team=due.away_team,
            expected_margin=due.expected_margin,
            exclude_game_id=due.game_id,
        )
