"""The routes of the prediction log, and of how the predictions did."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse

from serve_app.api.description import PAGE_LIMIT, problems
from serve_app.api.problems import InvalidRequest
from serve_app.model.accuracy import accuracy
from serve_app.model.served_model import ServedModel
from serve_app.schemas import Accuracy, PredictionLog
from serve_app.storage.store import Store


def add_log_routes(api: FastAPI, store: Store, model: ServedModel) -> None:
    """Add them to the application."""

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


async def _lines(store: Store) -> AsyncIterator[str]:
    since = 0
    while page := await asyncio.to_thread(store.predictions.page, since, PAGE_LIMIT):
        for since, prediction in page:  # noqa: B007 - the last place is where the next page begins
            yield prediction.model_dump_json(exclude_none=True) + "\n"
