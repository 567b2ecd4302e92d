"""The game state: all that a forecast may be made from, live, in training and in a backtest."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import PatternError
from models.game.games import GameTable
from models.game.horizon import HALFTIME_MINUTE, REGULATION_MINUTES
from models.game.last_score import CLASSES
from models.game.league import NBA, SECONDS_PER_MINUTE
from models.game.pattern import MAX_MARGIN, FloatArray

REGULATION_SECONDS = NBA.quarters * NBA.quarter_seconds
QUARTER_MINUTES = NBA.quarter_seconds // SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class GameState:
    """One game at one clock; margins in points, home − away.

    `pattern` holds the margins at the end of the whole game minutes played, none in the first
    minute; `margin` is the present one. `elapsed_seconds` is of regulation: an overtime with s
    seconds left stands as regulation with s seconds left. `last_score` is a `last_score_class`.
    """

    pattern: tuple[float, ...]
    margin: float
    elapsed_seconds: float
    last_score: int = 0

    def __post_init__(self) -> None:
        margins = (*self.pattern, self.margin)
        if not all(abs(margin) <= MAX_MARGIN for margin in margins):  # also refuses NaN
            raise PatternError(
                f"game state: expected margins from {-MAX_MARGIN:g} to {MAX_MARGIN:g} points; "
                f"got {margins}"
            )
        if not -CLASSES <= self.last_score <= CLASSES:
            raise PatternError(
                f"game state: expected a last score class from {-CLASSES} to {CLASSES}; "
                f"got {self.last_score}"
            )
        minute = len(self.pattern)
        start = minute * SECONDS_PER_MINUTE
        if minute > REGULATION_MINUTES or not 0 <= self.elapsed_seconds - start < 60:
            raise PatternError(
                f"game state: expected the margins of the whole minutes in "
                f"{self.elapsed_seconds:g} seconds, at most {REGULATION_MINUTES}; got {minute}"
            )

    @classmethod
    def of_pattern(cls, pattern: Sequence[float], last_score: int = 0) -> "GameState":
        """The state at the end of the last minute of `pattern`, 1 to 48 margins.

        A tie after 48 is the start of an overtime.

        Raises PatternError on another length and on margins that are not finite or beyond ±100.
        """
        margins = tuple(float(margin) for margin in pattern)
        if not 1 <= len(margins) <= REGULATION_MINUTES:
            raise PatternError(
                f"pattern: expected 1 to {REGULATION_MINUTES} margins; got {len(margins)}"
            )
        return cls.at(
            lambda seconds: margins[int(seconds // SECONDS_PER_MINUTE) - 1],
            float(len(margins) * SECONDS_PER_MINUTE),
            last_score=last_score,
        )

    @classmethod
    def at(
        cls, margin_at: Callable[[float], float], elapsed_seconds: float, *, last_score: int = 0
    ) -> "GameState":
        """The state of a live game.

        Args:
            margin_at: the margin at so many game seconds elapsed, overtimes counted.
            elapsed_seconds: the clock, overtimes counted: 3180 is the end of the first.
            last_score: class of the last score.

        A tie at the end of regulation or of an overtime is the start of the next overtime.
        """
        margin = float(margin_at(elapsed_seconds))
        skipped, start_of_overtime = 0, False
        if elapsed_seconds > REGULATION_SECONDS or (
            elapsed_seconds == REGULATION_SECONDS and margin == 0
        ):
            beyond = elapsed_seconds - REGULATION_SECONDS
            played = beyond % NBA.overtime_seconds
            over = played == 0 and margin != 0 and beyond > 0
            left = 0.0 if over else NBA.overtime_seconds - played
            start_of_overtime = played == 0 and not over
            skipped = round((elapsed_seconds - (REGULATION_SECONDS - left)) / SECONDS_PER_MINUTE)
        shift = skipped * SECONDS_PER_MINUTE
        seconds = elapsed_seconds - shift
        minutes = int(seconds // SECONDS_PER_MINUTE)
        return cls(
            pattern=tuple(
                float(margin_at(shift + minute * SECONDS_PER_MINUTE))
                for minute in range(1, minutes + 1)
            ),
            margin=margin,
            elapsed_seconds=seconds,
            last_score=0 if start_of_overtime else last_score,
        )

    def at_end_of_minute(self) -> "GameState":
        """As it will stand at the end of the present minute if nobody scores."""
        return GameState.of_pattern((*self.pattern, self.margin), self.last_score)

    @property
    def clock(self) -> tuple[int, float]:
        """The whole minutes played, and which share of the next one."""
        minutes = len(self.pattern)
        return minutes, self.elapsed_seconds / SECONDS_PER_MINUTE - minutes

    @property
    def is_over(self) -> bool:
        """Whether regulation time is up and somebody leads."""
        return self.elapsed_seconds >= REGULATION_SECONDS and self.margin != 0


@dataclass(frozen=True, slots=True)
class States:
    """n games at the end of the same game minute: what the models compute on.

    `paths` (n, minute + 1) begins with 0 at tip-off and ends with the present margin; `expected`
    (n,) holds the pregame expected margins, `last_score` (n,) the classes of the last scores.
    """

    minute: int
    paths: FloatArray
    expected: FloatArray
    last_score: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def present(self) -> FloatArray:
        """The present margins (n,)."""
        return self.paths[:, -1]

    def rows(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "States":
        """The states of some of the games."""
        return States(
            self.minute, self.paths[chosen], self.expected[chosen], self.last_score[chosen]
        )


def states_at(games: GameTable, expected: FloatArray, minute: int) -> States:
    """All games at the end of `minute` (0 is tip-off); `expected` (n,) in points."""
    paths = np.zeros((len(games), minute + 1))
    paths[:, 1:] = games.margins[:, :minute]
    last = games.last_score[:, minute - 1] if minute else np.zeros(len(games), dtype=np.int8)
    return States(minute, paths, expected, last)


def increments(games: GameTable, minute: int) -> FloatArray:
    """What the margin still gained after `minute` up to each of `HORIZONS`, shape (n, 2).

    NaN up to halftime where halftime is reached by then.
    """
    present = games.margins[:, minute - 1] if minute else np.zeros(len(games))
    ends = np.column_stack((games.halftime_margin, games.final_margin)).astype(np.float64)
    gained: FloatArray = ends - present[:, None]
    if minute >= HALFTIME_MINUTE:
        gained[:, 0] = math.nan
    return gained
