from random import Random

import pytest

from serve_app.webhooks.schedule import (
    DELAYS_SECONDS,
    JITTER,
    LONGEST_WAIT_SECONDS,
    MOST_ATTEMPTS,
    delay_after,
)


def test_each_delay_is_that_of_the_convention_give_or_take_a_fifth():
    chance = Random(1)  # noqa: S311
    for attempts, due in enumerate(DELAYS_SECONDS, start=1):
        found = [delay_after(attempts, None, chance) for _ in range(200)]
        assert all(delay is not None for delay in found)
        delays = [delay for delay in found if delay is not None]
        assert due * (1 - JITTER) <= min(delays) < due < max(delays) <= due * (1 + JITTER)
    assert sum(DELAYS_SECONDS) > 86_400


def test_after_the_last_attempt_there_is_none():
    assert delay_after(MOST_ATTEMPTS, None, Random(1)) is None  # noqa: S311
    assert delay_after(MOST_ATTEMPTS, 5.0, Random(1)) is None  # noqa: S311
    assert MOST_ATTEMPTS == 10


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (0.0, 4.0, 6.0),  # not sooner than due
        (100.0, 100.0, 120.0),
        (1e9, LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS * 1.2),
    ],
)
def test_a_receiver_may_ask_for_later_but_not_for_ever(asked: float, least: float, most: float):
    chance = Random(2)  # noqa: S311
    for _ in range(100):
        delay = delay_after(1, asked, chance)
        assert delay is not None
        assert least <= delay <= most
