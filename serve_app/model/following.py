"""The model that a shard forecasts with: that of the bundle which is in service at the ingress."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from models.errors import BundleError
from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.model.model_shelf import ModelShelf
from serve_app.model.placement import Placement

logger = logging.getLogger(__name__)


class FollowingModel:
    """Forecasts with the bundle that was named last, which is loaded when it is first needed."""

    def __init__(self, load: Callable[[Path], Placement], bundle: Path) -> None:
        self._shelf = ModelShelf(load)
        self._bundle = bundle

    def begin(self) -> None:
        """Load the bundle that is followed now.

        One that cannot be loaded is logged, and tried again with each forecast: scores are taken
        without it.
        """
        try:
            self._shelf.take(self._bundle)
        except BundleError:
            logger.exception("no forecasts with %s yet", self._bundle)

    def follow(self, bundle: Path) -> None:
        """Forecast with the bundle in this folder from now on."""
        self._bundle = bundle

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order, all by the same bundle.

        Raises BundleError where it cannot be loaded.
        """
        bundle = self._bundle
        await self._shelf.fetch({bundle})
        return await self._shelf.take(bundle).forecast(requests, similar=similar)
