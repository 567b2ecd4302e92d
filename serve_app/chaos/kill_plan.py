"""The plan of a chaos run: which kind is killed when, from a seed and nothing else."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from serve_app.chaos.kill_kind import KillKind

LEAST_OF_A_KIND = 4
SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKill:
    """One kill to come.

    `pause_seconds` is waited once the service is whole again after the kill before; `choice`, from
    0 to below 1, says which of the processes of the kind it is.
    """

    kind: KillKind
    pause_seconds: float
    choice: float

    def victims(self, processes: Sequence[int]) -> Sequence[int]:
        """Those of `processes` (at least one) that are to be killed."""
        if self.kind.together:
            return processes
        return [processes[int(self.choice * len(processes))]]


def plan_kills(kinds: Sequence[KillKind], kills: int, *, seed: int) -> list[PlannedKill]:
    """So many kills in random order, shared out by the weights of the kinds.

    Each kind comes at least `LEAST_OF_A_KIND` times, or its equal share where there are too few
    kills for that. The same arguments give the same plan.

    Raises ValueError where there is no kind or a negative number of kills.
    """
    if not kinds or kills < 0:
        raise ValueError(f"expected at least one kind and kills from 0; got {len(kinds)}, {kills}")
    random_numbers = random.Random(seed)  # noqa: S311 - a plan, no secret
    chosen = [
        kind for kind, share in zip(kinds, _shares(kinds, kills), strict=True) for _ in range(share)
    ]
    random_numbers.shuffle(chosen)
    return [
        PlannedKill(
            kind=kind,
            pause_seconds=random_numbers.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
            choice=random_numbers.random(),
        )
        for kind in chosen
    ]


def _shares(kinds: Sequence[KillKind], kills: int) -> list[int]:
    """How many kills each kind gets: its least, then by largest remainder of its weight."""
    least = min(LEAST_OF_A_KIND, kills // len(kinds))
    total = sum(kind.weight for kind in kinds)
    wanted = [max(least, kills * kind.weight / total) for kind in kinds]
    shares = [max(least, int(want)) for want in wanted]
    while (off := kills - sum(shares)) != 0:
        gaps = [want - share for want, share in zip(wanted, shares, strict=True)]
        if off > 0:
            shares[gaps.index(max(gaps))] += 1
        else:
            above = [
                gap if share > least else float("inf")
                for gap, share in zip(gaps, shares, strict=True)
            ]
            shares[above.index(min(above))] -= 1
    return shares
