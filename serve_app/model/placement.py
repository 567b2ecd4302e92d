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
