"""Reporting: every few seconds each process tells the hub how it does, and exports its tally."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, Protocol
from uuid import uuid4

from serve_app.system.metrics import Process
from serve_app.system.ray_metrics import RayMetrics
from serve_app.system.reports import REPORT_SECONDS, Report
from serve_app.system.tally import Drained, Tally

logger = logging.getLogger(__name__)


class Watch(Protocol):
    """What one process knows of how it does; the report is None where it has nobody to tell."""

    @property
    def tally(self) -> Tally: ...  # noqa: D102
    async def report(self) -> Report | None: ...  # noqa: D102


class Reporting:
    """Sends what a watch reports, and records what its tally has drained, until cancelled."""

    def __init__(
        self,
        watch: Watch,
        record: Callable[[Drained], None],
        send: Callable[[Report], Awaitable[object]] | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watch = watch
        self._send = send
        self._record = record
        self._sleep = sleep
        self._failing = False

    async def run(self) -> None:
        """Report for ever; an error is logged once, until all is well again."""
        while True:
            try:
                await self._once()
                self._failing = False
            except Exception:
                if not self._failing:
                    self._failing = True
                    logger.exception("the state of this process cannot be told")
            await self._sleep(REPORT_SECONDS)

    async def _once(self) -> None:
        try:
            report = await self._watch.report()
        finally:
            self._record(self._watch.tally.drain())
        if report is not None and self._send is not None:
            await self._send(report)


def reporting(hub: Any, watch: Watch, process: Process, sender: str | None = None) -> Reporting:  # noqa: ANN401 - Ray types no actor handle
    """The reporting of a process to the live hub.

    Reports of one `sender` replace each other; without one this process is its own.
    """
    name = sender or f"{process}-{uuid4()}"
    take = hub.take_report.options(max_task_retries=0)  # the next report makes a lost one good

    async def send(report: Report) -> None:
        await take.remote(name, report)

    return Reporting(watch, RayMetrics(process).record, send)


def start(reports: Reporting) -> "asyncio.Task[None]":
    """Report beside all else in this event loop; the task is to be kept."""
    # In a context of its own: in the caller's, Serve would take it back with the caller.
    return asyncio.create_task(reports.run(), context=Context())
