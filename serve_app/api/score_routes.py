"""The routes that take score updates, singly and in lists."""

from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from pydantic import TypeAdapter

from serve_app.api.description import (
    BODY_PROBLEMS,
    OF_A_GAME,
    first_half,
    game_links,
    linked,
    list_body,
    problems,
)
from serve_app.api.items import check_length, parse_item, written
from serve_app.api.problems import ListTooLong, SequenceReused, ServiceProblem, UnknownGame
from serve_app.live.live_service import LiveService
from serve_app.schemas import (
    EXAMPLE_GAME,
    GameId,
    GameScoreUpdate,
    ListItemResult,
    ScoreResult,
    ScoreUpdate,
)
from serve_app.settings import Settings
from serve_app.shards.shard_messages import Update

ITEM_RESULTS = TypeAdapter(list[ListItemResult])


def add_score_routes(api: FastAPI, settings: Settings, service: LiveService) -> None:
    """Add them to the application."""

    @api.post(
        "/games/{game_id}/scores",
        responses=linked(
            problems(*BODY_PROBLEMS, UnknownGame, SequenceReused),
            game_links("$request.path.game_id", *OF_A_GAME),
        ),
    )
    async def post_score(game_id: GameId, update: ScoreUpdate) -> ScoreResult:
        """Take one update; the one that crosses 6:00 of Q2 is answered with the prediction."""
        (result,) = await service.post_scores([_update(game_id, update)])
        if isinstance(result, ServiceProblem):
            raise result
        return result

    @api.post(
        "/scores",
        response_model=list[ListItemResult],
        responses=problems(*BODY_PROBLEMS, ListTooLong),
        openapi_extra=list_body(GameScoreUpdate, first_half(EXAMPLE_GAME), settings.max_list_items),
    )
    async def post_scores(items: Annotated[list[Any], Body()]) -> Response:
        """Take updates over any games, in order; one bad item never spoils the rest."""
        check_length(items, settings.max_list_items)
        parsed = [parse_item(GameScoreUpdate, item, place) for place, item in enumerate(items)]
        updates = [
            _update(item.game_id, item) for item in parsed if isinstance(item, GameScoreUpdate)
        ]
        results = iter(await service.post_scores(updates) if updates else [])
        answers = [
            _item_result(item if isinstance(item, ServiceProblem) else next(results))
            for item in parsed
        ]
        return written(ITEM_RESULTS.dump_json(answers, exclude_none=True))


def _update(game_id: str, update: ScoreUpdate) -> Update:
    teams = update if isinstance(update, GameScoreUpdate) else None
    return Update(
        game_id,
        update.quarter,
        update.time_remaining,
        update.score_home,
        update.score_away,
        update.timestamp.timestamp() if update.timestamp else None,
        update.sequence,
        update.source,
        teams.home_team if teams else None,
        teams.away_team if teams else None,
    )


def _item_result(result: ScoreResult | ServiceProblem) -> ListItemResult:
    if isinstance(result, ServiceProblem):
        return ListItemResult(status=result.status, problem=result.problem())
    return ListItemResult(status=200, result=result)
