"""Rolling origin: every season forecast by models that saw earlier seasons only."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from models.bundle import Bundle
from models.conformal import ConformalInterval
from models.games import HALFTIME_MINUTE, BoolArray, GameTable
from models.metrics import PairedDifference, Scores, paired_difference, score
from models.pattern import PATTERN_MINUTES, FloatArray
from models.strength import expected_margins
from models.training import TrainingPlan, dejavu_margins, train_bundle

RIDGE_PENALTY = 1000.0
FORECASTS = ("persistence", "ridge", "dejavu", "lstm", "ensemble")
LEVELS = (0.05, 0.2)


@dataclass(frozen=True, slots=True)
class SeasonResult:
    """One test season: by name of the forecast its points (n,) and half widths by alpha."""

    season: int
    bundle: Bundle
    actual: FloatArray
    points: dict[str, FloatArray]
    half_widths: dict[str, dict[float, float]]


def forecast_season(
    games: GameTable,
    season: int,
    plan: TrainingPlan,
    progress: Callable[[str], None] = lambda _: None,
) -> SeasonResult:
    """Train on the seasons before `season` as `scripts/train.py` does, and forecast it.

    Expected margins are walk-forward: within the season they learn from earlier dates.
    """
    earlier = [present for present in games.seasons() if present < season]
    until = earlier[-1] if earlier else season
    bundle = train_bundle(games, until, plan=plan, device="cpu", progress=progress).bundle
    games = games.select(games.season <= season)
    expected = expected_margins(games, plan.ratings)
    halves = games.margins[:, :HALFTIME_MINUTE].astype(np.float64)
    patterns, actual = halves[:, :PATTERN_MINUTES], halves[:, -1]
    test = games.season == season
    calibration = np.isin(games.season, bundle.split.calibration)

    ridge, ridge_interval = _ridge(patterns, expected, actual, test, calibration)
    dejavu = dejavu_margins(bundle.dejavu, patterns[test], expected[test])
    lstm = bundle.load_lstm("cpu").forecast(patterns[test], expected[test])
    points = {
        "persistence": patterns[test, -1],
        "ridge": ridge,
        "dejavu": dejavu,
        "lstm": lstm,
        "ensemble": bundle.ensemble.combine(dejavu, lstm),
    }
    intervals = {
        "persistence": bundle.persistence,
        "ridge": ridge_interval,
        "ensemble": bundle.conformal,
        **_model_intervals(bundle, patterns, expected, actual, calibration),
    }
    return SeasonResult(
        season,
        bundle,
        actual[test],
        points,
        {
            name: {level: intervals[name].half_width(level) for level in LEVELS}
            for name in FORECASTS
        },
    )


def _ridge(
    patterns: FloatArray,
    expected: FloatArray,
    actual: FloatArray,
    test: BoolArray,
    calibration: BoolArray,
) -> tuple[FloatArray, ConformalInterval]:
    """The baseline: a ridge on the 18 margins and the expected margin, for the increment.

    It learns from all earlier seasons, more than the ensemble's parts may; only its interval comes
    from a fit without the calibration seasons.
    """
    features = np.column_stack([patterns, expected])
    increments = actual - patterns[:, -1]

    def forecast(rows: BoolArray, of: BoolArray) -> FloatArray:
        model = Ridge(alpha=RIDGE_PENALTY).fit(features[rows], increments[rows])
        return np.asarray(patterns[of, -1] + model.predict(features[of]), dtype=np.float64)

    interval = ConformalInterval.fit(
        forecast(~test & ~calibration, calibration), actual[calibration]
    )
    return forecast(~test, test), interval


def _model_intervals(
    bundle: Bundle,
    patterns: FloatArray,
    expected: FloatArray,
    actual: FloatArray,
    calibration: BoolArray,
) -> dict[str, ConformalInterval]:
    """Intervals of the two models on their own, calibrated on the ensemble's seasons."""
    chosen = (patterns[calibration], expected[calibration])
    return {
        "dejavu": ConformalInterval.fit(
            dejavu_margins(bundle.dejavu, *chosen), actual[calibration]
        ),
        "lstm": ConformalInterval.fit(
            bundle.load_lstm("cpu").forecast(*chosen), actual[calibration]
        ),
    }


def scores(results: Sequence[SeasonResult], name: str, alpha: float) -> Scores:
    """The scores of one forecast over the seasons given, at one miscoverage level."""
    half_width = np.concatenate(
        [np.full(len(result.actual), result.half_widths[name][alpha]) for result in results]
    )
    point = _points(results, name)
    return score(point, point - half_width, point + half_width, _actual(results), alpha)


def difference(results: Sequence[SeasonResult], name: str, other: str) -> PairedDifference:
    """How much larger the absolute error of one forecast is than that of another."""
    return paired_difference(_points(results, name), _points(results, other), _actual(results))


def report(results: Sequence[SeasonResult]) -> dict[str, Any]:
    """Every number of the tables as plain data: over all, per season, and paired differences."""
    return {
        "all": _all_scores(results),
        "seasons": {str(result.season): _all_scores([result]) for result in results},
        "paired": {
            other: {name: asdict(difference(results, name, other)) for name in FORECASTS}
            for other in ("persistence", "ridge")
        },
        "ensemble_weights": {
            str(result.season): asdict(result.bundle.ensemble) for result in results
        },
    }


def _all_scores(results: Sequence[SeasonResult]) -> dict[str, Any]:
    return {
        name: {f"alpha {alpha:g}": asdict(scores(results, name, alpha)) for alpha in LEVELS}
        for name in FORECASTS
    }


def _points(results: Sequence[SeasonResult], name: str) -> FloatArray:
    return np.concatenate([result.points[name] for result in results])


def _actual(results: Sequence[SeasonResult]) -> FloatArray:
    return np.concatenate([result.actual for result in results])
