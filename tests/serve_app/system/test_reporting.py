import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serve_app.system.metrics import UPDATES
from serve_app.system.reporting import Reporting, Watch, start
from serve_app.system.reports import Report, WebhookReport
from serve_app.system.tally import Drained, Tally


class Rounds:
    """A sleep that lets a test go on round by round."""

    def __init__(self) -> None:
        self.slept = asyncio.Semaphore(0)
        self.go_on = asyncio.Semaphore(0)

    async def sleep(self, _: float) -> None:
        self.slept.release()
        await self.go_on.acquire()

    async def one(self) -> None:
        async with asyncio.timeout(5):
            await self.slept.acquire()
        self.go_on.release()


class Reports:
    """A watch that fails while it is told to, and who hears of it."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.failing = self.away = False
        self.sent: list[Report] = []
        self.recorded: list[Drained] = []

    async def report(self) -> Report:
        self.tally.count(UPDATES, "taken")
        if self.failing:
            raise RuntimeError("a defect")
        return WebhookReport(len(self.sent))

    async def send(self, report: Report) -> None:
        if self.away:
            raise ConnectionError("the hub restarts")
        self.sent.append(report)


@asynccontextmanager
async def reporting(reports: Reports, rounds: Rounds) -> AsyncIterator[None]:
    watch: Watch = reports
    task = start(Reporting(watch, reports.recorded.append, reports.send, sleep=rounds.sleep))
    try:
        yield
    finally:
        task.cancel()


async def test_each_round_reports_and_records_what_has_come_together():
    reports, rounds = Reports(), Rounds()
    async with reporting(reports, rounds):
        await rounds.one()
        await rounds.one()
        assert reports.sent[:2] == [WebhookReport(0), WebhookReport(1)]
        assert reports.recorded[1].counters == {(UPDATES, ("taken",)): 1}


async def test_what_was_counted_is_recorded_also_where_nothing_can_be_told(
    caplog: pytest.LogCaptureFixture,
):
    reports, rounds = Reports(), Rounds()
    reports.failing = True
    async with reporting(reports, rounds):
        await rounds.one()
        await rounds.one()
        reports.failing, reports.away = False, True
        await rounds.one()
        assert [one.counters for one in reports.recorded[:3]] == [
            {(UPDATES, ("taken",)): 1} for _ in range(3)
        ]
        assert len(caplog.records) == 1  # said once, not with each round
        reports.away = False
        await rounds.one()
        reports.failing = True
        await rounds.one()
        await rounds.one()
    assert len(reports.sent) == 1
    assert len(caplog.records) == 2
