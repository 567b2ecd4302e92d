"""Comparing two bundles on the same games, none of which either has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.calibration.calibration import days
from models.calibration.error_log import ErrorLog
from models.calibration.learned_game import LearnedGame, as_table
from models.calibration.learning import game_errors
from models.errors import DataError
from models.game.horizon import CELLS, Horizon, cell_of
from models.game.pattern import FloatArray
from models.metrics import PairedDifference
from models.training.bundle import Bundle

POINTS: tuple[tuple[Horizon, int], ...] = (
    ("halftime", 6),
    ("halftime", 12),
    ("halftime", 18),
    ("final", 24),
    ("final", 36),
)
ALPHA = 0.1
FEWEST_GAMES = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """Candidate and bundle in service from one minute to one horizon, in points.

    `difference` is of |error| and `interval_difference` of the 90 % interval score, candidate minus
    the bundle in service: below 0 the candidate is better.
    """

    horizon: Horizon
    minute: int
    candidate_mae: float
    in_service_mae: float
    difference: PairedDifference
    interval_difference: PairedDifference


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both bundles on the same games."""

    games: int
    rows: tuple[Compared, ...]

    @property
    def verdict(self) -> str:
        """Which is better at 6:00 of Q2, where the difference is beyond two standard errors."""
        trigger = next(row for row in self.rows if (row.horizon, row.minute) == ("halftime", 18))
        mean, error = trigger.difference.mean, trigger.difference.standard_error
        if abs(mean) <= 2.0 * error:
            return "no difference beyond noise"
        return "the candidate is better" if mean < 0 else "the bundle in service is better"


def comparison_table(compared: Comparison) -> str:
    """The comparison as text, with its verdict."""
    lines = [
        f"compared on {compared.games} games, which the candidate had not seen; "
        "candidate minus in service:",
        f"{'':12}{'MAE':>8}{'|error| (SE)':>22}{'90 % interval score (SE)':>28}",
    ]
    for row in compared.rows:
        one, two = row.difference, row.interval_difference
        lines.append(
            f"{row.horizon + ' ' + str(row.minute):12}{row.candidate_mae:8.3f}"
            f"{f'{one.mean:+.4f} ({one.standard_error:.4f})':>22}"
            f"{f'{two.mean:+.4f} ({two.standard_error:.4f})':>28}"
        )
    return "\n".join([*lines, f"verdict at 6:00 of Q2: {compared.verdict}"])


def compare_bundles(
    candidate: Bundle,
    in_service: Bundle,
    known: Sequence[LearnedGame],
    tested: Sequence[LearnedGame],
) -> Comparison:
    """Forecast the games of `tested` with both bundles, and pair their errors.

    `known` are earlier games, which the candidate may hold already. All were learned by the bundle
    in service, whose errors they carry. Both bundles go through the tested games day by day and
    learn as they would in service, with the expected margins that the service used.

    Raises DataError where there are too few games or a bundle has seen one of them.
    """
    ordered = _with_course(tested)
    if len(ordered) < FEWEST_GAMES:
        raise DataError(
            f"comparison: expected at least {FEWEST_GAMES} games whose course is known; "
            f"got {len(ordered)}"
        )
    for bundle in (candidate, in_service):
        last = bundle.strength.day
        if last is not None and ordered[0].date <= last:
            raise DataError(
                f"comparison: expected games after {last}, the last day that "
                f"{bundle.model_version} has seen; got one of {ordered[0].date}"
            )
    last = candidate.strength.day
    unseen = [game for game in known if last is None or game.date > last]
    one = _walk(
        candidate, _Errors.of(candidate, _with_course(unseen)), _Errors.of(candidate, ordered)
    )
    other = _walk(
        in_service,
        _Errors.logged(in_service, _with_course(known)),
        _Errors.logged(in_service, ordered),
    )
    rows = []
    for place, (horizon, minute) in enumerate(POINTS):
        errors = np.abs(one.errors[:, place]), np.abs(other.errors[:, place])
        rows.append(
            Compared(
                horizon,
                minute,
                float(np.mean(errors[0])),
                float(np.mean(errors[1])),
                PairedDifference.of(errors[0], errors[1]),
                PairedDifference.of(one.interval_scores[:, place], other.interval_scores[:, place]),
            )
        )
    return Comparison(len(ordered), tuple(rows))


def _with_course(games: Sequence[LearnedGame]) -> list[LearnedGame]:
    """The games whose course is known, in order of date."""
    return sorted(
        (game for game in games if game.has_course), key=lambda game: (game.date, game.game_id)
    )


@dataclass(frozen=True, slots=True)
class _Errors:
    """The ensemble's errors (n, cells) in points, of games in order of date (n,)."""

    date: npt.NDArray[np.datetime64]
    errors: FloatArray

    @classmethod
    def of(cls, bundle: Bundle, games: list[LearnedGame]) -> Self:
        """Found by forecasting the games anew."""
        table = as_table(games)
        if not games:
            return cls(table.date, np.zeros((0, len(CELLS))))
        expected = np.asarray([game.expected_margin for game in games])
        models = bundle.dejavu.increments, bundle.lstm.over_courses(table, expected)
        found = [game_errors(model, table, expected) for model in models]
        return cls(table.date, bundle.ensemble.combine(*found))

    @classmethod
    def logged(cls, bundle: Bundle, games: list[LearnedGame]) -> Self:
        """As the service found them when the games were learned."""
        log = ErrorLog.of_games(games)
        return cls(log.date, log.of(bundle.ensemble))


@dataclass(frozen=True, slots=True)
class _Walked:
    """Errors and interval scores (n, points) in points, of games in order of date."""

    errors: FloatArray
    interval_scores: FloatArray


def _walk(bundle: Bundle, known: _Errors, tested: _Errors) -> _Walked:
    cells = [cell_of(horizon, minute) for horizon, minute in POINTS]
    calibration = bundle.calibration.walk(known.errors, known.date)
    found = tested.errors[:, cells]
    scores = np.zeros_like(found)
    for day in days(tested.date):
        low, high = (
            calibration.spreads[cells] * [calibration.shape(cell).quantile(level) for cell in cells]
            for level in (ALPHA / 2.0, 1.0 - ALPHA / 2.0)
        )
        missed = np.maximum(low - found[day], 0.0) + np.maximum(found[day] - high, 0.0)
        scores[day] = (high - low) + 2.0 / ALPHA * missed
        calibration = calibration.walk(tested.errors[day], tested.date[day])
    return _Walked(found, scores)
