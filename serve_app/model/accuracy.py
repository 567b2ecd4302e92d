"""How the resolved predictions did, beside persistence, and whether they can still be trusted."""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from models.calibration.adaptation import Adaptation
from models.calibration.alarm import drift_alarm
from models.game.game_state import GameState
from models.game.pattern import PATTERN_MINUTES
from models.metrics import Scores, score, share_below
from models.training.bundle import Bundle
from serve_app.schemas import (
    Accuracy,
    AccuracyDay,
    AccuracyDays,
    DriftAlarm,
    LevelCalibration,
    Skill,
)
from serve_app.storage.resolved import DatedPrediction, ResolvedPrediction
from serve_app.storage.store import Store

MOST_DAYS = 1_000
NEWEST_DAYS = 400  # more than two seasons


def accuracy(store: Store, bundle: Bundle, adaptation: Adaptation) -> Accuracy:
    """MAE, RMSE, CRPS, coverage, width and interval score over what has been resolved.

    The drift alarm is of the bundle in service and of the games that it has learned.
    """
    resolved = store.predictions.resolved()
    predicted, alarm = store.predictions.count(), _alarm(adaptation)
    if not resolved:
        return Accuracy(resolved=0, predicted=predicted, drift_alarm=alarm)
    found = _compare(resolved, bundle)
    return Accuracy(
        resolved=len(resolved),
        predicted=predicted,
        drift_alarm=alarm,
        coverage_target=found.coverage_target,
        ensemble=found.ensemble,
        persistence=found.persistence,
    )


def accuracy_days(
    store: Store,
    bundle: Bundle,
    since: datetime.date | None = None,
    until: datetime.date | None = None,
    *,
    limit: int = NEWEST_DAYS,
) -> AccuracyDays:
    """What `accuracy` tells, by the day of the game, and the calibration over all these days.

    They are the newest `limit` days with predictions from `since` to `until`, both included.
    """
    dated = store.predictions.resolved_by_day(
        since or datetime.date.min, until or datetime.date.max, most_days=limit
    )
    days = groupby(dated, key=lambda one: one.day)
    return AccuracyDays(
        days=[_of_day(day, list(of_day), bundle) for day, of_day in days],
        calibration=_calibration(dated),
    )


def _of_day(day: datetime.date, resolved: Sequence[DatedPrediction], bundle: Bundle) -> AccuracyDay:
    found = _compare(resolved, bundle)
    return AccuracyDay(
        day=day,
        resolved=len(resolved),
        coverage_target=found.coverage_target,
        ensemble=found.ensemble,
        persistence=found.persistence,
    )


def _calibration(dated: Sequence[DatedPrediction]) -> list[LevelCalibration]:
    """Outcomes against the predicted quantiles, level by level; a prediction may have none."""
    pairs: defaultdict[float, list[tuple[float, float]]] = defaultdict(list)
    for one in dated:
        for level, quantile in one.quantiles.items():
            pairs[float(level)].append((quantile, one.actual))
    return [
        LevelCalibration(
            level=level,
            observed=share_below(*zip(*pairs[level], strict=True)),
            predictions=len(pairs[level]),
        )
        for level in sorted(pairs)
    ]


def _alarm(adaptation: Adaptation) -> DriftAlarm:
    alarm = drift_alarm(adaptation.levels("halftime", PATTERN_MINUTES))
    return DriftAlarm(
        games=alarm.games,
        location=alarm.location,
        spread=alarm.spread,
        highest=alarm.highest,
        raised=alarm.raised,
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """The skill of some predictions, at least one, beside that of the baseline."""

    coverage_target: float
    ensemble: Skill
    persistence: Skill


def _compare(resolved: Sequence[ResolvedPrediction], bundle: Bundle) -> _Compared:
    actual = [row.actual for row in resolved]
    alphas = [1.0 - row.coverage_probability for row in resolved]
    ensemble = score(
        [row.point for row in resolved],
        [row.lower for row in resolved],
        [row.upper for row in resolved],
        actual,
        alphas,
    )
    return _Compared(
        coverage_target=sum(row.coverage_probability for row in resolved) / len(resolved),
        ensemble=_skill(ensemble),
        persistence=_skill(_persistence(resolved, actual, alphas, bundle)),
    )


def _persistence(
    resolved: Sequence[ResolvedPrediction],
    actual: Sequence[float],
    alphas: Sequence[float],
    bundle: Bundle,
) -> Scores:
    """The baseline: the margin at 6:00 stays, with the interval its own errors ask for."""
    trigger = GameState.of_pattern([0.0] * PATTERN_MINUTES)
    errors = bundle.persistence.distribution("halftime", trigger, 0.0)
    # As wide around one margin as around another: a log has few alphas and many margins.
    intervals = {alpha: errors.interval(alpha) for alpha in set(alphas)}
    margins = [row.margin for row in resolved]
    lower = [margin + intervals[alpha][0] for margin, alpha in zip(margins, alphas, strict=True)]
    upper = [margin + intervals[alpha][1] for margin, alpha in zip(margins, alphas, strict=True)]
    return score(margins, lower, upper, actual, alphas)


def _skill(scores: Scores) -> Skill:
    return Skill(
        mae=scores.mae,
        rmse=scores.rmse,
        crps=scores.crps,
        coverage=scores.coverage,
        width=scores.width,
        interval_score=scores.interval_score,
    )
