"""The state of the whole service, merged from what its processes report."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple, TypeVar

from serve_app.schemas import FeedLag, System
from serve_app.system.reports import (
    REPORT_SECONDS,
    FeedReport,
    IngressReport,
    Report,
    ShardReport,
    WebhookReport,
)
from serve_app.system.response_times import merged, response_times

# A process that has not reported for so long is gone: one report may be late, two are not.
ALIVE_SECONDS = 12.0
# How long it takes until every living process has reported to one who has just begun to listen.
SETTLE_SECONDS = REPORT_SECONDS + 1.0

ReportT = TypeVar("ReportT", IngressReport, ShardReport, FeedReport, WebhookReport)


class _Taken(NamedTuple):
    at: float
    report: Report


class SystemState:
    """Holds the newest report of each process that is alive; `now` counts seconds."""

    def __init__(self, shards_expected: int, now: Callable[[], float] = time.monotonic) -> None:
        self._shards_expected = shards_expected
        self._now = now
        self._begun = now()
        self._taken: dict[str, _Taken] = {}

    def take(self, sender: str, report: Report) -> None:
        """Take a report instead of the sender's last one."""
        self._taken[sender] = _Taken(self._now(), report)

    @property
    def is_settled(self) -> bool:
        """Whether who has not reported by now is not there."""
        return self._now() - self._begun >= SETTLE_SECONDS

    def system(self, games_monitored: int | None) -> System:
        """How the service is doing, as far as its living processes have told."""
        now = self._now()
        self._taken = {
            sender: taken
            for sender, taken in self._taken.items()
            if now - taken.at <= ALIVE_SECONDS
        }
        ingress, shards = self._of(IngressReport), self._of(ShardReport)
        feeds, webhooks = self._of(FeedReport), self._of(WebhookReport)
        lags = [
            lag + now - taken.at
            for taken in self._taken.values()
            if isinstance(taken.report, ShardReport)
            for lag in taken.report.lags_seconds
        ]
        newest = ingress[-1] if ingress else None
        return System(
            time=datetime.now(UTC),
            games_monitored=games_monitored,
            games_live=len(lags) if shards else None,
            updates_per_second=sum(one.updates_per_second for one in shards) if shards else None,
            feed_lag_seconds=_feed_lag(lags),
            response_ms=response_times(merged(one.responses for one in ingress)),
            ingress_replicas=len(ingress),
            shards=len(shards),
            shards_expected=self._shards_expected,
            feed_replicas=len(feeds),
            watchers=sum(one.watchers for one in feeds),
            dropped_watchers=sum(one.dropped for one in feeds),
            webhooks_pending=sum(one.pending for one in webhooks) if webhooks else None,
            model_version=newest and newest.model_version,
            calibration_version=newest and newest.calibration_version,
        )

    def _of(self, kind: type[ReportT]) -> list[ReportT]:
        """The newest reports of one kind of process, the newest last."""
        by_age = sorted(self._taken.values(), key=lambda taken: taken.at)
        return [taken.report for taken in by_age if isinstance(taken.report, kind)]


def _feed_lag(lags: Sequence[float]) -> FeedLag | None:
    if not lags:
        return None
    return FeedLag(median=round(median(lags), 3), longest=round(max(lags), 3))
