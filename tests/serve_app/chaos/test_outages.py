import pytest

from serve_app.chaos.kill_kind import KillKind
from serve_app.chaos.ledger import Span
from serve_app.chaos.outages import Kill, longest_waits, outages_by_kind
from tests.serve_app.chaos.conftest import PROXY, SHARD


def kill(at: float, kind: KillKind = SHARD) -> Kill:
    return Kill(kind=kind, at=at, whole_at=at + 2.0, processes=(1,))


@pytest.mark.parametrize(
    ("spans", "waited"),
    [
        ([], 0.0),
        ([(1.0, 2.0)], 0.0),  # over before the kill
        ([(9.0, 10.5)], 0.5),  # under way: from the kill on
        ([(11.0, 13.0)], 2.0),  # sent after it: from the sending on
        ([(9.0, 10.5), (11.0, 13.0), (12.0, 12.1)], 2.0),
        ([(9.0, 30.0)], 10.0),  # beyond the next kill it counts for that one
    ],
)
def test_the_outage_is_the_longest_wait_for_an_acknowledgement(
    spans: list[tuple[float, float]], waited: float
):
    first, _ = longest_waits([kill(10.0), kill(20.0)], [Span(*span) for span in spans])
    assert first == waited


def test_a_wait_over_several_kills_is_shared_out():
    kills = [kill(10.0), kill(20.0), kill(23.0)]
    assert longest_waits(kills, [Span(12.0, 24.0)]) == [8.0, 3.0, 1.0]


def test_outages_are_told_by_kind_with_their_goals():
    kills = [kill(10.0), kill(20.0, PROXY), kill(30.0), kill(40.0)]
    spans = [Span(10.0, 11.0), Span(20.0, 27.0), Span(30.0, 32.5), Span(40.0, 41.0)]
    shard, proxy = outages_by_kind(kills, spans, feed_gaps=[Span(21.0, 25.0)])
    assert (shard.kind, shard.kills, shard.median, shard.longest) == ("shard", 3, 1.0, 2.5)
    assert (shard.goal, shard.within_goal, shard.feed_longest) == (2.0, False, 0.0)
    assert (proxy.kills, proxy.longest, proxy.goal, proxy.within_goal) == (1, 7.0, None, None)
    assert (proxy.feed_longest, proxy.recovery_median) == (4.0, 2.0)
