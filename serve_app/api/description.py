"""What the OpenAPI description says beside the types: problems, list bodies, links and examples.

It is true: `make fuzz` holds every answer of the service against it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from serve_app.api.problems import (
    MEDIA_TYPE,
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    MalformedBody,
    Overloaded,
    ServiceProblem,
    SlowBody,
    TimedOut,
    Unavailable,
    UnsupportedEncoding,
)

Responses = dict[int | str, dict[str, Any]]

PROBLEM = {"$ref": "#/components/schemas/Problem"}
HEADERS = {
    "Retry-After": {
        "description": "Seconds after which the same request may be sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
PAGE_LIMIT = 1_000  # items of one answer
# What a client may do with a game that it named; these are operation ids.
OF_A_GAME = ("game", "post_score", "prediction", "course", "similar", "end")
# What any route may answer, and what one that takes a body.
ANYWHERE = (SlowBody, Unavailable, Overloaded, TimedOut, InternalError)
BODY_PROBLEMS = (MalformedBody, UnsupportedEncoding, BodyTooLarge, InvalidRequest)


def problems(*kinds: type[ServiceProblem]) -> Responses:
    """The responses of a route that may answer these problems, by status."""
    responses: Responses = {}
    for kind in sorted(kinds, key=lambda kind: kind.status):
        told = responses.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {MEDIA_TYPE: {"schema": PROBLEM}},
                "headers": {name: HEADERS[name] for name in kind.headers if name in HEADERS},
            },
        )
        if kind.title not in told["description"]:
            told["description"] += f"; or: {kind.title}"
    return responses


def list_body(kind: type[BaseModel], example: list[dict[str, Any]], most: int) -> dict[str, Any]:
    """The body of a route that takes a list and answers each item in its place, good or bad."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    other = {"description": "Anything else: its problem stands in its place of the answer."}
    body = {
        "type": "array",
        "maxItems": most,
        "items": {"anyOf": [{**schema, "title": kind.__name__}, other]},
    }
    content = {"application/json": {"schema": body, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def game_links(game_id: str, *operations: str) -> dict[str, dict[str, Any]]:
    """OpenAPI links to these operations of one game, whose id `game_id` (an expression) finds."""
    return {
        operation: {"operationId": operation, "parameters": {"game_id": game_id}}
        for operation in operations
    }


def linked(responses: Mapping[int | str, dict[str, Any]], links: Mapping[str, Any]) -> Responses:
    """The responses of a route, with these links beside a success."""
    return {200: {"links": dict(links)}, **responses}


def first_half(game_id: str) -> list[dict[str, Any]]:
    """An example of a list of updates: one at the end of each minute up to 6:00 of Q2."""
    return [
        {
            "game_id": game_id,
            "quarter": 1 if minute <= 12 else 2,
            "time_remaining": f"{12 - minute if minute <= 12 else 24 - minute}:00",
            "score_home": 2 * minute,
            "score_away": 2 * minute - minute % 3,
            "sequence": minute,
        }
        for minute in range(1, 19)
    ]
