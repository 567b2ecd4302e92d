"""How good the predictions were: what `/accuracy` and `/accuracy/days` answer."""

from datetime import date

from serve_app.schemas.answers import Answer


class Skill(Answer):
    """Point accuracy and interval quality over the resolved predictions, in points."""

    mae: float
    rmse: float
    crps: float
    coverage: float
    width: float
    interval_score: float


class DriftAlarm(Answer):
    """Whether outcomes still fall where the calibrated forecasts at 6:00 say they do.

    `location` and `spread` are bets against the calibration: what a stake of 1 has become by
    outcomes that lie too high or too low, and by intervals that are too narrow or too wide.
    `raised` says that one of them ever reached 100.
    """

    games: int
    location: float
    spread: float
    highest: float
    raised: bool


class Accuracy(Answer):
    """How the resolved predictions did, beside the baseline, at their own intervals."""

    resolved: int
    predicted: int
    drift_alarm: DriftAlarm
    coverage_target: float | None = None
    ensemble: Skill | None = None
    persistence: Skill | None = None


class AccuracyDay(Answer):
    """How the resolved predictions of one game day did, beside the baseline.

    `coverage_target` is the mean of what their intervals promise.
    """

    day: date
    resolved: int
    coverage_target: float
    ensemble: Skill
    persistence: Skill


class LevelCalibration(Answer):
    """The share of outcomes below the predicted quantile of a level, which it should be.

    An outcome that is equal to the quantile counts half.
    """

    level: float
    observed: float
    predictions: int


class AccuracyDays(Answer):
    """The accuracy of each game day, oldest first, and the calibration over all of these days."""

    days: list[AccuracyDay]
    calibration: list[LevelCalibration]
