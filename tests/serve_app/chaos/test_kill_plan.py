from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.chaos.kill_kind import KINDS, WHOLE_SERVICE, KillKind, roster_of
from serve_app.chaos.kill_plan import LEAST_OF_A_KIND, PlannedKill, plan_kills
from tests.serve_app.chaos.conftest import PROXY, SHARD


def counts(plan: list[PlannedKill]) -> Counter[str]:
    return Counter(planned.kind.name for planned in plan)


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    assert plan_kills(KINDS, 200, seed=7) == plan_kills(KINDS, 200, seed=7)
    assert plan_kills(KINDS, 200, seed=7) != plan_kills(KINDS, 200, seed=8)


def test_two_hundred_kills_are_shared_out_by_weight_and_each_kind_comes():
    found = counts(plan_kills(KINDS, 200, seed=7))
    assert set(found) == {kind.name for kind in KINDS}
    assert min(found.values()) >= LEAST_OF_A_KIND
    assert found.most_common(2)[0][0] == "shard"
    assert 5 <= found[WHOLE_SERVICE] <= 8


kinds = st.lists(
    st.builds(
        KillKind,
        name=st.uuids().map(str),
        titles=st.just(("t",)),
        weight=st.floats(0.1, 100.0),
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda kind: kind.name,
)


@given(kinds=kinds, kills=st.integers(0, 300), seed=st.integers())
def test_every_plan_has_its_kills_and_none_is_left_out(
    kinds: list[KillKind], kills: int, seed: int
):
    found = counts(plan_kills(kinds, kills, seed=seed))
    assert found.total() == kills
    assert all(found[kind.name] >= min(LEAST_OF_A_KIND, kills // len(kinds)) for kind in kinds)


@pytest.mark.parametrize(("some", "kills"), [((), 3), (KINDS, -1)])
def test_a_plan_of_nothing_is_refused(some: tuple[KillKind, ...], kills: int):
    with pytest.raises(ValueError, match="expected at least one kind"):
        plan_kills(some, kills, seed=7)


@pytest.mark.parametrize(("choice", "victim"), [(0.0, 5), (0.49, 5), (0.5, 9), (0.999, 9)])
def test_one_process_of_a_kind_is_chosen(choice: float, victim: int):
    assert list(PlannedKill(kind=SHARD, pause_seconds=1, choice=choice).victims([5, 9])) == [victim]


def test_a_kind_that_dies_together_dies_together():
    assert list(PlannedKill(kind=PROXY, pause_seconds=1, choice=0.0).victims([5, 9])) == [5, 9]


def test_processes_are_told_apart_by_their_titles():
    titles = {
        9: "ray::ShardActor",
        5: "ray::ShardActor.call",
        6: "ray::game-shard-0-of-2:ShardActor.__init__",
        7: "ray::ServeReplica:forecaster:Ingress",
        8: "ray::ServeReplica:forecaster:Ingress.initialize_and_get_metadata",
        10: "ray::HAProxyManager",
        11: "ray::ProxyActor",
        12: "ray::IDLE",
        13: "python -m serve_app.process.server",
    }
    assert roster_of(titles) == {
        "shard": [5, 9],
        "ingress replica": [7],
        "proxy actor": [10, 11],
    }
