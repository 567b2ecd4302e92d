"""Where forecasts are made: in this process or in others; whoever asks need not know."""

from collections.abc import Sequence
from typing import Protocol

from models.forecasters.forecaster import ForecastRequest, MarginForecast


class Placement(Protocol):
    """Makes forecasts."""

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        """One forecast per request, in order, naming `similar` games each."""
        ...


class NearPlacement(Placement, Protocol):
    """Makes forecasts at once while its models are in this process."""

    def forecast_now(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast] | None:
        """The same forecasts; None where they have to be waited for."""
        ...
