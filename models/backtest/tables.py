"""Tables: the numbers of a report, as captions, headings and cells of text."""

import math
from collections.abc import Iterator, Sequence

from models.backtest.goals import Goal, deviations, relative, season_coverage
from models.backtest.tally import ALL, COVERAGES, MODEL, PERSISTENCE, RECENT, Moments, Tally
from models.game.horizon import HORIZONS, Horizon
from models.report.page import Table

TOLD_MINUTES = {"halftime": (6, 12, 18), "final": (6, 12, 18, 24, 36)}


def goal_table(goals: Sequence[Goal]) -> Table:
    """What was to be reached, and what was."""
    return Table(
        "goals",
        "Numbers to reach; (±) is one standard error",
        ("", "goal", "best before", "measured", "verdict"),
        tuple(
            (goal.name, goal.goal, goal.before, _with_error(goal), goal.verdict) for goal in goals
        ),
    )


def tables(tally: Tally) -> list[Table]:
    """The others, in the order of the report."""
    told: list[tuple[Horizon, int]] = [
        (horizon, minute)
        for horizon in HORIZONS
        for minute in TOLD_MINUTES[horizon]
        if minute in tally.minutes(horizon)
    ]
    return [
        *(_models(tally, horizon, minute) for horizon, minute in told),
        *(_coverage(tally) if tally.minutes("halftime") else ()),
        *(_differences(tally, horizon) for horizon in HORIZONS if tally.minutes(horizon)),
        *(_win_probability(tally) if tally.minutes("final") else ()),
    ]


def _models(tally: Tally, horizon: Horizon, minute: int) -> Table:
    def row(model: str) -> tuple[str, ...]:
        def mean(measure: str, decimals: int, scale: float = 1.0) -> str:
            found = tally.at(ALL, horizon, minute, measure, model).mean
            return _number(scale * found, decimals)

        skill = relative(tally, ALL, horizon, minute, model)
        shares = tuple(mean(f"cover{share}", 1, 100.0) for share in COVERAGES)
        return (
            model,
            mean("ae", 3),
            "–" if model == PERSISTENCE else _signed(skill, 2, " %"),
            mean("crps", 3),
            mean("is90", 2),
            mean("width90", 1),
            *shares,
            mean("brier", 4),
        )

    models = [
        model
        for model in _ordered(tally)
        if tally.at(ALL, horizon, minute, "ae", model).count
        or tally.at(ALL, horizon, minute, "brier", model).count
    ]
    head = ("", "MAE", "against persistence", "CRPS", "score 90 %", "width 90 %")
    shares = tuple(f"{share} % covers" for share in COVERAGES)
    return Table(
        f"models-{horizon}-{minute}",
        f"Every forecast of the {horizon} margin at minute {minute}, points",
        (*head, *shares, "Brier"),
        tuple(row(model) for model in models),
    )


def _coverage(tally: Tally) -> Iterator[Table]:
    seasons = [str(season) for season in sorted(tally.games)]
    rows = []
    for season in seasons:
        single = [deviations(tally, "halftime", share, [season]) for share in COVERAGES]
        farthest = [max(map(abs, one.values()), default=math.nan) for one in single]
        means = [season_coverage(tally, season, share) for share in COVERAGES]
        skill = relative(tally, season, "halftime", 18, MODEL)
        rows.append(
            (
                season,
                f"{tally.games[int(season)]:,}",
                *(_number(mean, 1) for mean in means),
                *(_number(one, 1) for one in farthest),
                _signed(skill, 2, " %"),
            )
        )
    shares = [f"{share} %" for share in COVERAGES]
    yield Table(
        "seasons",
        "Every season: coverage of the halftime margin over minutes 1-23, how far the farthest "
        "single minute is off, points of a per cent, and MAE at minute 18 against persistence",
        ("", "games", *shares, *(f"{share} off by" for share in shares), "MAE at 18"),
        tuple(rows),
    )


def _differences(tally: Tally, horizon: Horizon) -> Table:
    wanted = (1, 3, 6, 9, 12, 15, 18, 21, 23, 24, 30, 36, 42, 45, 47)
    minutes = [minute for minute in wanted if minute in tally.minutes(horizon)]
    others = (PERSISTENCE, "ridge", "boosting")

    def cells(minute: int) -> Iterator[str]:
        yield f"minute {minute}"
        for other in others:
            yield _signed(tally.at(ALL, horizon, minute, "ae", MODEL, other), 4)
        for other in others[:2]:
            yield _signed(tally.at(ALL, horizon, minute, "crps", MODEL, other), 4)
        yield _signed(tally.at(ALL, horizon, minute, "is90", MODEL, PERSISTENCE), 3)

    heads = [f"MAE − {other}'s" for other in others]
    heads += [f"CRPS − {other}'s" for other in others[:2]]
    return Table(
        f"differences-{horizon}",
        f"Paired differences of the ensemble, {horizon} margin, points; below 0 the ensemble is "
        "better; (±) is one standard error over games",
        ("", *heads, "score 90 % − persistence's"),
        tuple(tuple(cells(minute)) for minute in minutes),
    )


def _win_probability(tally: Tally) -> Iterator[Table]:
    models = [
        model
        for model in _ordered(tally)
        if tally.at(ALL, "final", tally.minutes("final")[0], "brier", model).count
    ]
    minutes = [one for one in (6, 12, 18, 24, 30, 36, 42, 45) if one in tally.minutes("final")]
    for group in (ALL, RECENT):
        rows = [
            (
                f"minute {minute}",
                *(
                    _number(tally.at(group, "final", minute, "brier", model).mean, 4)
                    for model in models
                ),
                _signed(tally.at(group, "final", minute, "brier", MODEL, "logistic"), 4),
            )
            for minute in minutes
            if tally.at(group, "final", minute, "brier", MODEL).count
        ]
        if rows:
            yield Table(
                f"brier-{group}",
                f"Brier score of the win probability, {_group(group)}; (±) is one standard error "
                "of the paired difference",
                ("", *models, "ensemble − logistic"),
                tuple(rows),
            )


def _group(group: str) -> str:
    return "all seasons" if group == ALL else f"seasons {group}"


def _ordered(tally: Tally) -> list[str]:
    """The ensemble and its parts first, persistence last."""
    first = [MODEL, "dejavu", "lstm"]
    models = tally.models()
    rest = [model for model in models if model not in (*first, PERSISTENCE)]
    return [model for model in (*first, *rest, PERSISTENCE) if model in models]


def _with_error(goal: Goal) -> str:
    if math.isnan(goal.value):
        return "–"
    if math.isnan(goal.standard_error):
        return goal.measured
    return f"{goal.measured} (± {goal.standard_error:.2g})"


def _signed(moments: Moments, decimals: int, unit: str = "") -> str:
    if not moments.count:
        return "–"
    error = (
        "" if math.isnan(moments.standard_error) else f" (± {moments.standard_error:.{decimals}f})"
    )
    return f"{moments.mean:+.{decimals}f}{unit}{error}"


def _number(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
