"""Margin patterns: home − away in points at the end of game minutes 1, 2, 3 and so on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.errors import PatternError
from models.league import NBA, SECONDS_PER_MINUTE

PATTERN_MINUTES = NBA.pattern_minutes
HALF_MINUTES = NBA.halftime_elapsed // SECONDS_PER_MINUTE
MAX_MARGIN = 100.0

FloatArray = npt.NDArray[np.float64]
PatternLike = Sequence[Sequence[float] | npt.NDArray[np.generic]] | npt.NDArray[np.generic]


def as_patterns(patterns: PatternLike, *, minutes: int | None = PATTERN_MINUTES) -> FloatArray:
    """Patterns as a float64 array (n, minutes); `minutes=None` takes any length from 1 to 24.

    Raises PatternError on another shape, and on margins that are not finite or beyond ±100.
    """
    try:
        array = np.asarray(patterns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PatternError(f"patterns: expected rows of numbers, equally long; {error}") from None
    wanted = f"{minutes}" if minutes is not None else f"1 to {HALF_MINUTES}"
    if array.ndim != 2 or not _allowed(array.shape[1], minutes):
        raise PatternError(f"patterns: expected shape (n, {wanted}); got {array.shape}")
    impossible = ~(np.abs(array) <= MAX_MARGIN)  # also true of NaN
    if impossible.any():
        row, minute = np.argwhere(impossible)[0]
        raise PatternError(
            f"patterns: expected margins from {-MAX_MARGIN:g} to {MAX_MARGIN:g} points; "
            f"got {array[row, minute]} at minute {minute + 1} of pattern {row}"
        )
    return array


def as_expected_margins(expected_margins: Sequence[float] | FloatArray, rows: int) -> FloatArray:
    """Pregame expected margins as a float64 array (rows,); raises PatternError on any other."""
    array = np.asarray(expected_margins, dtype=np.float64)
    if array.shape != (rows,):
        raise PatternError(
            f"expected margins: expected one per pattern, shape ({rows},); got {array.shape}"
        )
    if not (np.abs(array) <= MAX_MARGIN).all():
        raise PatternError(
            f"expected margins: expected numbers from {-MAX_MARGIN:g} to {MAX_MARGIN:g}"
        )
    return array


def origin_shifted(patterns: FloatArray) -> FloatArray:
    """Paths (n, m) seen from the present: each margin minus the last one of its pattern."""
    return patterns - patterns[:, -1:]


def _allowed(length: int, minutes: int | None) -> bool:
    return 1 <= length <= HALF_MINUTES if minutes is None else length == minutes
