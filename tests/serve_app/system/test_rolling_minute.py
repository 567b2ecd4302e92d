import pytest

from serve_app.system.rolling_minute import RollingMinute


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.5

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_older_than_a_minute_is_forgotten(clock: Clock):
    minute = RollingMinute(2, clock)
    minute.add(3, column=1)
    clock.seconds += 30
    minute.add()
    assert minute.columns() == (1, 3)
    clock.seconds += 29.4  # the sixtieth second from the first on
    assert minute.columns() == (1, 3)
    clock.seconds += 0.1
    assert minute.columns() == (1, 0)
    clock.seconds += 3_600
    assert minute.columns() == (0, 0)


def test_a_slot_is_used_again_after_a_minute(clock: Clock):
    minute = RollingMinute(now=clock)
    minute.add(5)
    clock.seconds += 60
    minute.add(2)
    assert minute.columns() == (2,)


def test_the_rate_is_over_the_time_there_was(clock: Clock):
    minute = RollingMinute(now=clock)
    minute.add(10)
    assert minute.per_second() == 10.0
    clock.seconds += 20
    minute.add(10)
    assert minute.per_second() == 1.0
    clock.seconds += 100
    assert minute.per_second() == 0.0
