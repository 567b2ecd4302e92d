"""How every error becomes an answer: problem details, whoever raised it."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from models.errors import ForecastError
from serve_app.api.problems import (
    MEDIA_TYPE,
    InternalError,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    ServiceProblem,
    Unavailable,
)
from serve_app.storage.errors import StoreError

logger = logging.getLogger(__name__)

SHOWN_CHARACTERS = 200
# A body of a megabyte may be wrong in a hundred thousand places: the answer is no larger for it.
SHOWN_ERRORS = 20
LARGEST_SHOWN = 1e15


def problem_response(problem: ServiceProblem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an HTTP response, with these headers beside its own."""
    return Response(
        problem.problem().model_dump_json(),
        status_code=problem.status,
        headers={**problem.headers, **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def invalid(errors: Sequence[Any]) -> ServiceProblem:
    """The problem of a request that pydantic refused, from its `errors()`."""
    if any(error["type"] == "json_invalid" for error in errors):
        reason = errors[0].get("ctx", {}).get("error", "it cannot be parsed")
        return MalformedBody(f"the body: expected JSON; got something else: {reason}")
    if any(isinstance(error.get("input"), bytes) for error in errors):
        return MalformedBody("the body: expected JSON with Content-Type: application/json")
    details = [
        {
            "field": _field(error["loc"]),
            "value": shown(error.get("input")),
            "expected": error["msg"].removeprefix("Value error, "),
        }
        for error in errors[:SHOWN_ERRORS]
    ]
    detail = "; ".join(
        f"{item['field']}: {item['expected']}; got {item['value']!r}" for item in details
    )
    if len(errors) > len(details):
        detail += f"; and {len(errors) - len(details)} more"
    return InvalidRequest(detail, errors=details)


def _field(loc: Sequence[int | str]) -> str:
    return ".".join(str(shown(part)) for part in loc if part != "body") or "body"


def shown(value: object) -> object:
    """A value as it can stand in an answer: JSON-safe and short."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < LARGEST_SHOWN:  # which no NaN is
        return value
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "backslashreplace").decode()[:SHOWN_CHARACTERS]


def answer_problems(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""

    @app.exception_handler(ServiceProblem)
    async def _problem(_: Request, error: ServiceProblem) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        return problem_response(invalid(error.errors()))

    @app.exception_handler(ForecastError)
    async def _forecast_error(_: Request, error: ForecastError) -> Response:
        return problem_response(InvalidRequest(str(error)))

    @app.exception_handler(StoreError)
    async def _store(request: Request, error: StoreError) -> Response:
        logger.error(
            "%s %s: the store failed",
            request.method,
            request.url.path,
            exc_info=error,
            extra=_about(request),
        )
        return problem_response(Unavailable("the store does not answer; send the request again"))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return problem_response(_from_http(request, error), _allowed(request, error))

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> Response:
        logger.error(
            "%s %s failed",
            request.method,
            request.url.path,
            exc_info=error,
            extra=_about(request),
        )
        return problem_response(InternalError("the service has a defect; its log says more"))


def _about(request: Request) -> dict[str, str]:
    """The game that a request names, as a field of a log record."""
    game_id = request.path_params.get("game_id")
    return {} if game_id is None else {"game_id": game_id}


def _from_http(request: Request, error: HTTPException) -> ServiceProblem:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return NotFound(f"expected a route of GET /docs; got {shown(request.url.path)}")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowed(
                f"expected a method of GET /docs; got {request.method} {shown(request.url.path)}"
            )
        case HTTPStatus.BAD_REQUEST:
            return MalformedBody(f"the body: expected JSON; {error.detail}")
    return InternalError(f"{error.status_code}: {error.detail}")


def _allowed(request: Request, error: HTTPException) -> dict[str, str]:
    """The methods of this path, by all of its routes: the error itself names only one's."""
    if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return {}
    methods = {
        method
        for route in request.app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return {"Allow": ", ".join(sorted(methods))}
