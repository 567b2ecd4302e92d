"""A tally: what one process counts, measures and times, in plain numbers, until it is exported.

Ray's own metric objects cost some ten microseconds a record; a tally costs less than one, so that
what is hot may use it for every update. It knows nothing of Ray.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

from serve_app.system.metrics import Labels, Metric

Series = tuple[Metric, Labels]


@dataclass(frozen=True, slots=True)
class Drained:
    """What has come together since the last time: sums, newest values, counts by bucket."""

    counters: dict[Series, float] = field(default_factory=dict)
    gauges: dict[Series, float] = field(default_factory=dict)
    histograms: dict[Series, list[int]] = field(default_factory=dict)


class Tally:
    """Counts for one process; labels are given by value, in the order of the metric's."""

    def __init__(self) -> None:
        self._counters: defaultdict[Series, float] = defaultdict(float)
        self._gauges: dict[Series, float] = {}
        self._histograms: dict[Series, list[int]] = {}

    def count(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Add to a counter."""
        self._counters[metric, labels] += by

    def set(self, metric: Metric, value: float | None, *labels: str) -> None:
        """Say how high a gauge stands; None where that is not known (it is not exported then)."""
        if value is None:
            self._gauges.pop((metric, labels), None)
        else:
            self._gauges[metric, labels] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Note one value of a histogram."""
        counts = self._histograms.get((metric, labels))
        if counts is None:
            counts = self._histograms[metric, labels] = [0] * (len(metric.buckets) + 1)
        counts[bisect_left(metric.buckets, value)] += 1

    def drain(self) -> Drained:
        """What has come together since the last call; gauges stay as they are."""
        drained = Drained(dict(self._counters), dict(self._gauges), self._histograms)
        self._counters.clear()
        self._histograms = {}
        return drained
