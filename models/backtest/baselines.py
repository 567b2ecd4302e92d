"""The baselines: what a forecast has to beat, each learnt from earlier seasons alone.

Those with a margin have normal predictive distributions. Their standard deviation is that of the
residuals at the same minute over the last `SPREAD_SEASONS` of the earlier seasons: more recent
than all of them, which makes the stronger baseline, for the spread of margins grew.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from models.backtest.forecasts import Forecasts
from models.backtest.sample import Sample
from models.game.pattern import FloatArray

RIDGE_PENALTY = 1000.0
BOOSTING = MappingProxyType(
    {
        "max_iter": 60,
        "learning_rate": 0.1,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 200,
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": 0,
    }
)
# How many minutes back the changes reach that boosting sees.
CHANGE_MINUTES = (1, 2, 4, 8)

Baseline = Callable[[Sample, Sample], Forecasts]


def persistence(earlier: Sample, test: Sample) -> Forecasts:
    """The margin stays."""
    spread = root_mean_square(earlier.increment[earlier.recent()])
    return Forecasts.gaussian(test.states.present, spread, test.actual, final=test.final)


def ridge(earlier: Sample, test: Sample) -> Forecasts:
    """Ridge regression of the increment on the margin at every minute and the expected margin."""
    features = _path_features(earlier)
    model = Ridge(alpha=RIDGE_PENALTY).fit(features, earlier.increment)
    return _regressed(earlier, model.predict(features), test, model.predict(_path_features(test)))


def boosting(earlier: Sample, test: Sample) -> Forecasts:
    """Gradient-boosted trees for the increment: margin, expected margin and the last changes."""
    features = _change_features(earlier)
    model = HistGradientBoostingRegressor(**BOOSTING).fit(features, earlier.increment)
    return _regressed(earlier, model.predict(features), test, model.predict(_change_features(test)))


def logistic(earlier: Sample, test: Sample) -> Forecasts:
    """Win probability by logistic regression on margin and expected margin; no margin itself."""
    model = LogisticRegression(C=1e6).fit(_two_features(earlier), earlier.actual > 0)
    return Forecasts.of_win_probability(model.predict_proba(_two_features(test))[:, 1])


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {"persistence": persistence, "ridge": ridge, "boosting": boosting}
)


def _regressed(
    earlier: Sample, fitted: FloatArray, test: Sample, predicted: FloatArray
) -> Forecasts:
    """Present margin plus predicted increment, with the spread of the fit's own residuals."""
    recent = earlier.recent()
    spread = root_mean_square((earlier.increment - fitted)[recent])
    return Forecasts.gaussian(
        test.states.present + predicted, spread, test.actual, final=test.final
    )


def root_mean_square(values: FloatArray) -> float:
    """The spread of residuals around a forecast, in points."""
    return float(np.sqrt(np.mean(values**2)))


def _path_features(sample: Sample) -> FloatArray:
    return np.column_stack((sample.states.paths[:, 1:], sample.states.expected))


def _two_features(sample: Sample) -> FloatArray:
    return np.column_stack((sample.states.present, sample.states.expected))


def _change_features(sample: Sample) -> FloatArray:
    paths = sample.states.paths
    changes = [
        paths[:, -1] - paths[:, -1 - back]
        for back in CHANGE_MINUTES
        if back <= sample.states.minute
    ]
    return np.column_stack((_two_features(sample), *changes))
