"""Figures: the plots of a backtest's report."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from models.backtest.goals import FIRST_HALF, deviations, relative, season_coverage
from models.backtest.tally import (
    ALL,
    COVERAGES,
    LEAD_NAMES,
    MODEL,
    PERSISTENCE,
    PIT_BINS,
    RELIABILITY_BINS,
    Moments,
    Tally,
)
from models.game.horizon import END_MINUTE, HORIZONS, Horizon
from models.report.svg import BLUE, GREEN, GREY, INK, ORANGE, PINK, YELLOW, Figure, canvas, figure

COLOURS = {
    MODEL: BLUE,
    "ridge": ORANGE,
    "logistic": ORANGE,
    "boosting": GREEN,
    "brownian": PINK,
    PERSISTENCE: GREY,
}
STYLES = {"ridge": "--", "logistic": "--", "boosting": "-.", "brownian": ":"}
SHARE_COLOURS = {50: BLUE, 80: GREEN, 90: YELLOW, 95: ORANGE}
ON_THE_AXIS = (6, 12, 18, 24, 30, 36, 42)


def figures(tally: Tally) -> list[Figure]:
    """Every plot that the rows can fill, in the order of the report."""
    return list(_figures(tally, [horizon for horizon in HORIZONS if tally.minutes(horizon)]))


def _figures(tally: Tally, told: Sequence[Horizon]) -> Iterator[Figure]:
    for horizon in told:
        yield _skill(tally, horizon)
    for horizon in told:
        yield _calibration(tally, horizon)
    if "halftime" in told:
        yield _season_calibration(tally)
    for horizon in told:
        yield _pit(tally, horizon)
    if "final" in told:
        yield _brier(tally)
        yield _reliability(tally)
    for horizon in told:
        yield _interval_score(tally, horizon)
    for horizon, minute in (("halftime", 18), ("final", 24), ("final", 36)):
        if minute in tally.minutes(horizon):
            yield _leads(tally, horizon, minute)


def _skill(tally: Tally, horizon: Horizon) -> Figure:
    minutes = tally.minutes(horizon)
    with canvas() as (drawn, axes):
        axes.axhline(0, color=COLOURS[PERSISTENCE], linewidth=1.2)
        for model in ("brownian", "boosting", "ridge", MODEL):
            found = [relative(tally, ALL, horizon, minute, model) for minute in minutes]
            _line(axes, minutes, [one.mean for one in found], model)
        mean = np.asarray([one.mean for one in found])
        error = np.asarray([one.standard_error for one in found])
        band = (mean - 2 * error, mean + 2 * error)
        axes.fill_between(minutes, *band, color=COLOURS[MODEL], alpha=0.18, lw=0)
        # The Brownian motion starts far off; the others are what matters.
        low = float(np.nanmin(mean)) if np.isfinite(mean).any() else -1.0
        axes.set_ylim(1.25 * min(low, -1.0), 0.6 * abs(min(low, -1.0)))
        _clock(axes, horizon)
        axes.set_ylabel("MAE against persistence, %")
        axes.legend(ncols=4, loc="upper center")
        said = [
            f"minute {minute} {relative(tally, ALL, horizon, minute, MODEL).mean:+.2f} %"
            for minute in ON_THE_AXIS
            if minute in minutes
        ]
        return figure(
            drawn,
            f"skill-{horizon}",
            f"Skill against persistence by minute: {horizon} margin",
            "Mean absolute error relative to the margin staying as it is; lower is better. The "
            f"band is two standard errors of the paired difference. Ensemble: {', '.join(said)}.",
        )


def _calibration(tally: Tally, horizon: Horizon) -> Figure:
    with canvas(height=3.2) as (drawn, axes):
        axes.axhspan(-1.5, 1.5, color=INK, alpha=0.06, lw=0)
        axes.axhline(0, color=INK, linewidth=0.8)
        worst = {}
        for share, colour in SHARE_COLOURS.items():
            found = deviations(tally, horizon, share)
            minutes = [minute for _, minute in found]
            axes.plot(minutes, list(found.values()), color=colour, label=f"{share} %", lw=1.6)
            worst[share] = max(map(abs, found.values()), default=float("nan"))
        axes.set_ylim(*_about(axes.get_ylim(), 2.0))
        axes.set_ylabel("coverage − promise, points")
        _clock(axes, horizon)
        axes.legend(ncols=4, loc="upper center")
        said = ", ".join(f"{share} % by {value:.2f}" for share, value in worst.items())
        return figure(
            drawn,
            f"calibration-{horizon}",
            f"Calibration by minute: {horizon} margin",
            "Share of outcomes inside the ensemble's central intervals less the share promised, "
            f"in points of a per cent; grey is within 1.5. Farthest off: {said}.",
        )


def _season_calibration(tally: Tally) -> Figure:
    seasons = [str(season) for season in sorted(tally.games)]
    with canvas(height=3.2) as (drawn, axes):
        axes.axhspan(-2.5, 2.5, color=INK, alpha=0.06, lw=0)
        axes.axhline(0, color=INK, linewidth=0.8)
        for place, share in enumerate(COVERAGES):
            found = [season_coverage(tally, season, share) - share for season in seasons]
            shift = np.arange(len(seasons)) + 0.18 * (place - 1.5)
            axes.bar(shift, found, width=0.16, color=SHARE_COLOURS[share], label=f"{share} %")
        axes.set_xticks(
            range(len(seasons)), [f"{season[2:]}-{_next(season)}" for season in seasons]
        )
        axes.tick_params(axis="x", labelsize=8.5)
        axes.set_ylim(*_about(axes.get_ylim(), 3.0))
        axes.set_ylabel("coverage − promise, points")
        axes.legend(ncols=4, loc="upper center")
        return figure(
            drawn,
            "calibration-season",
            "Calibration by season: halftime margin, minutes "
            f"{FIRST_HALF[0]} to {FIRST_HALF[-1]} together",
            "Share of outcomes inside the ensemble's central intervals less the share promised, "
            "in points of a per cent; grey is within 2.5.",
        )


def _pit(tally: Tally, horizon: Horizon) -> Figure:
    counts = sum(
        (
            bins
            for (told, minute, model), bins in tally.pit.items()
            if told == horizon and model == MODEL and minute > 0
        ),
        start=np.zeros(PIT_BINS),
    )
    density = counts / max(float(counts.sum()), 1.0) * PIT_BINS
    with canvas(height=2.6) as (drawn, axes):
        edges = (np.arange(PIT_BINS) + 0.5) / PIT_BINS
        axes.bar(edges, density, width=0.9 / PIT_BINS, color=COLOURS[MODEL])
        axes.axhline(1, color=INK, linewidth=1.0, linestyle="--")
        axes.set_xlabel("predictive distribution at the outcome")
        axes.set_ylabel("density")
        axes.set_ylim(0, max(1.3, 1.1 * float(density.max())))
        return figure(
            drawn,
            f"pit-{horizon}",
            f"PIT histogram: {horizon} margin, all minutes",
            f"{int(counts.sum()):,} probability integral transforms in {PIT_BINS} bins; a "
            "calibrated forecast is level at 1 (dashed). "
            f"The bins lie between {density.min():.2f} and {density.max():.2f}.",
        )


def _brier(tally: Tally) -> Figure:
    minutes = tally.minutes("final")
    with canvas(height=3.2) as (drawn, axes):
        axes.axhline(0, color=COLOURS["logistic"], linewidth=1.2, linestyle="--", label="logistic")
        paired = [tally.at(ALL, "final", minute, "brier", MODEL, "logistic") for minute in minutes]
        mean = 1000 * np.asarray([one.mean for one in paired])
        error = 1000 * np.asarray([one.standard_error for one in paired])
        axes.plot(minutes, mean, color=COLOURS[MODEL], label=MODEL)
        axes.fill_between(
            minutes, mean - 2 * error, mean + 2 * error, color=COLOURS[MODEL], alpha=0.18, lw=0
        )
        _clock(axes, "final")
        axes.set_ylabel("Brier − logistic's, thousandths")
        axes.legend(ncols=2)
        said = [
            f"minute {minute} {tally.at(ALL, 'final', minute, 'brier', MODEL).mean:.4f}"
            for minute in ON_THE_AXIS
            if minute in minutes
        ]
        return figure(
            drawn,
            "brier",
            "Win probability: Brier score against logistic regression, by minute",
            "Paired difference from logistic regression on margin and expected margin; lower is "
            f"better; the band is two standard errors. Ensemble's own score: {', '.join(said)}.",
        )


def _reliability(tally: Tally) -> Figure:
    with canvas(width=5.6, height=3.9) as (drawn, axes):
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
        for minute, colour in zip((6, 18, 24, 36), SHARE_COLOURS.values(), strict=True):
            games, promised, won = tally.reliability.get(
                (minute, MODEL), np.zeros((3, RELIABILITY_BINS))
            )
            there = games > 0
            share = won[there] / games[there]
            error = np.sqrt(np.maximum(share * (1 - share), 1e-9) / games[there])
            axes.errorbar(
                promised[there] / games[there],
                share,
                yerr=error,
                fmt="o-",
                markersize=3.5,
                linewidth=1.1,
                color=colour,
                label=f"minute {minute}",
            )
        axes.set_xlabel("win probability forecast")
        axes.set_ylabel("share of home wins")
        axes.legend(loc="upper left")
        return figure(
            drawn,
            "reliability",
            "Reliability of the win probability",
            "Share of home wins where the ensemble forecast each probability, in bins of a tenth, "
            "with one standard error; on the dashed line promise and outcome agree.",
        )


def _interval_score(tally: Tally, horizon: Horizon) -> Figure:
    minutes = tally.minutes(horizon)
    with canvas(height=3.2) as (drawn, axes):
        axes.axhline(0, color=COLOURS[PERSISTENCE], linewidth=1.2)
        base = [tally.at(ALL, horizon, minute, "is90", PERSISTENCE).mean for minute in minutes]
        for model in ("brownian", "boosting", "ridge", MODEL):
            paired = [
                tally.at(ALL, horizon, minute, "is90", model, PERSISTENCE) for minute in minutes
            ]
            relative_scores = [
                100 * one.mean / score for one, score in zip(paired, base, strict=True)
            ]
            _line(axes, minutes, relative_scores, model)
        low = min([-2.0, *(one for one in relative_scores if np.isfinite(one))])
        axes.set_ylim(1.2 * low, -0.6 * low)
        _clock(axes, horizon)
        axes.set_ylabel("against persistence, %")
        axes.legend(ncols=4, loc="upper center")
        return figure(
            drawn,
            f"interval-score-{horizon}",
            f"Interval score at 90 % by minute: {horizon} margin",
            "Mean interval score (width plus what misses cost) relative to persistence with "
            "Gaussian residuals; lower is better.",
        )


def _leads(tally: Tally, horizon: Horizon, minute: int) -> Figure:
    models = (PERSISTENCE, "ridge", MODEL)
    with canvas(height=3.1) as (drawn, axes):
        for place, model in enumerate(models):
            found: list[Moments] = [
                tally.at(f"lead {name}", horizon, minute, "ae", model) for name in LEAD_NAMES
            ]
            axes.bar(
                np.arange(len(LEAD_NAMES)) + 0.26 * (place - 1),
                [one.mean for one in found],
                yerr=[one.standard_error for one in found],
                width=0.24,
                color=COLOURS[model],
                label=model,
                error_kw={"ecolor": INK, "elinewidth": 0.8},
            )
        axes.set_xticks(
            range(len(LEAD_NAMES)),
            [f"{name}\n{one.count:,} games" for name, one in zip(LEAD_NAMES, found, strict=True)],
        )
        axes.set_xlabel("lead at that minute, points")
        axes.set_ylabel("MAE, points")
        axes.set_ylim(0, 1.25 * max(axes.get_ylim()[1], 0.1))
        axes.legend(ncols=3, loc="upper center")
        return figure(
            drawn,
            f"lead-{horizon}-{minute}",
            f"MAE by lead at minute {minute}: {horizon} margin",
            "Mean absolute error with one standard error, by the lead of either side.",
        )


def _line(axes: Axes, minutes: Sequence[int], values: Sequence[float], model: str) -> None:
    axes.plot(minutes, values, STYLES.get(model, "-"), color=COLOURS[model], label=model)


def _clock(axes: Axes, horizon: Horizon) -> None:
    end = END_MINUTE[horizon]
    axes.set_xlim(0, end)
    axes.set_xticks(range(0, end + 1, 3 if horizon == "halftime" else 6))
    axes.set_xlabel("game minute")


def _next(season: str) -> str:
    return f"{(int(season) + 1) % 100:02d}"


def _about(limits: tuple[float, float], least: float) -> tuple[float, float]:
    reach = max(least, *map(abs, limits))
    return -reach, 1.3 * reach
