import pytest

from serve_app.schemas import FeedLag, System
from serve_app.system.reports import FeedReport, IngressReport, ShardReport, WebhookReport
from serve_app.system.response_times import BUCKETS, bucket_of
from serve_app.system.system_state import ALIVE_SECONDS, SETTLE_SECONDS, SystemState


class Clock:
    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> SystemState:
    return SystemState(shards_expected=2, now=clock)


def responses(*milliseconds: float) -> tuple[int, ...]:
    counts = [0] * BUCKETS
    for one in milliseconds:
        counts[bucket_of(one)] += 1
    return tuple(counts)


def test_what_nobody_told_is_null_and_never_made_up(state: SystemState):
    known = state.system(games_monitored=None).model_dump(exclude={"time"})
    assert {name for name, value in known.items() if value is None} == {
        "games_monitored",
        "games_live",
        "updates_per_second",
        "feed_lag_seconds",
        "response_ms",
        "webhooks_pending",
        "model_version",
        "calibration_version",
    }
    assert known["shards"] == 0
    assert known["shards_expected"] == 2


def test_reports_of_all_processes_are_one_state(state: SystemState, clock: Clock):
    state.take("shard-0", ShardReport(2.0, (1.0, 3.0)))
    state.take("shard-1", ShardReport(0.5, (100.0,)))
    state.take("ingress-a", IngressReport("m1", "m1+0", responses(1.0, 1.0)))
    clock.seconds += 2
    state.take("ingress-b", IngressReport("m2", "m2+1", responses(900.0)))
    state.take("feed-a", FeedReport(watchers=3, dropped=1))
    state.take("feed-b", FeedReport(watchers=4, dropped=0))
    state.take("webhooks", WebhookReport(pending=5))
    system = state.system(games_monitored=7)
    assert system.games_monitored == 7
    assert system.games_live == 3
    assert system.updates_per_second == 2.5
    # The shards told it two seconds ago, and nothing has come since.
    assert system.feed_lag_seconds == FeedLag(median=5.0, longest=102.0)
    assert system.response_ms is not None
    assert system.response_ms.requests == 3
    assert system.response_ms.p50 == pytest.approx(1.0, rel=0.2)
    assert system.response_ms.p99 == pytest.approx(900.0, rel=0.2)
    assert (system.ingress_replicas, system.shards, system.feed_replicas) == (2, 2, 2)
    assert (system.watchers, system.dropped_watchers, system.webhooks_pending) == (7, 1, 5)
    assert (system.model_version, system.calibration_version) == ("m2", "m2+1")
    assert System.model_validate_json(system.model_dump_json()) == system


def test_who_does_not_report_any_more_is_gone(state: SystemState, clock: Clock):
    state.take("shard-0", ShardReport(1.0, ()))
    state.take("shard-1", ShardReport(1.0, ()))
    clock.seconds += ALIVE_SECONDS - 1
    state.take("shard-1", ShardReport(4.0, ()))
    assert state.system(0).shards == 2
    clock.seconds += 2
    system = state.system(0)
    assert (system.shards, system.updates_per_second) == (1, 4.0)


def test_a_report_takes_the_place_of_the_last_one(state: SystemState):
    state.take("feed-a", FeedReport(watchers=3, dropped=0))
    state.take("feed-a", FeedReport(watchers=1, dropped=2))
    system = state.system(0)
    assert (system.feed_replicas, system.watchers, system.dropped_watchers) == (1, 1, 2)


def test_it_is_settled_once_every_process_could_report(state: SystemState, clock: Clock):
    assert not state.is_settled
    clock.seconds += SETTLE_SECONDS
    assert state.is_settled
