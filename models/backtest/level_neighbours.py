"""Level neighbours: the first published Dejavu, kept to compare with.

Each path is z-normalised, the 500 most similar ones of the past are found, and the forecast is the
median of their halftime *levels*. Normalising takes the margin itself away, which costs more than
a fifth of accuracy against the margin staying. `original` mixes it 40 to 60 with the LSTM.
"""

import faiss
import numpy as np
import numpy.typing as npt

from models.backtest.baselines import root_mean_square
from models.backtest.forecasts import Forecasts
from models.backtest.sample import Sample
from models.forecasters.ensemble import Ensemble
from models.game.pattern import FloatArray

NEIGHBOURS = 500
# A path of one or two minutes has no shape of its own once it is normalised.
FIRST_MINUTE = 3
_FLAT = 1e-9


def level_neighbours(
    library: Sample, queries: Sample, *, neighbours: int = NEIGHBOURS
) -> FloatArray:
    """Forecast margins (n,) at the horizon of the queries, which must not be in the library."""
    found = min(neighbours, len(library.states))
    points = _z_normalised(library.states.paths[:, 1:])
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points)
    _, rows = index.search(_z_normalised(queries.states.paths[:, 1:]), found)
    return np.median(library.actual[rows], axis=1)


def original(levels: FloatArray, lstm: FloatArray) -> FloatArray:
    """The 40/60 mix (n,) of level neighbours and LSTM, in points."""
    return Ensemble.from_weights("original").combine(levels, lstm)


def spread_forecasts(point: FloatArray, reference_error: FloatArray, test: Sample) -> Forecasts:
    """Normal distributions around points (n,), as wide as the errors (m,) of an earlier season."""
    return Forecasts.gaussian(
        point, root_mean_square(reference_error), test.actual, final=test.final
    )


def _z_normalised(paths: FloatArray) -> npt.NDArray[np.float32]:
    spread = paths.std(axis=1, keepdims=True)
    centred = paths - paths.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(
        np.where(spread > _FLAT, centred / np.maximum(spread, _FLAT), 0.0), dtype=np.float32
    )
