"""Forecasts of many games at one clock, by one model: a point and a predictive distribution."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import ndtr, ndtri

from models.game.pattern import FloatArray

# What a row keeps of a distribution: central intervals at 50, 80, 90 and 95 %, and the median.
LEVELS = (0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """n games; what a model does not say is all NaN.

    `point` (n,) is the forecast margin at the horizon, `quantiles` (n, 9) those at `LEVELS`, in
    points, `pit` (n,) the predictive distribution at the outcome, `crps` (n,) its score in points,
    and `win_probability` (n,) that of the home side, of the final horizon alone.
    """

    point: FloatArray
    quantiles: FloatArray
    pit: FloatArray
    crps: FloatArray
    win_probability: FloatArray

    @classmethod
    def of_points(cls, point: FloatArray) -> Self:
        """Points without a distribution."""
        nothing = np.full(len(point), np.nan)
        return cls(
            point=point,
            quantiles=np.full((len(point), len(LEVELS)), np.nan),
            pit=nothing,
            crps=nothing,
            win_probability=nothing,
        )

    @classmethod
    def of_win_probability(cls, win_probability: FloatArray) -> Self:
        """Nothing but who wins."""
        nothing = cls.of_points(np.full(len(win_probability), np.nan))
        return replace(nothing, win_probability=win_probability)

    @classmethod
    def gaussian(
        cls, point: FloatArray, sd: float, actual: FloatArray, *, final: bool = False
    ) -> Self:
        """Normal distributions around `point` (n,) with one standard deviation `sd` in points.

        The CRPS is the closed form of Gneiting & Raftery (2007), section 4.2, with its sign turned.
        `final` asks for the win probability: that of a margin above 0.
        """
        z = (actual - point) / sd
        cdf = ndtr(z)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        nothing = np.full(len(point), np.nan)
        return cls(
            point=point,
            quantiles=point[:, None] + sd * ndtri(np.asarray(LEVELS)),
            pit=cdf,
            crps=sd * (z * (2 * cdf - 1) + 2 * density - 1 / np.sqrt(np.pi)),
            win_probability=ndtr(point / sd) if final else nothing,
        )
