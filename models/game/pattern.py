"""Margin patterns: home − away in points at the end of game minutes 1, 2, 3 and so on."""

import numpy as np
import numpy.typing as npt

from models.game.league import NBA

PATTERN_MINUTES = NBA.pattern_minutes
MAX_MARGIN = 100.0

FloatArray = npt.NDArray[np.float64]


def origin_shifted(patterns: FloatArray) -> FloatArray:
    """Paths (n, m) seen from the present: each margin minus the last one of its pattern."""
    return patterns - patterns[:, -1:]
