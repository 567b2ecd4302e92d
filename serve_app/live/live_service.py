"""What an ingress replica does, free of HTTP: have scores taken, forecast patterns, learn."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.game.game_state import GameState
from models.game.last_score import last_score_class
from serve_app.api.problems import ServiceProblem
from serve_app.game.due_forecast import DueForecast
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
from serve_app.shards.shard_messages import Update

CHUNK = 32  # patterns of one list that are forecast at a time


class Shards(Protocol):
    """The game shards, whichever way they are reached."""

    async def register(self, registration: GameRegistration) -> GameView: ...  # noqa: D102
    async def post_scores(  # noqa: D102
        self, updates: Sequence[Update]
    ) -> list[ScoreResult | ServiceProblem]: ...
    async def game(self, game_id: str) -> GameView: ...  # noqa: D102
    async def games(self, game_ids: Sequence[str]) -> list[GameView]: ...  # noqa: D102
    async def prediction(self, game_id: str) -> Prediction: ...  # noqa: D102
    async def comparison(self, game_id: str) -> DueForecast: ...  # noqa: D102
    async def end(self, game_id: str) -> EndResult: ...  # noqa: D102
    async def ready(self) -> int: ...  # noqa: D102


class Learns(Protocol):
    """Learns from ended games, behind the answers."""

    def wake(self) -> None: ...  # noqa: D102
    async def settle(self) -> None: ...  # noqa: D102


class LiveService:
    """Scores in, forecasts out. Where `learning` is given, ended games are learned from."""

    def __init__(
        self,
        settings: Settings,
        shards: Shards,
        placement: Placement,
        learning: Learns | None = None,
    ) -> None:
        self._settings = settings
        self.shards = shards
        self._placement = placement
        self._learning = learning

    def start(self) -> None:
        """Learn from the games that ended while nobody did; called once in the event loop."""
        if self._learning is not None:
            self._learning.wake()

    async def settle(self) -> None:
        """Wait until no work goes on behind the answers."""
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
        """Take updates over any games; the one that crossed the trigger carries the prediction."""
        return await self.shards.post_scores(updates)

    async def end(self, game_id: str) -> EndResult:
        """Declare a game over, and learn from it behind the answer."""
        result = await self.shards.end(game_id)
        if self._learning is not None:
            self._learning.wake()
        return result


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
