"""The routes that forecast from a pattern; nothing is kept."""

from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from pydantic import TypeAdapter

from serve_app.api.description import BODY_PROBLEMS, list_body, problems
from serve_app.api.items import check_length, parse_item, written
from serve_app.api.problems import ListTooLong, ServiceProblem
from serve_app.live.live_service import LiveService
from serve_app.schemas import EXAMPLE_PATTERN, Forecast, PredictRequest, Problem
from serve_app.settings import Settings

FORECASTS = TypeAdapter(list[Forecast | Problem])


def add_forecast_routes(api: FastAPI, settings: Settings, service: LiveService) -> None:
    """Add them to the application."""

    @api.post("/predict", response_model=Forecast, responses=problems(*BODY_PROBLEMS))
    async def predict(request: PredictRequest) -> Response:
        """Forecast the halftime margin from the margins at the end of minutes 1..18."""
        (forecast,) = await service.predict([request])
        return written(forecast.model_dump_json(exclude_none=True))

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
        check_length(items, settings.max_list_items)
        parsed = [parse_item(PredictRequest, item, place) for place, item in enumerate(items)]
        good = [item for item in parsed if isinstance(item, PredictRequest)]
        forecasts = iter(await service.predict(good))
        answers = [
            item.problem() if isinstance(item, ServiceProblem) else next(forecasts)
            for item in parsed
        ]
        return written(FORECASTS.dump_json(answers, exclude_none=True))
