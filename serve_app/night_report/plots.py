"""Plots of a night: each game's course, prediction against outcome, and the season so far."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from models.game.horizon import HALFTIME_MINUTE
from models.game.league import SECONDS_PER_MINUTE
from models.game.pattern import PATTERN_MINUTES
from models.report.svg import BLUE, GREY, INK, ORANGE, Figure, canvas, figure
from serve_app.night_report.night import Night, NightGame
from serve_app.night_report.words import interval, percent, points, signed
from serve_app.schemas import AccuracyDay, LevelCalibration, Prediction

# Each pair of levels is one band of the fan, the widest first.
BANDS = (("0.05", "0.95"), ("0.10", "0.90"), ("0.25", "0.75"))
MOST_TICKS = 7


def course_figure(game: NightGame, place: int) -> Figure:
    """The margin of one game up to halftime, with the fan of its prediction and what happened."""
    with canvas(width=5.4, height=2.9) as (drawn, axes):
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.axvline(PATTERN_MINUTES, color=INK, linewidth=0.7, linestyle=":")
        clock = [elapsed / SECONDS_PER_MINUTE for elapsed, _ in game.course]
        margins = [margin for _, margin in game.course]
        axes.step(clock, margins, where="post", color=INK, linewidth=1.4)
        made = game.prediction
        if made is not None:
            _fan(axes, made)
            if made.outcome is not None:
                margin = made.outcome.halftime_margin
                axes.plot(HALFTIME_MINUTE, margin, "D", color=ORANGE, markersize=6, zorder=5)
        axes.set_xlim(0, HALFTIME_MINUTE + 0.8)
        axes.set_xticks(range(0, HALFTIME_MINUTE + 1, 6))
        axes.set_xlabel("game minute")
        axes.set_ylabel("margin, points")
        # No name of a team is drawn: in a plot a dollar sign would begin a formula.
        return figure(drawn, f"course-{place}", game.name, course_caption(game))


def course_caption(game: NightGame) -> str:
    """What the plot of a game shows, in words."""
    made = game.prediction
    if made is None:
        return f"No prediction was made; the game is {game.state}."
    said = (
        f"At 6:00 of Q2 the margin was {signed(made.pattern[-1], 0)}. Predicted for halftime: "
        f"{signed(made.point_forecast)} ({percent(made.coverage_probability)} interval "
        f"{interval(made)})."
    )
    outcome = made.outcome
    if outcome is None:
        return f"{said} The margin at halftime is not known."
    late = " It was made after halftime and does not count." if made.made_after_halftime else ""
    return (
        f"{said} It was {signed(outcome.halftime_margin, 0)}: missed by {points(outcome.error)}, "
        f"persistence by {points(outcome.persistence_error)}.{late}"
    )


def _fan(axes: Axes, made: Prediction) -> None:
    """From the margin at 6:00 to the quantiles at halftime, opening as the root of the time."""
    start, point = made.pattern[-1], made.point_forecast
    share = np.linspace(0.0, 1.0, 25)
    minutes = PATTERN_MINUTES + share * (HALFTIME_MINUTE - PATTERN_MINUTES)
    middle = start + share * (point - start)
    root = np.sqrt(share)
    for low, high in BANDS:
        if low in made.quantiles and high in made.quantiles:
            lower = middle + root * (made.quantiles[low] - point)
            upper = middle + root * (made.quantiles[high] - point)
            axes.fill_between(minutes, lower, upper, color=BLUE, alpha=0.16, linewidth=0)
    axes.plot(minutes, middle, color=BLUE, linewidth=1.2, linestyle="--")
    reach = [[point - made.interval_lower], [made.interval_upper - point]]
    axes.errorbar([HALFTIME_MINUTE], [point], reach, fmt="o", color=BLUE, markersize=4, capsize=4)
    axes.plot(HALFTIME_MINUTE, start, "s", color=GREY, markersize=5, fillstyle="none")


def predicted_figure(night: Night) -> Figure:
    """Outcomes against predictions; needs one that counts."""
    counted = night.counted
    with canvas(width=5.6, height=4.2) as (drawn, axes):
        predicted = [made.point_forecast for made, _ in counted]
        actual = [outcome.halftime_margin for _, outcome in counted]
        edges = [(made.interval_lower, made.interval_upper) for made, _ in counted]
        axes.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle="--")
        axes.vlines(predicted, *zip(*edges, strict=True), color=BLUE, alpha=0.35, linewidth=3)
        for made, outcome in counted:
            axes.plot(
                made.point_forecast,
                outcome.halftime_margin,
                "o" if outcome.covered else "D",
                color=BLUE if outcome.covered else ORANGE,
                markersize=5.5,
            )
        reach = 1.08 * max(map(abs, [*predicted, *actual]), default=1.0) + 1.0
        axes.set_xlim(-reach, reach)
        axes.set_xlabel("predicted margin at halftime, points")
        axes.set_ylabel("margin at halftime, points")
        outside = sum(not outcome.covered for _, outcome in counted)
        return figure(
            drawn,
            "predicted",
            "Predicted and actual",
            f"{len(counted)} games, each with its interval as a bar; on the dashed line both are "
            f"equal. Outside of the interval (orange): {outside}.",
        )


def days_figure(days: Sequence[AccuracyDay]) -> Figure:
    """The MAE of each day and of all up to it, beside persistence; needs a day."""
    places = np.arange(len(days))
    weights = np.asarray([day.resolved for day in days], dtype=np.float64)
    columns = {
        "ensemble": np.asarray([day.ensemble.mae for day in days]),
        "persistence": np.asarray([day.persistence.mae for day in days]),
    }
    with canvas(width=5.6, height=3.9) as (drawn, axes):
        last = {}
        for (name, daily), colour in zip(columns.items(), (BLUE, GREY), strict=True):
            so_far = np.cumsum(weights * daily) / np.cumsum(weights)
            axes.plot(places, daily, "o", color=colour, markersize=3.5, alpha=0.55)
            axes.plot(places, so_far, color=colour, label=f"{name}, so far")
            last[name] = so_far[-1]
        step = math.ceil(len(days) / MOST_TICKS)
        axes.set_xticks(places[::-step][::-1], [f"{day.day:%d %b}" for day in days[::-step][::-1]])
        axes.set_xlim(-0.6, len(days) - 0.4)
        axes.set_ylim(0, 1.3 * max(float(column.max()) for column in columns.values()) + 0.1)
        axes.set_ylabel("MAE, points")
        axes.legend(loc="upper left", ncols=2)
        return figure(
            drawn,
            "days",
            "MAE by day of the season",
            f"Dots are single days ({len(days)}), lines all games up to then "
            f"({int(weights.sum()):,} in all): {last['ensemble']:.3f} against persistence's "
            f"{last['persistence']:.3f}.",
        )


def calibration_figure(levels: Sequence[LevelCalibration]) -> Figure:
    """The share of outcomes below each predicted quantile; needs a level."""
    with canvas(width=5.6, height=3.9) as (drawn, axes):
        grid = np.linspace(0.0, 1.0, 101)
        games = max(one.predictions for one in levels)
        band = 2.0 * np.sqrt(grid * (1.0 - grid) / games)
        axes.fill_between(grid, grid - band, grid + band, color=INK, alpha=0.08, linewidth=0)
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
        told = [one.level for one in levels], [one.observed for one in levels]
        axes.plot(*told, "o-", color=BLUE, markersize=5, linewidth=1.2)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("level of the predicted quantile")
        axes.set_ylabel("share of outcomes below it")
        return figure(
            drawn,
            "calibration",
            "Calibration, season so far",
            f"{games:,} predictions. A calibrated forecast is on the dashed line, within the grey "
            "band (two standard errors) nineteen times out of twenty.",
        )
