"""How the resolved predictions did, beside persistence, and whether they can still be trusted."""

from models.calibration.adaptation import Adaptation
from models.calibration.alarm import drift_alarm
from models.game.game_state import GameState
from models.game.pattern import PATTERN_MINUTES
from models.metrics import Scores, score
from models.training.bundle import Bundle
from serve_app.schemas import Accuracy, DriftAlarm, Skill
from serve_app.storage.predictions import ResolvedPrediction
from serve_app.storage.store import Store


def accuracy(store: Store, bundle: Bundle, adaptation: Adaptation) -> Accuracy:
    """MAE, RMSE, CRPS, coverage, width and interval score over what has been resolved.

    The drift alarm is of the bundle in service and of the games that it has learned.
    """
    resolved = store.predictions.resolved()
    predicted, alarm = store.predictions.count(), _alarm(adaptation)
    if not resolved:
        return Accuracy(resolved=0, predicted=predicted, drift_alarm=alarm)
    actual = [row.actual for row in resolved]
    alphas = [1.0 - row.coverage_probability for row in resolved]
    ensemble = score(
        [row.point for row in resolved],
        [row.lower for row in resolved],
        [row.upper for row in resolved],
        actual,
        alphas,
    )
    return Accuracy(
        resolved=len(resolved),
        predicted=predicted,
        drift_alarm=alarm,
        coverage_target=sum(row.coverage_probability for row in resolved) / len(resolved),
        ensemble=_skill(ensemble),
        persistence=_skill(_persistence(resolved, actual, alphas, bundle)),
    )


def _alarm(adaptation: Adaptation) -> DriftAlarm:
    alarm = drift_alarm(adaptation.levels("halftime", PATTERN_MINUTES))
    return DriftAlarm(
        games=alarm.games,
        location=alarm.location,
        spread=alarm.spread,
        highest=alarm.highest,
        raised=alarm.raised,
    )


def _persistence(
    resolved: list[ResolvedPrediction], actual: list[float], alphas: list[float], bundle: Bundle
) -> Scores:
    """The baseline: the margin at 6:00 stays, with the interval its own errors ask for."""
    trigger = GameState.of_pattern([0.0] * PATTERN_MINUTES)
    margins = [row.margin for row in resolved]
    intervals = [
        bundle.persistence.distribution("halftime", trigger, margin).interval(alpha)
        for margin, alpha in zip(margins, alphas, strict=True)
    ]
    lower, upper = [low for low, _ in intervals], [high for _, high in intervals]
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
