"""The routes of a game's course: how it went so far, and the past games that went like it."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query, Response

from serve_app.api.description import game_links, linked, problems
from serve_app.api.problems import (
    InvalidRequest,
    NothingToCompare,
    UnknownGame,
    UnknownPastGame,
)
from serve_app.live.game_course import game_course
from serve_app.live.live_service import LiveService
from serve_app.model.past_games import past_game as of_library
from serve_app.model.served_model import ServedModel
from serve_app.schemas import GameCourse, GameId, PastGame, PastGameId, SimilarPastGames
from serve_app.settings import MOST_SIMILAR_GAMES, Settings
from serve_app.shards.running_forecasts import request_of
from serve_app.storage.store import Store

# A past game changes with the bundle only. It is told to those with a key, so no shared cache.
PAST_GAME_HEADERS = {"Cache-Control": "private, max-age=3600"}


def add_game_course_routes(
    api: FastAPI, settings: Settings, service: LiveService, store: Store, model: ServedModel
) -> None:
    """Add them to the application."""

    @api.get("/games/{game_id}/course", responses=problems(InvalidRequest, UnknownGame))
    async def course(game_id: GameId) -> GameCourse:
        """How a game went so far: its margins, corrections applied, and its running forecasts."""
        return await asyncio.to_thread(game_course, store, game_id)

    @api.get(
        "/games/{game_id}/similar",
        responses=linked(
            problems(InvalidRequest, UnknownGame, NothingToCompare),
            game_links("$response.body#/games/0/game_id", "past_game"),
        ),
    )
    async def similar(
        game_id: GameId, limit: Annotated[int, Query(ge=1, le=MOST_SIMILAR_GAMES)] = 10
    ) -> SimilarPastGames:
        """The past games most like this one up to the end of its last whole minute."""
        due = await service.shards.comparison(game_id)
        return SimilarPastGames(
            game_id=game_id,
            minute=len(due.pattern),
            margin=due.state.margin,
            games=await model.similar(request_of(due, "final", settings.alpha), limit),
        )

    @api.get("/library/{game_id}", responses=problems(InvalidRequest, UnknownPastGame))
    async def past_game(game_id: PastGameId, response: Response) -> PastGame:
        """One of the past games that live ones are compared with."""
        library = model.bundle.library
        try:
            found = of_library(library, game_id)
        except KeyError:
            raise UnknownPastGame(
                f"game {game_id!r}: expected one of the {len(library.games):,} games in the "
                f"library of {model.bundle.model_version}; it has none of this id",
                game_id=game_id,
            ) from None
        response.headers.update(PAST_GAME_HEADERS)
        return found
