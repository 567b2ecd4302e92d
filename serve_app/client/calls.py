"""The routes of the HTTP contract from the caller's side: what to send, how to read the answer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from models.game.horizon import Horizon
from serve_app.client.errors import InvalidRequestError
from serve_app.client.exchange import EXCERPT_CHARACTERS, Call
from serve_app.schemas import (
    Accuracy,
    AccuracyDays,
    EndResult,
    Forecast,
    GameCourse,
    GameRegistration,
    GameScoreUpdate,
    GameView,
    Health,
    ListItemResult,
    Models,
    PastGame,
    Prediction,
    PredictionLog,
    PredictRequest,
    Problem,
    Ready,
    ScoreResult,
    ScoreUpdate,
    Side,
    SimilarPastGames,
)

ITEMS_PER_REQUEST = 500
PAGE_SIZE = 100

Moment = datetime | str | float | None
"""A time as scrapers have it: a datetime, ISO 8601 text, epoch seconds, or unknown."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def predict(
    pattern: Sequence[float],
    alpha: float = 0.05,
    return_explanation: bool = True,
    *,
    horizon: Horizon = "halftime",
    home_team: str | None = None,
    away_team: str | None = None,
    expected_margin: float | None = None,
    day: date | str | None = None,
    playoffs: bool = False,
    last_score: Side | None = None,
    seconds_since_score: float | None = None,
    lines: Sequence[float] = (),
) -> Call[Forecast]:
    """POST /predict: the margin at a horizon from the margins at the end of game minutes 1, 2, ...

    Args:
        pattern: 1 to 23 margins (home − away, points) for halftime, 1 to 48 for the final margin.
        alpha: miscoverage of the interval, in (0, 1).
        return_explanation: whether the models' parts and the similar games come with it.
        horizon: `halftime` or `final`.
        home_team: tricode; with `away_team` the service's own ratings give the expected margin.
        away_team: tricode.
        expected_margin: pregame expectation for the home side, in points; wins over the ratings.
        day: of the game; the forecast then rests on what was learned before it.
        playoffs: whether it is a playoff game.
        last_score: the side that scored last before the end of the pattern, `home` or `away`.
        seconds_since_score: game seconds from that score to the end of the pattern.
        lines: at most 20 margins in points, for the chances of ending above them.
    """
    fields = {
        "pattern": list(pattern),
        "alpha": alpha,
        "return_explanation": return_explanation,
        "home_team": home_team,
        "away_team": away_team,
        "expected_margin": expected_margin,
        "horizon": horizon,
        "date": day,
        "playoffs": playoffs,
        "last_score": last_score,
        "seconds_since_score": seconds_since_score,
        "lines": list(lines),
    }
    body = _json(checked(PredictRequest, fields))
    return Call("POST", "/predict", Forecast.model_validate_json, body)


def predict_batch(
    requests: Sequence[PredictRequest | Mapping[str, Any]],
) -> list[Call[list[Forecast | Problem]]]:
    """POST /predict/batch: as many calls as the limit of a list asks for."""
    return _list_calls("/predict/batch", requests, _read_forecasts)


def register_game(
    game_id: str,
    home_team: str,
    away_team: str,
    start_time: Moment = None,
    expected_margin: float | None = None,
    *,
    playoffs: bool = False,
) -> Call[GameView]:
    """POST /games: has a game monitored; again with the same content gets the same answer."""
    fields = {
        "game_id": game_id,
        "home_team": home_team,
        "away_team": away_team,
        "start_time": start_time,
        "expected_margin": expected_margin,
        "playoffs": playoffs,
    }
    body = _json(checked(GameRegistration, fields))
    return Call("POST", "/games", GameView.model_validate_json, body)


def post_score(
    game_id: str,
    quarter: int,
    time_remaining: str,
    score_home: int,
    score_away: int,
    *,
    timestamp: Moment = None,
    sequence: int | None = None,
) -> Call[ScoreResult]:
    """POST /games/{game_id}/scores: one score update.

    The answer to the update that crosses 6:00 of Q2 carries the prediction.
    """
    fields = {
        "quarter": quarter,
        "time_remaining": time_remaining,
        "score_home": score_home,
        "score_away": score_away,
        "timestamp": timestamp,
        "sequence": sequence,
    }
    body = _json(checked(ScoreUpdate, fields))
    return Call("POST", _game_path(game_id, "scores"), ScoreResult.model_validate_json, body)


def post_scores(
    updates: Sequence[GameScoreUpdate | Mapping[str, Any]],
) -> list[Call[list[ListItemResult]]]:
    """POST /scores: as many calls as the limit of a list asks for."""
    return _list_calls("/scores", updates, _read_items)


def end_game(game_id: str) -> Call[EndResult]:
    """POST /games/{game_id}/end: the game is over; predicted, actual and error, in points."""
    return Call("POST", _game_path(game_id, "end"), EndResult.model_validate_json)


def games(limit: int | None = None) -> Call[list[GameView]]:
    """GET /games: what is monitored, the newest `limit` registrations, oldest first."""
    params: dict[str, str | int] = {} if limit is None else {"limit": limit}
    return Call("GET", "/games", _read_games, params=params)


def game(game_id: str) -> Call[GameView]:
    """GET /games/{game_id}: one monitored game."""
    return Call("GET", _game_path(game_id), GameView.model_validate_json)


def prediction(game_id: str) -> Call[Prediction]:
    """GET /games/{game_id}/prediction: the frozen one, or PredictionNotMadeError."""
    return Call("GET", _game_path(game_id, "prediction"), Prediction.model_validate_json)


def course(game_id: str) -> Call[GameCourse]:
    """GET /games/{game_id}/course: the game so far, its margins and its running forecasts."""
    return Call("GET", _game_path(game_id, "course"), GameCourse.model_validate_json)


def similar_games(game_id: str, limit: int = 10) -> Call[SimilarPastGames]:
    """GET /games/{game_id}/similar: the `limit` past games most like it, or NotFoundError."""
    params: dict[str, str | int] = {"limit": limit}
    path = _game_path(game_id, "similar")
    return Call("GET", path, SimilarPastGames.model_validate_json, params=params)


def past_game(game_id: str) -> Call[PastGame]:
    """GET /library/{game_id}: one of the past games, or NotFoundError."""
    return Call("GET", _path("library", game_id), PastGame.model_validate_json)


def predictions(since: int = 0, limit: int = PAGE_SIZE) -> Call[PredictionLog]:
    """GET /predictions: a page of the prediction log, oldest first."""
    params: dict[str, str | int] = {"since": since, "limit": limit}
    return Call("GET", "/predictions", PredictionLog.model_validate_json, params=params)


def predictions_jsonl() -> Call[list[Prediction]]:
    """GET /predictions.jsonl: the whole prediction log in one answer."""
    return Call("GET", "/predictions.jsonl", _read_log)


def predictions_parquet() -> Call[bytes]:
    """GET /predictions.parquet: the whole prediction log, the bytes of a Parquet file."""
    return Call("GET", "/predictions.parquet", bytes)


def accuracy() -> Call[Accuracy]:
    """GET /accuracy: how the resolved predictions did, beside persistence."""
    return Call("GET", "/accuracy", Accuracy.model_validate_json)


def accuracy_days(
    since: date | None = None, until: date | None = None, limit: int | None = None
) -> Call[AccuracyDays]:
    """GET /accuracy/days: the same by the game's day, and the calibration over these days.

    They are the newest `limit` days with predictions from `since` to `until`, both included.
    """
    params: dict[str, str | int] = {}
    if since is not None:
        params["since"] = since.isoformat()
    if until is not None:
        params["until"] = until.isoformat()
    if limit is not None:
        params["limit"] = limit
    return Call("GET", "/accuracy/days", AccuracyDays.model_validate_json, params=params)


def health() -> Call[Health]:
    """GET /health: the service answers; tells the moment, so it is tried once."""
    return Call("GET", "/health", Health.model_validate_json, repeat=False)


def ready() -> Call[Ready]:
    """GET /ready: able to predict, else OverloadedError; tells the moment, so it is tried once."""
    return Call("GET", "/ready", Ready.model_validate_json, repeat=False)


def models() -> Call[Models]:
    """GET /models: what is loaded, and what it has seen."""
    return Call("GET", "/models", Models.model_validate_json)


# --- writing and reading bodies -------------------------------------------------------------


def checked(model: type[M], fields: M | Mapping[str, Any]) -> M:
    """A request of the contract; raises InvalidRequestError naming field, value, expectation."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])) or error.title}: "
            f"{fault['msg'].removeprefix('Value error, ')}; "
            f"got {fault['input']!r:.{EXCERPT_CHARACTERS}}"
            for fault in error.errors(include_url=False)
        )
        raise _invalid(" | ".join(faults)) from None


def _invalid(detail: str) -> InvalidRequestError:
    """The error for a request that is wrong before it is sent, in the service's own shape."""
    problem = Problem(
        type="urn:problem:invalid_request", title="Invalid request", status=422, detail=detail
    )
    return InvalidRequestError(problem, request="not sent")


def _json(request: BaseModel) -> bytes:
    return request.model_dump_json(exclude_none=True).encode()


def _game_path(game_id: str, *more: str) -> str:
    return _path("games", game_id, *more)


def _path(*parts: str) -> str:
    # Dots too: a path of `..` would be taken for the folder above.
    return "".join("/" + quote(part, safe="").replace(".", "%2E") for part in parts)


_read_forecasts = TypeAdapter(list[Forecast | Problem]).validate_json
_read_games = TypeAdapter(list[GameView]).validate_json
_read_items = TypeAdapter(list[ListItemResult]).validate_json


def _read_log(content: bytes) -> list[Prediction]:
    lines = content.splitlines()
    return [Prediction.model_validate_json(line) for line in lines if line.strip()]


def _list_calls(
    path: str,
    items: Sequence[BaseModel | Mapping[str, Any]],
    read: Callable[[bytes], list[T]],
) -> list[Call[list[T]]]:
    """A list as calls of at most ITEMS_PER_REQUEST items.

    A dictionary travels as it is: the service judges each item, so a bad one spoils only itself.
    """
    starts = range(0, len(items), ITEMS_PER_REQUEST)
    chunks = [items[start : start + ITEMS_PER_REQUEST] for start in starts]
    return [Call("POST", path, _one_for_each(read, len(chunk)), _list(chunk)) for chunk in chunks]


def _list(items: Sequence[BaseModel | Mapping[str, Any]]) -> bytes:
    plain = [
        item.model_dump(exclude_none=True) if isinstance(item, BaseModel) else dict(item)
        for item in items
    ]
    try:
        return to_json(plain, inf_nan_mode="null")
    except PydanticSerializationError as error:
        raise _invalid(f"the list: expected values that JSON can hold; {error}") from None


def _one_for_each(read: Callable[[bytes], list[T]], length: int) -> Callable[[bytes], list[T]]:
    """A reader of a list that must hold one answer for each of `length` items."""

    def read_all(content: bytes) -> list[T]:
        answers = read(content)
        if len(answers) != length:
            raise ValueError(f"expected {length} results, one for each item; got {len(answers)}")
        return answers

    return read_all
