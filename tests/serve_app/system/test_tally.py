from itertools import accumulate

import pytest

from serve_app.system.metrics import COMMIT, GAMES_LIVE, UPDATES
from serve_app.system.ray_metrics import thinned
from serve_app.system.tally import Tally


def test_counts_are_drained_once_and_gauges_stay():
    tally = Tally()
    tally.count(UPDATES, "taken")
    tally.count(UPDATES, "taken", by=4)
    tally.count(UPDATES, "refused")
    tally.set(GAMES_LIVE, 3)
    tally.set(GAMES_LIVE, 7)
    drained = tally.drain()
    assert drained.counters == {(UPDATES, ("taken",)): 5, (UPDATES, ("refused",)): 1}
    assert drained.gauges == {(GAMES_LIVE, ()): 7}
    again = tally.drain()
    assert (again.counters, again.gauges) == ({}, {(GAMES_LIVE, ()): 7})


def test_a_gauge_that_is_not_known_any_more_is_gone():
    tally = Tally()
    tally.set(GAMES_LIVE, 3)
    tally.set(GAMES_LIVE, None)
    tally.set(GAMES_LIVE, None)
    assert tally.drain().gauges == {}


def test_values_are_counted_by_bucket_upper_bounds_included():
    tally = Tally()
    for value in (0.0, COMMIT.buckets[0], COMMIT.buckets[1], 1e9):
        tally.observe(COMMIT, value)
    counts = tally.drain().histograms[COMMIT, ()]
    assert counts == [2, 1, *[0] * (len(COMMIT.buckets) - 2), 1]
    assert tally.drain().histograms == {}


@pytest.mark.parametrize(
    "counts", [[0, 0], [5, 95], [1_000, 0, 1], [333, 333, 333, 7], [10**6] * 9]
)
def test_thinned_counts_keep_their_shape(counts: list[int]):
    thin = thinned(counts, 100)
    assert sum(thin) == min(sum(counts), 100)
    assert all(few <= many for few, many in zip(thin, counts, strict=True))
    share = sum(thin) / max(sum(counts), 1)
    for upto, cut in zip(accumulate(counts), accumulate(thin), strict=True):
        assert cut == pytest.approx(share * upto, abs=1.0)
