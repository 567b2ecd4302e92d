"""A night: its games with their predictions, beside what the season has shown until then."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.game.league import NBA
from models.metrics import PairedDifference
from serve_app.game.game_day import SEASON_FIRST_MONTH, season_of
from serve_app.schemas import AccuracyDay, AccuracyDays, Outcome, Prediction


class NightError(Exception):
    """There is no such night to report."""


@dataclass(frozen=True, slots=True)
class FeedLag:
    """Seconds from what the source says of when it saw a score to when the service had it."""

    median: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NightGame:
    """One game: `course` is its margin (points) at game seconds of the first half, as seen.

    `missing_minutes` are those of the first 18 in which nothing was seen. `lag` is None where
    nothing tells of it.
    """

    game_id: str
    home_team: str
    away_team: str
    state: str
    prediction: Prediction | None
    course: tuple[tuple[float, float], ...]
    updates: int
    corrections: int
    missing_minutes: tuple[int, ...]
    lag: FeedLag | None = None

    @property
    def name(self) -> str:
        """Both teams, home first."""
        return f"{self.home_team} – {self.away_team}"

    @property
    def counted(self) -> tuple[Prediction, Outcome] | None:
        """The prediction and its outcome where they count in the accuracy: made in time."""
        made = self.prediction
        if made is None or made.outcome is None or made.made_after_halftime:
            return None
        return made, made.outcome


@dataclass(frozen=True)
class Night:
    """The games of one day, in the order of their registration.

    `season` is the accuracy of the days of its season up to this one; `source` says where all of
    it was read.
    """

    day: datetime.date
    source: str
    games: tuple[NightGame, ...]
    season: AccuracyDays

    @cached_property
    def counted(self) -> list[tuple[Prediction, Outcome]]:
        """What counts in the accuracy."""
        return [game.counted for game in self.games if game.counted is not None]

    @property
    def accuracy(self) -> AccuracyDay | None:
        """The accuracy of this day; None where nothing has been resolved."""
        return next((one for one in self.season.days if one.day == self.day), None)

    @property
    def difference(self) -> PairedDifference | None:
        """The absolute error against persistence's, game by game; None of fewer than two."""
        if len(self.counted) < 2:
            return None
        errors = np.abs([outcome.error for _, outcome in self.counted])
        others = np.abs([outcome.persistence_error for _, outcome in self.counted])
        return PairedDifference.of(errors, others)


def season_start(day: datetime.date) -> datetime.date:
    """The first day of a day's season."""
    return datetime.date(season_of(day), SEASON_FIRST_MONTH, 1)


def first_half(course: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The part of a game's course up to halftime, to its very end where play went on after it."""
    half = float(NBA.halftime_elapsed)
    within = [(elapsed, margin) for elapsed, margin in course if elapsed <= half]
    if within and len(within) < len(course) and within[-1][0] < half:
        within.append((half, within[-1][1]))
    return tuple(within)
