"""Clients of the forecast service, for programs that hold neither Ray nor torch.

    with ForecastClient("http://127.0.0.1:8000") as client:
        forecast = client.predict(pattern)
        print(forecast.point_forecast, forecast.interval_lower, forecast.interval_upper)

`AsyncForecastClient` has the same methods to await; `NBAForecastClient` answers dictionaries.
Answers are the types of `serve_app.schemas`, errors those of `serve_app.client.errors`. A request
that got no answer, a 429 or a 5xx is repeated with backoff and jitter (`Retry`): the contract is
safe to repeat throughout, see `serve_app.client.exchange`.
"""

from serve_app.client.async_client import AsyncForecastClient
from serve_app.client.sync_client import ForecastClient, NBAForecastClient

__all__ = ["AsyncForecastClient", "ForecastClient", "NBAForecastClient"]
