"""The report of a replay: was every game predicted once, from the right pattern, and how well."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from serve_app.replay.agreement import (
    ForecastQuality,
    Logged,
    PatternAgreement,
    PredictionCounts,
    compare_patterns,
    count_predictions,
    judge_forecasts,
)
from serve_app.replay.delivery import DeliveryLog
from serve_app.replay.offline import OfflineAgreement, compare_offline
from serve_app.replay.tally import Tally
from serve_app.replay.traffic import Traffic, measure_traffic
from serve_app.replay.truth import GameTruth


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a replay found."""

    selection: str
    predictions: PredictionCounts
    patterns: PatternAgreement
    quality: ForecastQuality
    offline: OfflineAgreement | None
    traffic: Traffic
    noise: dict[str, int]

    def failures(self) -> list[str]:
        """What did not hold, in words; empty where every game was predicted once and rightly."""
        found = {
            "games without a prediction": self.predictions.missing,
            "games predicted more than once": self.predictions.doubled,
            "games whose answers and log disagree": self.predictions.answers_disagree,
            "games with a pattern that nothing explains": self.patterns.unexplained,
            "games with a wrong outcome": self.quality.outcomes_wrong,
            "games forecast otherwise than offline": self.offline.differing if self.offline else [],
        }
        return [f"{len(games)} {what}: {_some(games)}" for what, games in found.items() if games]

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {**asdict(self), "failures": self.failures()}


def build_report(
    selection: str,
    truths: Sequence[GameTruth],
    logged: Logged,
    *,
    tally: Tally,
    log: DeliveryLog,
    seconds: float,
    bundle: Path | None = None,
) -> Report:
    """The report over all games that were played; `bundle` adds the offline comparison."""
    noise: Counter[str] = Counter()
    for truth in truths:
        noise.update(truth.noise)
    return Report(
        selection=selection,
        predictions=count_predictions(truths, logged, tally),
        patterns=compare_patterns(truths, logged),
        quality=judge_forecasts(truths, logged),
        offline=None if bundle is None else compare_offline(bundle, truths, logged),
        traffic=measure_traffic(tally, log, seconds),
        noise=dict(noise),
    )


def _some(games: Sequence[str], most: int = 5) -> str:
    return ", ".join(games[:most]) + (", ..." if len(games) > most else "")
