"""How the resolved predictions did, beside persistence with a calibrated interval of its own."""

from models.bundle import Bundle
from models.metrics import Scores, score
from serve_app.schemas import Accuracy, Skill
from serve_app.store import ResolvedPrediction, Store


def accuracy(store: Store, bundle: Bundle) -> Accuracy:
    """MAE, RMSE, CRPS, coverage, width and interval score over what has been resolved."""
    resolved = store.resolved_predictions()
    counts = {"resolved": len(resolved), "predicted": store.count_predictions()}
    if not resolved:
        return Accuracy(**counts)
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
        **counts,
        coverage_target=sum(row.coverage_probability for row in resolved) / len(resolved),
        ensemble=_skill(ensemble),
        persistence=_skill(_persistence(resolved, actual, alphas, bundle)),
    )


def _persistence(
    resolved: list[ResolvedPrediction], actual: list[float], alphas: list[float], bundle: Bundle
) -> Scores:
    """The baseline: the margin at 6:00 stays, with the interval its own errors ask for."""
    margins = [row.margin for row in resolved]
    intervals = [
        bundle.persistence.interval(margin, alpha)
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
