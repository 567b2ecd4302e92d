"""Lists whose items are judged one by one, and answers that are written as they are."""

from typing import Any, TypeVar

from fastapi import Response
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from serve_app.api.problem_answers import invalid
from serve_app.api.problems import ListTooLong, ServiceProblem
from serve_app.schemas import GameScoreUpdate, PredictRequest

Item = TypeVar("Item", PredictRequest, GameScoreUpdate)


def check_length(items: list[Any], most: int) -> None:
    """Raise ListTooLong where there are more than so many items."""
    if len(items) > most:
        raise ListTooLong(
            f"the list: expected at most {most} items; got {len(items)}", max_items=most
        )


def parse_item(kind: type[Item], item: object, place: int) -> Item | ServiceProblem:
    """One item of a list, or the problem it has; errors name the item's place."""
    try:
        return kind.model_validate(item)
    except ValidationError as refused:
        return invalid([_placed(wrong, place) for wrong in refused.errors()])


def _placed(error: ErrorDetails, place: int) -> dict[str, Any]:
    """An error whose location begins with the place of its item in the list."""
    return {**error, "loc": (place, *error["loc"])}


def written(content: str | bytes) -> Response:
    """An answer as it is: on the hot routes validating it once more would double the time."""
    return Response(content, media_type="application/json")
