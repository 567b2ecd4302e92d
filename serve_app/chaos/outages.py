"""How long a scraper waited because something was killed."""

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serve_app.chaos.kill_kind import KillKind
from serve_app.chaos.ledger import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill that happened.

    `at` and `whole_at` are monotonic seconds: the signal, and when the service answered again with
    all its processes. `processes` are those that were killed.
    """

    kind: KillKind
    at: float
    whole_at: float
    processes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOutages:
    """The outages by one kind of kill, in seconds; `feed_longest` is that of the live feed.

    `recovery_median` is the time until every process was back.
    """

    kind: str
    kills: int
    median: float
    longest: float
    goal: float | None
    recovery_median: float
    feed_longest: float

    @property
    def within_goal(self) -> bool | None:
        """Whether the longest outage is within the goal; None without one."""
        return None if self.goal is None else self.longest <= self.goal


def longest_waits(kills: Sequence[Kill], spans: Iterable[Span]) -> list[float]:
    """The outage of each kill in seconds, 0 where no update was under way.

    Of the updates that were under way at the kill, or first sent after it and before the next one,
    it is the longest time from the kill, or from the first sending where that was later, to the
    acknowledgement. What an update waited beyond the next kill counts for that one. The kills are
    in order of time.
    """
    moments = [kill.at for kill in kills]
    longest = [0.0] * len(kills)
    for span in spans:
        first = max(bisect_right(moments, span.first_sent) - 1, 0)
        for place in range(first, len(kills)):
            begun = moments[place]
            if begun > span.acknowledged:
                break
            ended = moments[place + 1] if place + 1 < len(moments) else span.acknowledged
            waited = min(span.acknowledged, ended) - max(span.first_sent, begun)
            longest[place] = max(longest[place], waited)
    return longest


def outages_by_kind(
    kills: Sequence[Kill], spans: Iterable[Span], feed_gaps: Iterable[Span] = ()
) -> list[KindOutages]:
    """The outages of every kind that was killed, in the order in which the kinds came first.

    `feed_gaps` are the times in which a watcher of the live feed had lost it.
    """
    waits = longest_waits(kills, spans)
    feed = longest_waits(kills, feed_gaps)
    kinds = list(dict.fromkeys(kill.kind for kill in kills))
    found = []
    for kind in kinds:
        places = [place for place, kill in enumerate(kills) if kill.kind is kind]
        found.append(
            KindOutages(
                kind=kind.name,
                kills=len(places),
                median=statistics.median(waits[place] for place in places),
                longest=max(waits[place] for place in places),
                goal=kind.goal_seconds,
                recovery_median=statistics.median(
                    kills[place].whole_at - kills[place].at for place in places
                ),
                feed_longest=max(feed[place] for place in places),
            )
        )
    return found
