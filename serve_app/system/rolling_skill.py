"""How the newest resolved predictions did: what a dashboard and an alarm need at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from serve_app.storage.resolved import ResolvedPrediction

NEWEST = 200  # two or three weeks of a season


@dataclass(frozen=True, slots=True)
class RollingSkill:
    """Over `predictions` games: mean absolute errors in points, coverage and its target."""

    predictions: int
    mae: float
    persistence_mae: float
    coverage: float
    coverage_target: float


def rolling_skill(resolved: Sequence[ResolvedPrediction]) -> RollingSkill | None:
    """The skill of these; None where there is none."""
    if not resolved:
        return None
    return RollingSkill(
        predictions=len(resolved),
        mae=fmean(abs(row.actual - row.point) for row in resolved),
        persistence_mae=fmean(abs(row.actual - row.margin) for row in resolved),
        coverage=fmean(row.lower <= row.actual <= row.upper for row in resolved),
        coverage_target=fmean(row.coverage_probability for row in resolved),
    )
