"""The export of a process's tally through Ray's metrics, which Prometheus reads.

Ray sums the metrics of all processes of a machine in its dashboard agent.
"""

from collections.abc import Iterable, Iterator, Sequence

from ray.util.metrics import Counter, Gauge, Histogram

from serve_app.system.metrics import METRICS, Labels, Metric, Process
from serve_app.system.tally import Drained

# Ray takes histograms value by value, and its agent takes each of them up one by one again. Beyond
# so many in one export a histogram keeps its shape, but no longer counts all.
MOST_VALUES = 100


class RayMetrics:
    """The metrics of one kind of process; its counters are there from the beginning, at 0.

    A counter that only comes into being with its first event shows Prometheus no increase.
    """

    def __init__(self, process: Process) -> None:
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for metric in METRICS:
            if process in metric.told_by:
                self._add(metric)

    def _add(self, metric: Metric) -> None:
        labels = tuple(metric.labels)
        if metric.kind == "gauge":
            self._gauges[metric] = Gauge(metric.name, metric.help, labels)
        elif metric.kind == "histogram":
            buckets = list(metric.buckets)
            self._histograms[metric] = Histogram(metric.name, metric.help, buckets, labels)
        else:
            counter = self._counters[metric] = Counter(metric.name, metric.help, labels)
            for values in metric.label_values():
                counter._record(0.0, _tags(metric, values))  # `inc` refuses a zero

    def record(self, drained: Drained) -> None:
        """Hand on what a tally has drained."""
        for (metric, labels), by in drained.counters.items():
            self._counters[metric].inc(by, _tags(metric, labels))
        for (metric, labels), value in drained.gauges.items():
            self._gauges[metric].set(value, _tags(metric, labels))
        for (metric, labels), counts in drained.histograms.items():
            histogram, tags = self._histograms[metric], _tags(metric, labels)
            for value in _values(metric.buckets, thinned(counts, MOST_VALUES)):
                histogram.observe(value, tags)


def _tags(metric: Metric, labels: Labels) -> dict[str, str]:
    return dict(zip(metric.labels, labels, strict=True))


def thinned(counts: Sequence[int], most: int) -> list[int]:
    """At most `most` of these counts, as evenly drawn from all buckets as whole numbers can be."""
    total = sum(counts)
    if total <= most:
        return list(counts)
    seen, kept, thin = 0, 0, []
    for count in counts:
        seen += count
        upto = seen * most // total
        thin.append(upto - kept)
        kept = upto
    return thin


def _values(buckets: Sequence[float], counts: Iterable[int]) -> Iterator[float]:
    """One value inside its bucket for each count; which one does not matter to Ray's export."""
    for bucket, count in enumerate(counts):
        value = buckets[bucket] if bucket < len(buckets) else 2.0 * buckets[-1]
        yield from [value] * count
