"""The routes of monitored games: register, look at, end."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query

from serve_app.api.description import (
    BODY_PROBLEMS,
    OF_A_GAME,
    PAGE_LIMIT,
    game_links,
    linked,
    problems,
)
from serve_app.api.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    PredictionNotMade,
    UnknownGame,
)
from serve_app.live.live_service import LiveService
from serve_app.schemas import EndResult, GameId, GameRegistration, GameView, Prediction
from serve_app.storage.store import Store


def add_game_routes(api: FastAPI, service: LiveService, store: Store) -> None:
    """Add them to the application."""

    @api.post(
        "/games",
        responses=linked(
            problems(*BODY_PROBLEMS, Conflict), game_links("$response.body#/game_id", *OF_A_GAME)
        ),
    )
    async def register(registration: GameRegistration) -> GameView:
        """Monitor a game; the same registration again gets the same answer."""
        return await service.shards.register(registration)

    @api.get("/games", responses=problems(InvalidRequest))
    async def games(
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 200,
    ) -> list[GameView]:
        """What is monitored: the newest registrations, oldest first."""
        return await service.shards.games(await asyncio.to_thread(store.games.newest, limit))

    @api.get("/games/{game_id}", responses=problems(InvalidRequest, UnknownGame))
    async def game(game_id: GameId) -> GameView:
        """What is known of one game."""
        return await service.shards.game(game_id)

    @api.get(
        "/games/{game_id}/prediction",
        response_model_exclude_none=True,
        responses=problems(
            InvalidRequest, UnknownGame, PredictionNotMade, InsufficientPatternProblem
        ),
    )
    async def prediction(game_id: GameId) -> Prediction:
        """The frozen 6:00 prediction, with its revisions and its outcome."""
        return await service.shards.prediction(game_id)

    @api.post(
        "/games/{game_id}/end",
        responses=linked(
            problems(InvalidRequest, UnknownGame),
            game_links("$request.path.game_id", "game", "prediction", "course"),
        ),
    )
    async def end(game_id: GameId) -> EndResult:
        """The game is over: predicted, actual and error."""
        return await service.end(game_id)
