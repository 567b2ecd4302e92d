import random
from statistics import quantiles

import pytest

from serve_app.system.response_times import (
    BUCKETS,
    RATIO,
    UPPER_MS,
    bucket_of,
    merged,
    response_times,
)


def counted(milliseconds: list[float]) -> list[int]:
    counts = [0] * BUCKETS
    for one in milliseconds:
        counts[bucket_of(one)] += 1
    return counts


def test_nothing_has_no_percentiles():
    assert response_times([0] * BUCKETS) is None
    assert response_times(merged([])) is None


def test_the_percentiles_are_within_a_tenth_also_of_two_processes_together():
    chance = random.Random(3)  # noqa: S311 - not for secrets
    first = [chance.lognormvariate(1.0, 1.0) for _ in range(20_000)]
    second = [50.0 * chance.random() for _ in range(5_000)]
    times = response_times(merged([counted(first), counted(second)]))
    exact = quantiles([*first, *second], n=100)
    assert times is not None
    assert times.requests == 25_000
    for told, level in ((times.p50, 50), (times.p95, 95), (times.p99, 99)):
        assert told == pytest.approx(exact[level - 1], rel=0.1)


@pytest.mark.parametrize("milliseconds", [0.0, 0.05, 1.0, 60_000.0])
def test_one_request_is_all_percentiles_within_its_bucket(milliseconds: float):
    times = response_times(counted([milliseconds]))
    assert times is not None
    assert milliseconds / RATIO <= times.p99 <= max(milliseconds * RATIO, UPPER_MS[0])


def test_what_takes_longer_than_any_bucket_is_told_as_the_longest():
    times = response_times(counted([1e9]))
    assert times is not None
    assert times.p50 == pytest.approx(UPPER_MS[-1])
