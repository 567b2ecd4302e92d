"""The routes of the prediction log: its pages, its exports, and how the predictions did."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse

from serve_app.api.description import PAGE_LIMIT, problems
from serve_app.api.problems import InvalidRequest
from serve_app.model.accuracy import MOST_DAYS, NEWEST_DAYS, accuracy, accuracy_days
from serve_app.model.served_model import ServedModel
from serve_app.schemas import Accuracy, AccuracyDays, PredictionLog
from serve_app.schemas.fields import Day
from serve_app.storage.store import Store

PARQUET = "application/vnd.apache.parquet"


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

    @api.get(
        "/predictions.parquet",
        response_class=StreamingResponse,
        responses={200: {"content": {PARQUET: {"schema": {"type": "string", "format": "binary"}}}}},
    )
    async def predictions_parquet() -> StreamingResponse:
        """The whole prediction log as a Parquet file with typed columns, a row a prediction."""
        return StreamingResponse(
            await asyncio.to_thread(_parquet, store),
            media_type=PARQUET,
            headers={"Content-Disposition": 'attachment; filename="predictions.parquet"'},
        )

    @api.get("/accuracy")
    async def get_accuracy() -> Accuracy:
        """How the resolved predictions did, beside persistence."""
        return await asyncio.to_thread(accuracy, store, model.bundle, model.adaptation)

    @api.get("/accuracy/days", responses=problems(InvalidRequest))
    async def get_accuracy_days(
        since: Day | None = None,
        until: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_DAYS)] = NEWEST_DAYS,
    ) -> AccuracyDays:
        """The same by the game's day, oldest first, and the calibration over these days.

        They are the newest `limit` days with predictions from `since` to `until`, both included.
        """
        return await asyncio.to_thread(
            accuracy_days, store, model.bundle, since, until, limit=limit
        )


async def _lines(store: Store) -> AsyncIterator[str]:
    since = 0
    while page := await asyncio.to_thread(store.predictions.page, since, PAGE_LIMIT):
        for since, prediction in page:  # noqa: B007 - the last place is where the next page begins
            yield prediction.model_dump_json(exclude_none=True) + "\n"


def _parquet(store: Store) -> Iterator[bytes]:
    """The parts of the file; the first page is read now, so that a store which fails is told of."""
    # pyarrow costs its 0.4 s and 40 MB only where it is asked for.
    from serve_app.storage.prediction_file import parquet_parts  # noqa: PLC0415

    pages = store.predictions.logged(PAGE_LIMIT)
    first = next(pages, None)
    return parquet_parts(pages if first is None else chain([first], pages))
