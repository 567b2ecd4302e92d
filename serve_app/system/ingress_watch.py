"""What an ingress replica knows of how it does: its answers, its forecasts, its model."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.calibration.adaptation import Adaptation
from models.calibration.alarm import drift_alarm
from models.forecasters.forecaster import Component
from models.game.pattern import PATTERN_MINUTES
from serve_app.model.served_model import ServedModel
from serve_app.system.metrics import DRIFT_ALARM, FORECAST, RESPONSES
from serve_app.system.reports import IngressReport
from serve_app.system.response_times import BUCKETS, bucket_of
from serve_app.system.rolling_minute import RollingMinute
from serve_app.system.tally import Tally


class IngressWatch:
    """Counts what its replica does; `report` tells of the model that is in service by then."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.model: ServedModel | None = None
        self._responses = RollingMinute(BUCKETS)
        self._alarm_of: str | None = None

    def responded(self, status: int, seconds: float) -> None:
        """A request was answered."""
        self._responses.add(column=bucket_of(1_000.0 * seconds))
        self.tally.count(RESPONSES, f"{status // 100}xx")

    def forecast(self, component: Component, seconds: float) -> None:
        """A component of the forecaster was called."""
        self.tally.observe(FORECAST, seconds, component)

    async def report(self) -> IngressReport:
        """The model in service and the last minute's answers; raises RuntimeError without one."""
        if self.model is None:
            raise RuntimeError("an ingress replica: expected to have a model by now")
        # As far as forecasts have read: a store that is away must not silence who still answers.
        bundle, adaptation = self.model.bundle, self.model.known_adaptation
        version = adaptation.before(None).version
        await self._look_for_drift(version, adaptation)
        return IngressReport(bundle.model_version, version, self._responses.columns())

    async def _look_for_drift(self, version: str, adaptation: Adaptation) -> None:
        """Ask the drift alarm once for each version of the calibration."""
        if version != self._alarm_of:
            levels = await asyncio.to_thread(adaptation.levels, "halftime", PATTERN_MINUTES)
            self.tally.set(DRIFT_ALARM, float(drift_alarm(levels).raised))
            self._alarm_of = version


class Responses:
    """ASGI middleware that tells a watch how each HTTP request was answered, and how fast.

    One that raises instead is answered 500 outside of here; one that is cancelled, because its
    client has gone, is answered by nobody and is not counted.
    """

    def __init__(self, app: ASGIApp, watch: IngressWatch) -> None:
        self._app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application and take the time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        def responded() -> None:
            self._watch.responded(status, time.perf_counter() - begun)

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            responded()
            raise
        responded()
