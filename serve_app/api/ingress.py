"""The HTTP routes of the contract: parse, call the service, answer."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

from fastapi import Body, FastAPI, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from models.game.league import NBA
from serve_app.access.access import Access
from serve_app.access.guarded_api import GuardedAPI
from serve_app.access.ticket_route import add_ticket_route
from serve_app.api.description import (
    ANYWHERE,
    BODY_PROBLEMS,
    first_half,
    game_links,
    linked,
    list_body,
    problems,
)
from serve_app.api.game_course_routes import add_game_course_routes
from serve_app.api.http_limits import Admission, BodyLimit, TimeLimit
from serve_app.api.page_routes import add_page_routes
from serve_app.api.problem_answers import answer_problems, invalid
from serve_app.api.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    ListTooLong,
    PredictionNotMade,
    SequenceReused,
    ServiceProblem,
    UnknownGame,
)
from serve_app.live.live_service import LiveService
from serve_app.model.accuracy import accuracy
from serve_app.model.served_model import ServedModel
from serve_app.schemas import (
    EXAMPLE_GAME,
    EXAMPLE_PATTERN,
    Accuracy,
    EndResult,
    Forecast,
    GameId,
    GameRegistration,
    GameScoreUpdate,
    GameView,
    Health,
    ListItemResult,
    Models,
    Prediction,
    PredictionLog,
    PredictRequest,
    Problem,
    Ready,
    ScoreResult,
    ScoreUpdate,
)
from serve_app.settings import Settings
from serve_app.shards.shard_messages import Update
from serve_app.storage.store import Store

Item = TypeVar("Item", PredictRequest, GameScoreUpdate)
ITEM_RESULTS = TypeAdapter(list[ListItemResult])
FORECASTS = TypeAdapter(list[Forecast | Problem])

PAGE_LIMIT = 1_000
VERSION = version("halftime-forecaster")
# What a client may do with a game that it named; these are operation ids.
OF_A_GAME = ("game", "post_score", "prediction", "course", "similar", "end")


def build_api(
    settings: Settings,
    service: LiveService,
    store: Store,
    model: ServedModel,
    access: Access | None = None,
) -> FastAPI:
    """The HTTP application over one service; nothing guards it without `access`."""
    api = GuardedAPI(
        access=access,
        docs_url=None,
        redoc_url=None,
        title="Halftime forecaster",
        description="Live NBA halftime forecasts with calibrated intervals.",
        version=VERSION,
        responses=problems(*ANYWHERE),
        generate_unique_id_function=lambda route: route.name,
    )
    api.add_middleware(
        BodyLimit, max_bytes=settings.max_body_bytes, max_held_bytes=settings.max_held_body_bytes
    )
    api.add_middleware(Admission, max_requests=settings.max_requests_in_flight)
    # Outermost, so that a body which never comes is under it too.
    api.add_middleware(TimeLimit, seconds=settings.request_timeout_seconds)
    answer_problems(api)
    _add_forecast_routes(api, settings, service)
    _add_game_routes(api, service, store)
    add_game_course_routes(api, settings, service, store, model)
    _add_score_routes(api, settings, service)
    _add_log_routes(api, store, model)
    _add_status_routes(api, settings, service, model)
    add_page_routes(api)
    if access is not None:
        add_ticket_route(api, access.tickets)
    return api


def _add_forecast_routes(api: FastAPI, settings: Settings, service: LiveService) -> None:
    @api.post("/predict", response_model=Forecast, responses=problems(*BODY_PROBLEMS))
    async def predict(request: PredictRequest) -> Response:
        """Forecast the halftime margin from the margins at the end of minutes 1..18."""
        (forecast,) = await service.predict([request])
        return _written(forecast.model_dump_json(exclude_none=True))

    @api.post(
        "/predict/batch",
        response_model=list[Forecast | Problem],
        responses=problems(*BODY_PROBLEMS, ListTooLong),
        openapi_extra=list_body(
            PredictRequest, [{"pattern": EXAMPLE_PATTERN}], settings.max_list_items
        ),
    )
    async def predict_batch(items: Annotated[list[Any], Body()]) -> Response:
        """Forecast from many patterns; a bad item gets its problem in its place."""
        _check_length(items, settings.max_list_items)
        parsed = [_parse(PredictRequest, item, place) for place, item in enumerate(items)]
        good = [item for item in parsed if isinstance(item, PredictRequest)]
        forecasts = iter(await service.predict(good))
        answers = [
            item.problem() if isinstance(item, ServiceProblem) else next(forecasts)
            for item in parsed
        ]
        return _written(FORECASTS.dump_json(answers, exclude_none=True))


def _add_game_routes(api: FastAPI, service: LiveService, store: Store) -> None:
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


def _add_score_routes(api: FastAPI, settings: Settings, service: LiveService) -> None:
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
        _check_length(items, settings.max_list_items)
        parsed = [_parse(GameScoreUpdate, item, place) for place, item in enumerate(items)]
        updates = [
            _update(item.game_id, item) for item in parsed if isinstance(item, GameScoreUpdate)
        ]
        results = iter(await service.post_scores(updates) if updates else [])
        answers = [
            _item_result(item if isinstance(item, ServiceProblem) else next(results))
            for item in parsed
        ]
        return _written(ITEM_RESULTS.dump_json(answers, exclude_none=True))


def _add_log_routes(api: FastAPI, store: Store, model: ServedModel) -> None:
    @api.get("/predictions", responses=problems(InvalidRequest))
    async def predictions(
        since: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    ) -> PredictionLog:
        """The prediction log with outcomes, oldest first, after the place `since`."""
        page = await asyncio.to_thread(store.predictions.page, since, limit)
        return PredictionLog(
            predictions=[prediction for _, prediction in page],
            next_since=page[-1][0] if page else since,
        )

    @api.get(
        "/predictions.jsonl",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
    )
    async def predictions_jsonl() -> StreamingResponse:
        """The whole prediction log, one JSON object a line."""
        return StreamingResponse(_lines(store), media_type="application/x-ndjson")

    @api.get("/accuracy")
    async def get_accuracy() -> Accuracy:
        """How the resolved predictions did, beside persistence."""
        return await asyncio.to_thread(accuracy, store, model.bundle, model.adaptation)


def _add_status_routes(
    api: FastAPI, settings: Settings, service: LiveService, model: ServedModel
) -> None:
    instance = secrets.token_hex(4)

    @api.get("/health")
    async def health() -> Health:
        """The process answers."""
        return Health()

    @api.get("/ready")
    async def ready() -> Ready:
        """Able to predict: every shard answers, and a forecast was just made."""
        level = PredictRequest(pattern=[0.0] * NBA.pattern_minutes)
        shards, _ = await asyncio.gather(service.shards.process_ids(), service.predict([level]))
        return Ready(
            status="ready",
            instance=instance,
            model_version=model.bundle.model_version,
            shards=len(shards),
            placement=settings.placement,
        )

    @api.get("/models")
    async def models() -> Models:
        """What is in service, and what it has seen."""
        bundle, form = model.bundle, model.adaptation.before(None)
        return Models(
            model_version=bundle.model_version,
            calibration_version=form.version,
            learned_games=form.games,
            ratings_day=form.strength.day,
            trained_before=bundle.split.before,
            train_seasons=list(bundle.split.train),
            weights_seasons=list(bundle.split.weights),
            calibration_seasons=list(bundle.split.calibration),
            dejavu_weight=bundle.ensemble.dejavu_weight,
            lstm_weight=bundle.ensemble.lstm_weight,
            library_games=len(bundle.library.games),
            placement=settings.placement,
        )


def _parse(kind: type[Item], item: object, place: int) -> Item | ServiceProblem:
    """One item of a list, or the problem it has; errors name the item's place."""
    try:
        return kind.model_validate(item)
    except ValidationError as refused:
        return invalid([_placed(wrong, place) for wrong in refused.errors()])


def _placed(error: ErrorDetails, place: int) -> dict[str, Any]:
    """An error whose location begins with the place of its item in the list."""
    return {**error, "loc": (place, *error["loc"])}


def _written(content: str | bytes) -> Response:
    """An answer as it is: on the hot routes validating it once more would double the time."""
    return Response(content, media_type="application/json")


def _check_length(items: list[Any], most: int) -> None:
    if len(items) > most:
        raise ListTooLong(
            f"the list: expected at most {most} items; got {len(items)}", max_items=most
        )


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


async def _lines(store: Store) -> AsyncIterator[str]:
    since = 0
    while page := await asyncio.to_thread(store.predictions.page, since, PAGE_LIMIT):
        for since, prediction in page:  # noqa: B007 - the last place is where the next page begins
            yield prediction.model_dump_json(exclude_none=True) + "\n"
