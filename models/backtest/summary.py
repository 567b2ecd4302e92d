"""The summary: everything a tally knows as plain data, for `summary.json`."""

import math
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.backtest.goals import goals, season_coverage
from models.backtest.rows import read_part
from models.backtest.tally import (
    ALL,
    COVERAGES,
    LEAD_NAMES,
    MODEL,
    PERSISTENCE,
    RECENT,
    Moments,
    Tally,
)
from models.game.horizon import HORIZONS, REGULATION_MINUTES, Horizon

MEASURES = ("ae", "crps", "is90", "width90", *(f"cover{share}" for share in COVERAGES), "brier")
# The minutes of which a summary tells every season; the rows know the others.
HEADLINE_MINUTES = (1, 6, 12, 18, 23, 24, 30, 36, 42, 47)


def tally_parts(parts: Iterable[Path]) -> Tally:
    """The tally of all parts, one in memory at a time."""
    tally = Tally()
    for path in parts:
        season, horizon, cells = read_part(path)
        for cell in cells:
            tally.add(season, horizon, cell)
    return tally


def summarise(tally: Tally) -> dict[str, Any]:
    """Numbers by horizon, group of games, minute and model, each mean with its standard error.

    `minus` holds paired differences: the model less another, or another less persistence.
    """
    seasons = [str(season) for season in sorted(tally.games)]
    told: dict[str, Any] = _plain(
        {
            "games": {str(season): tally.games[season] for season in sorted(tally.games)},
            "goals": [asdict(goal) for goal in goals(tally)],
            "coverage_by_season": {
                season: {str(share): season_coverage(tally, season, share) for share in COVERAGES}
                for season in seasons
            },
            "minutes": {
                group: {horizon: _minutes(tally, group, horizon) for horizon in HORIZONS}
                for group in (ALL, RECENT)
            },
            "seasons": {
                season: {
                    horizon: _minutes(tally, season, horizon, chosen=HEADLINE_MINUTES)
                    for horizon in HORIZONS
                }
                for season in seasons
            },
            "leads": {
                name: {
                    horizon: _minutes(tally, f"lead {name}", horizon, ("ae",))
                    for horizon in HORIZONS
                }
                for name in LEAD_NAMES
            },
            "pit": {
                horizon: {
                    str(minute): tally.pit[horizon, minute, MODEL].astype(int).tolist()
                    for minute in tally.minutes(horizon)
                    if (horizon, minute, MODEL) in tally.pit
                }
                for horizon in HORIZONS
            },
            "reliability": {
                str(minute): sums.tolist()
                for (minute, model), sums in sorted(tally.reliability.items())
                if model == MODEL
            },
        }
    )
    return told


def _minutes(
    tally: Tally,
    group: str,
    horizon: Horizon,
    measures: tuple[str, ...] = MEASURES,
    *,
    chosen: Collection[int] = range(REGULATION_MINUTES),
) -> dict[str, Any]:
    return {
        str(minute): {
            model: numbers
            for model in tally.models()
            if (numbers := _numbers(tally, group, horizon, minute, model, measures=measures))
        }
        for minute in tally.minutes(horizon)
        if minute in chosen
    }


def _numbers(
    tally: Tally,
    group: str,
    horizon: Horizon,
    minute: int,
    model: str,
    *,
    measures: tuple[str, ...],
) -> dict[str, Any]:
    def at(measure: str, other: str = "") -> Moments:
        return tally.at(group, horizon, minute, measure, model, other)

    others = tally.models() if model == MODEL else [PERSISTENCE]
    numbers: dict[str, Any] = {
        measure: _mean(at(measure)) for measure in measures if at(measure).count
    }
    minus = {
        other: told
        for other in others
        if (told := {m: _mean(at(m, other)) for m in measures if at(m, other).count})
    }
    return numbers | ({"minus": minus} if minus else {})


def _mean(moments: Moments) -> list[float]:
    """Mean and its standard error."""
    return [_short(moments.mean), _short(moments.standard_error)]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The same without NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
