import asyncio

import pytest

from serve_app.chaos.kill_pace import KillPace
from tests.serve_app.chaos.conftest import FakeClock

SPAN = 1_000.0
KILLS = 9  # so that a step is 100 seconds of schedule time


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pace(clock: FakeClock) -> KillPace:
    return KillPace(SPAN, KILLS, kill_seconds=5.0, clock=clock)


def test_however_long_a_kill_takes_the_schedule_goes_on_and_never_past_its_step(
    pace: KillPace, clock: FakeClock
):
    shown = []
    for _ in range(20):
        clock.time += 5.0
        shown.append(pace.now())
    assert shown == sorted(set(shown))
    assert 99.0 < shown[-1] < 100.0


def test_a_kill_that_is_done_lets_it_go_on_without_a_leap(pace: KillPace, clock: FakeClock):
    clock.time = 5.0
    before = pace.now()
    pace.kill_done()
    assert pace.now() == before
    clock.time = 10_000.0
    assert pace.now() == pytest.approx(200.0)


def test_after_the_last_kill_it_runs_to_the_end(pace: KillPace, clock: FakeClock):
    for _ in range(KILLS):
        clock.time += 5.0
        pace.kill_done()
    assert 700 < pace.now() < 900
    clock.time += 20.0
    assert pace.now() > SPAN


def test_steady_kills_take_a_step_each(pace: KillPace, clock: FakeClock):
    shown = []
    for _ in range(KILLS):
        clock.time += 5.0
        pace.kill_done()
        shown.append(pace.now())
    assert shown[-1] - shown[-2] == pytest.approx(100.0, rel=0.01)


def test_sleeping_is_until_schedule_time_has_gone_by(pace: KillPace, clock: FakeClock):
    asyncio.run(pace.sleep(50.0))
    assert 50.0 <= pace.now() < 51.0
    assert clock.time == pytest.approx(3.47, abs=0.05)  # ln 2 of 5 seconds
