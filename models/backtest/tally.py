"""The tally: sums over rows from which every number of a summary is made, part by part.

Memory stays small however many games there are: per group of games, minute and model a count, a
sum and a sum of squares of each measure, and of paired differences between models. A standard error
is over games at one minute, which are independent of each other; minutes of one game are not, so
nothing is pooled over minutes with a standard error.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from models.backtest.forecasts import LEVELS, Forecasts
from models.backtest.rows import Cell
from models.game.horizon import Horizon
from models.game.pattern import FloatArray

MODEL, PERSISTENCE = "ensemble", "persistence"
ALL = "all"
RECENT = "2021-2023"
RECENT_SEASONS = (2021, 2022, 2023)
# Leads at the present clock, in points: each class begins here and ends before the next.
LEADS = (0, 3, 6, 10, 15, 20)
LEAD_NAMES = ("0-2", "3-5", "6-9", "10-14", "15-19", "20+")
COVERAGES = {50: (3, 5), 80: (2, 6), 90: (1, 7), 95: (0, 8)}  # places in LEVELS
PIT_BINS = 20
RELIABILITY_BINS = 10


class Key(NamedTuple):
    """Which moments: `other` names the model whose measure was taken off, "" for none.

    `group` is `all`, a season, `RECENT`, or `lead` and one of `LEAD_NAMES`.
    """

    group: str
    horizon: Horizon
    minute: int
    measure: str
    model: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, sum and sum of squares of a measure over games."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: FloatArray) -> "Moments":
        """Of values (n,)."""
        return cls(len(values), float(np.sum(values)), float(values @ values))

    def __add__(self, more: "Moments") -> "Moments":
        """Of both together."""
        return Moments(
            self.count + more.count, self.total + more.total, self.squares + more.squares
        )

    @property
    def mean(self) -> float:
        """NaN of nothing."""
        return self.total / self.count if self.count else math.nan

    @property
    def standard_error(self) -> float:
        """Of the mean; NaN of less than two games."""
        if self.count < 2:
            return math.nan
        variance = (self.squares - self.total**2 / self.count) / (self.count - 1)
        return math.sqrt(max(variance, 0.0) / self.count)


@dataclass(slots=True)
class Tally:
    """All sums; `pit` and `reliability` hold counts in equal bins from 0 to 1.

    `reliability` (3, bins): games, sum of win probabilities, home wins.
    """

    moments: dict[Key, Moments] = field(default_factory=lambda: defaultdict(Moments))
    pit: dict[tuple[Horizon, int, str], FloatArray] = field(default_factory=dict)
    reliability: dict[tuple[int, str], FloatArray] = field(default_factory=dict)
    games: dict[int, int] = field(default_factory=dict)

    def add(self, season: int, horizon: Horizon, cell: Cell) -> None:
        """Take in the games of one season at one minute."""
        self.games[season] = len(cell.actual)
        measured = {name: measures(cell, told) for name, told in cell.forecasts.items()}
        groups = [str(season), ALL, *([RECENT] if season in RECENT_SEASONS else [])]
        for measure, model, other, values in _with_differences(measured):
            moments = Moments.of(values)
            for group in groups:
                self.moments[Key(group, horizon, cell.minute, measure, model, other)] += moments
        self._add_leads(horizon, cell, measured)
        for name, told in cell.forecasts.items():
            self._add_bins(horizon, cell, name, told)

    def at(  # noqa: PLR0917 - the parts of a `Key` in their order
        self, group: str, horizon: Horizon, minute: int, measure: str, model: str, other: str = ""
    ) -> Moments:
        """The moments asked for; empty ones where there is nothing."""
        return self.moments.get(Key(group, horizon, minute, measure, model, other), Moments())

    def minutes(self, horizon: Horizon, model: str = MODEL) -> list[int]:
        """The minutes at which a model was heard, ascending."""
        return sorted(
            {
                key.minute
                for key in self.moments
                if key.group == ALL and key.horizon == horizon and key.model == model
            }
        )

    def models(self) -> list[str]:
        """The models heard, in order of their names."""
        return sorted({key.model for key in self.moments})

    def _add_leads(
        self, horizon: Horizon, cell: Cell, measured: Mapping[str, Mapping[str, FloatArray]]
    ) -> None:
        lead = np.searchsorted(LEADS, np.abs(cell.margin), side="right") - 1
        for place, name in enumerate(LEAD_NAMES):
            chosen = lead == place
            of_lead = {
                model: {"ae": one["ae"][chosen]} for model, one in measured.items() if "ae" in one
            }
            for measure, model, other, values in _with_differences(of_lead):
                key = Key(f"lead {name}", horizon, cell.minute, measure, model, other)
                self.moments[key] += Moments.of(values)

    def _add_bins(self, horizon: Horizon, cell: Cell, model: str, told: Forecasts) -> None:
        if not np.isnan(told.pit[0]):
            counts = np.bincount(_bins(told.pit, PIT_BINS), minlength=PIT_BINS).astype(np.float64)
            place = (horizon, cell.minute, model)
            self.pit[place] = self.pit.get(place, np.zeros(PIT_BINS)) + counts
        if not np.isnan(told.win_probability[0]):
            bins = _bins(told.win_probability, RELIABILITY_BINS)
            sums = np.stack(
                [
                    np.bincount(bins, weights=weights, minlength=RELIABILITY_BINS)
                    for weights in (
                        np.ones(len(bins)),
                        told.win_probability,
                        (cell.actual > 0).astype(np.float64),
                    )
                ]
            )
            before = self.reliability.get((cell.minute, model), np.zeros((3, RELIABILITY_BINS)))
            self.reliability[cell.minute, model] = before + sums


def measures(cell: Cell, told: Forecasts) -> dict[str, FloatArray]:
    """What one model's forecasts were worth, by measure, per game (n,); points, or shares.

    `ae` absolute error, `crps`, `is90` interval score at 90 % (Gneiting & Raftery 2007, eq. 43),
    `width90`, `cover50` to `cover95`, and `brier` of the win probability.
    """
    actual = cell.actual.astype(np.float64)
    found: dict[str, FloatArray] = {}
    if not np.isnan(told.point[0]):
        found["ae"] = np.abs(actual - told.point)
    if not np.isnan(told.crps[0]):
        found["crps"] = told.crps
        for share, (low, high) in COVERAGES.items():
            lower, upper = told.quantiles[:, low], told.quantiles[:, high]
            found[f"cover{share}"] = ((lower <= actual) & (actual <= upper)).astype(np.float64)
        low, high = COVERAGES[90]
        lower, upper = told.quantiles[:, low], told.quantiles[:, high]
        missed = np.maximum(lower - actual, 0.0) + np.maximum(actual - upper, 0.0)
        found["width90"] = upper - lower
        found["is90"] = upper - lower + 2.0 / (2 * LEVELS[low]) * missed
    if not np.isnan(told.win_probability[0]):
        found["brier"] = (told.win_probability - (actual > 0)) ** 2
    return found


def _with_differences(
    measured: Mapping[str, Mapping[str, FloatArray]],
) -> Iterator[tuple[str, str, str, FloatArray]]:
    """Every measure of every model; the model's own less any other's, and any less persistence's.

    Measure, model, the model taken off or "", and values (n,).
    """
    for model, one in measured.items():
        others = [other for other in measured if other != model]
        for measure, values in one.items():
            yield measure, model, "", values
            if measure.startswith(("cover", "width")):
                continue
            for other in others if model == MODEL else set(others) & {PERSISTENCE}:
                if measure in measured[other]:
                    yield measure, model, other, values - measured[other][measure]


def _bins(values: FloatArray, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Equal bins (n,) from 0 to 1; 1 itself falls into the last."""
    return np.minimum((values * count).astype(np.int64), count - 1)
