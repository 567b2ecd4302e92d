import pytest

from serve_app.access.rates import RequestRates
from tests.serve_app.access.conftest import Clock


@pytest.fixture
def rates(clock: Clock) -> RequestRates:
    return RequestRates(per_key=10, keyless=3, clock=clock)


def test_a_key_gets_its_rate_and_a_burst_of_one_second(rates: RequestRates, clock: Clock):
    assert [rates.take("a") for _ in range(11)] == [True] * 10 + [False]
    clock.seconds += 0.25
    assert [rates.take("a") for _ in range(3)] == [True, True, False]
    clock.seconds += 60
    assert [rates.take("a") for _ in range(11)].count(True) == 10


def test_keys_do_not_take_from_each_other_nor_do_those_without(rates: RequestRates):
    assert all(rates.take("a") for _ in range(10))
    assert [rates.take(None) for _ in range(4)] == [True, True, True, False]
    assert rates.take("b")
    assert not rates.take("a")


def test_the_rate_holds_over_time(rates: RequestRates, clock: Clock):
    taken = 0
    for _ in range(1_000):
        clock.seconds += 0.01
        taken += rates.take("a")
    assert 100 <= taken <= 111
