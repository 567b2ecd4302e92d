"""What the service does, free of HTTP: take scores, make the forecasts that fall due, answer."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.game.game_state import GameState
from models.game.last_score import last_score_class
from serve_app.api.problems import ServiceProblem
from serve_app.game.due_forecast import DueForecast
from serve_app.live.running_forecasts import RunningForecasts, RunningShards, request_of
from serve_app.model.forecast_answer import as_answer
from serve_app.model.placement import Placement
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
from serve_app.shards.shard_messages import Applied, Update

logger = logging.getLogger(__name__)

CHUNK = 32  # patterns of one list that are forecast at a time


class Shards(RunningShards, Protocol):
    """The game shards, whichever way they are reached."""

    async def register(self, registration: GameRegistration) -> GameView: ...  # noqa: D102
    async def apply(  # noqa: D102
        self, updates: Sequence[Update]
    ) -> list[Applied | ServiceProblem]: ...
    async def record(self, due: DueForecast, forecast: Forecast) -> Prediction: ...  # noqa: D102
    async def game(self, game_id: str) -> GameView: ...  # noqa: D102
    async def games(self, game_ids: Sequence[str]) -> list[GameView]: ...  # noqa: D102
    async def prediction(self, game_id: str) -> Prediction: ...  # noqa: D102
    async def comparison(self, game_id: str) -> DueForecast: ...  # noqa: D102
    async def end(self, game_id: str) -> EndResult: ...  # noqa: D102
    async def process_ids(self) -> list[int]: ...  # noqa: D102


class Learns(Protocol):
    """Learns from ended games, behind the answers."""

    def wake(self) -> None: ...  # noqa: D102
    async def settle(self) -> None: ...  # noqa: D102


class LiveService:
    """Scores in, forecasts out. Where `learning` is given, ended games are learned from.

    `stored` is told in how many seconds after its updates came a prediction was on disk.
    """

    def __init__(
        self,
        settings: Settings,
        shards: Shards,
        placement: Placement,
        learning: Learns | None = None,
        stored: Callable[[float], object] = lambda _: None,
    ) -> None:
        self._settings = settings
        self.shards = shards
        self._placement = placement
        self._learning = learning
        self._note_stored = stored
        self._running = RunningForecasts(shards, placement, alpha=settings.alpha)

    def start(self) -> None:
        """Learn from the games that ended while nobody did; called once in the event loop."""
        if self._learning is not None:
            self._learning.wake()

    async def settle(self) -> None:
        """Wait until no work goes on behind the answers."""
        await self._running.settle()
        if self._learning is not None:
            await self._learning.settle()

    async def predict(self, requests: Sequence[PredictRequest]) -> list[Forecast]:
        """One forecast per request, in order; nothing is kept."""
        questions = [_question(request) for request in requests]
        explained = any(request.return_explanation for request in requests)
        similar = self._settings.similar_games if explained else 0
        forecasts: list[MarginForecast] = []
        for start in range(0, len(questions), CHUNK):
            chunk = questions[start : start + CHUNK]
            forecasts += await self._placement.forecast(chunk, similar=similar)
            await asyncio.sleep(0)  # A long list must not hold up the scores of live games.
        return [
            as_answer(forecast, explain=request.return_explanation, lines=request.lines)
            for forecast, request in zip(forecasts, requests, strict=True)
        ]

    async def post_scores(self, updates: Sequence[Update]) -> list[ScoreResult | ServiceProblem]:
        """Take updates over any games, and make the forecasts that fell due by them.

        The update that crossed the trigger carries the prediction in its result; where that could
        not be made then, the first one after it. Running forecasts are made behind the answer.
        """
        came = time.perf_counter()
        applied = await self.shards.apply(updates)
        dues = {
            item.due.game_id: item.due
            for item in applied
            if isinstance(item, Applied) and item.due is not None
        }
        predictions = await self._make(list(dues.values()), came)
        self._running.take(item.running for item in applied if isinstance(item, Applied))
        results: list[ScoreResult | ServiceProblem] = []
        for item in applied:
            if isinstance(item, ServiceProblem):
                results.append(item)
                continue
            made = predictions.pop(item.due.game_id, None) if item.due else None
            results.append(item.result.model_copy(update={"prediction": made} if made else {}))
        return results

    async def end(self, game_id: str) -> EndResult:
        """Declare a game over, and learn from it behind the answer."""
        result = await self.shards.end(game_id)
        if self._learning is not None:
            self._learning.wake()
        return result

    async def _make(self, dues: Sequence[DueForecast], came: float) -> dict[str, Prediction]:
        """Forecast what fell due by updates that `came`, and keep it; by game id.

        Where this fails the updates stand and the forecast stays due: the game's next update asks
        for it again.
        """
        if not dues:
            return {}
        try:
            forecasts = await self._placement.forecast(
                [request_of(due, "halftime", self._settings.alpha) for due in dues],
                similar=self._settings.similar_games,
            )
        except Exception:
            games = [due.game_id for due in dues]
            logger.exception("forecasts for %s stay due", games, extra={"game_ids": games})
            return {}
        kept = await asyncio.gather(
            *(
                self._record(due, as_answer(forecast, explain=True), came)
                for due, forecast in zip(dues, forecasts, strict=True)
            ),
            return_exceptions=True,
        )
        predictions = {}
        for due, prediction in zip(dues, kept, strict=True):
            if isinstance(prediction, BaseException):
                logger.error(
                    "forecast of %s stays due: %r",
                    due.game_id,
                    prediction,
                    extra={"game_id": due.game_id},
                )
            else:
                predictions[due.game_id] = prediction
        return predictions

    async def _record(self, due: DueForecast, forecast: Forecast, came: float) -> Prediction:
        prediction = await self.shards.record(due, forecast)
        if due.kind == "prediction":
            self._note_stored(time.perf_counter() - came)
        return prediction


def _question(request: PredictRequest) -> ForecastRequest:
    """What the models are asked for a pattern."""
    last_score = 0
    if request.last_score is not None and request.seconds_since_score is not None:
        side = 1 if request.last_score == "home" else -1
        last_score = last_score_class(side, request.seconds_since_score)
    return ForecastRequest(
        state=GameState.of_pattern(request.pattern, last_score),
        horizon=request.horizon,
        alpha=request.alpha,
        home_team=request.home_team,
        away_team=request.away_team,
        expected_margin=request.expected_margin,
        date=request.date,
        playoffs=request.playoffs,
    )
