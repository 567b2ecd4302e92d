"""The model that a shard forecasts with: that of the bundle which is in service at the ingress."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from pathlib import Path

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.model.model_shelf import ModelShelf
from serve_app.model.placement import NearPlacement
from serve_app.model.served_model import TIP_OFF

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5.0


class FollowingModel:
    """Forecasts with the bundle that was named last, as soon as that has made a forecast here.

    Until then the one before it serves.
    """

    def __init__(
        self,
        load: Callable[[Path], NearPlacement],
        bundle: Path,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shelf = ModelShelf(load)
        self._bundle = bundle
        self._sleep = sleep
        self._changing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Load the bundle that is followed now.

        Where this fails it is logged, and tried again with each forecast: scores are taken
        without it.
        """
        try:
            self._shelf.take(self._bundle)
        except Exception:
            logger.exception("no forecasts with %s yet", self._bundle)

    def follow(self, bundle: Path) -> None:
        """Forecast with the bundle in this folder; returns at once.

        It is loaded behind the answers. One that makes no forecast is logged, and tried again
        where it is named after a while.
        """
        if bundle == self._bundle or self._changing is not None:
            return
        if self._bundle in self._shelf:
            # In a context of its own: the change is not the caller's.
            self._changing = asyncio.create_task(self._change_to(bundle), context=Context())
        else:  # there is nothing to go on with meanwhile
            self._bundle = bundle

    async def _change_to(self, bundle: Path) -> None:
        try:
            await self._shelf.fetch({bundle})
            await self._shelf.take(bundle).forecast([TIP_OFF], similar=0)
            self._bundle = bundle
        except Exception:
            logger.exception("%s makes no forecasts here, %s serves on", bundle, self._bundle)
            await self._sleep(RETRY_SECONDS)
        finally:
            self._changing = None

    async def settle(self) -> None:
        """Wait until no other bundle is coming."""
        while self._changing is not None:
            await asyncio.wait([self._changing])

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order, all by the same bundle.

        Raises BundleError where it cannot be loaded.
        """
        bundle = self._bundle
        await self._shelf.fetch({bundle})
        return await self._shelf.take(bundle).forecast(requests, similar=similar)

    def forecast_now(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast] | None:
        """The same forecasts; None where the bundle is not loaded, or its models are elsewhere."""
        if self._bundle not in self._shelf:
            return None
        return self._shelf.take(self._bundle).forecast_now(requests, similar=similar)
