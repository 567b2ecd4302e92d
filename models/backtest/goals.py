"""Goals: the numbers that the forecast set out to reach, beside what a backtest measured."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from models.backtest.tally import ALL, COVERAGES, MODEL, PERSISTENCE, RECENT, Moments, Tally
from models.game.horizon import HALFTIME_MINUTE, Horizon

Verdict = Literal["reached", "within noise", "not reached", "not measured"]

FIRST_HALF = tuple(range(1, HALFTIME_MINUTE))
TRIGGER_MINUTE = 18
# A difference within two standard errors of its goal cannot be told from it.
NOISE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the table; `value` and `standard_error` are NaN where nothing was measured.

    `measured` says the value in words and units, `before` what was the best so far.
    """

    name: str
    goal: str
    before: str
    value: float
    standard_error: float
    measured: str
    verdict: Verdict


def goals(tally: Tally) -> list[Goal]:
    """Every goal that rows can speak of, in the order of the table."""
    return [
        _accuracy(tally, TRIGGER_MINUTE, -2.0, "-1.73 %"),
        _accuracy(tally, 6, -4.8, "-4.4 %"),
        _accuracy(tally, 12, -3.0, "-2.6 %"),
        *_coverages(tally),
        *_season_coverages(tally),
        _interval_score(tally, "minutes 1-23", FIRST_HALF),
        _interval_score(tally, "6:00 of Q2", (TRIGGER_MINUTE,)),
        _crps(tally),
        *_briers(tally),
    ]


def relative(tally: Tally, group: str, horizon: Horizon, minute: int, model: str) -> Moments:
    """The error's paired difference from persistence, its moments in per cent of that one's."""
    base = tally.at(group, horizon, minute, "ae", PERSISTENCE).mean
    paired = tally.at(group, horizon, minute, "ae", model, PERSISTENCE)
    if not paired.count or not base > 0:
        return Moments()
    scale = 100.0 / base
    return Moments(paired.count, paired.total * scale, paired.squares * scale**2)


def deviations(
    tally: Tally, horizon: Horizon, share: int, groups: Sequence[str] = (ALL,)
) -> dict[tuple[str, int], float]:
    """Coverage less its promise in points of a per cent, by group and minute from the first on."""
    found = {}
    for group in groups:
        for minute in tally.minutes(horizon):
            covered = tally.at(group, horizon, minute, f"cover{share}", MODEL)
            if covered.count and minute > 0:
                found[group, minute] = 100.0 * covered.mean - share
    return found


def season_coverage(tally: Tally, season: str, share: int) -> float:
    """Coverage in one season over minutes 1 to 23, in per cent; NaN where it is not there."""
    minutes = [tally.at(season, "halftime", one, f"cover{share}", MODEL) for one in FIRST_HALF]
    return 100.0 * sum(minutes, Moments()).mean


def _accuracy(tally: Tally, minute: int, goal: float, before: str) -> Goal:
    found = relative(tally, ALL, "halftime", minute, MODEL)
    points = tally.at(ALL, "halftime", minute, "ae", MODEL).mean
    base = tally.at(ALL, "halftime", minute, "ae", PERSISTENCE).mean
    return Goal(
        name=f"MAE of the halftime margin at minute {minute}, against persistence",
        goal=f"≤ {goal:.1f} %",
        before=before,
        value=found.mean,
        standard_error=found.standard_error,
        measured=f"{found.mean:+.2f} % ({points:.3f} against {base:.3f}, {found.count:,} games)",
        verdict=_verdict(found.mean, goal, found.standard_error),
    )


def _coverages(tally: Tally) -> Iterator[Goal]:
    for share in COVERAGES:
        found = deviations(tally, "halftime", share)
        worst, where = _worst(found)
        games = tally.at(ALL, "halftime", where[1], f"cover{share}", MODEL).count
        yield Goal(
            name=f"coverage of {share} % intervals at each minute 1-23",
            goal="within 1.5 points",
            before="–",
            value=worst,
            standard_error=_share_error(share, games),
            measured=f"at most {abs(worst):.2f} points off (minute {where[1]}: {worst:+.2f})",
            verdict=_verdict(abs(worst), 1.5, _share_error(share, games)),
        )


def _season_coverages(tally: Tally) -> Iterator[Goal]:
    seasons = [str(season) for season in sorted(tally.games)]
    for share in COVERAGES:
        found = {(season, 0): season_coverage(tally, season, share) - share for season in seasons}
        worst, where = _worst({key: value for key, value in found.items() if not math.isnan(value)})
        single = deviations(tally, "halftime", share, seasons)
        outside = sum(abs(value) > 2.5 for value in single.values())
        yield Goal(
            name=f"coverage of {share} % intervals in each season, minutes 1-23 together",
            goal="within 2.5 points",
            before="–",
            value=worst,
            standard_error=math.nan,
            measured=f"at most {abs(worst):.2f} points off (season {where[0]}: {worst:+.2f}); "
            f"of {len(single)} single minutes of seasons {outside} are farther off than 2.5",
            # As if all minutes of a game were one: they lean on each other, so it is no less.
            verdict=_verdict(abs(worst), 2.5, _share_error(share, _games(tally, where[0]))),
        )


def _interval_score(tally: Tally, name: str, minutes: Sequence[int]) -> Goal:
    def pooled(*of: str) -> Moments:
        return sum((tally.at(ALL, "halftime", one, "is90", *of) for one in minutes), Moments())

    base = pooled(PERSISTENCE).mean
    paired = pooled(MODEL, PERSISTENCE)
    value = 100.0 * paired.mean / base if base else math.nan
    # Minutes of one game lean on each other: over several of them there is no plain error.
    error = 100.0 * paired.standard_error / base if base and len(minutes) == 1 else math.nan
    return Goal(
        name=f"mean interval score at 90 %, {name}, against Gaussian persistence",
        goal="≤ -2 %",
        before="–",
        value=value,
        standard_error=error,
        measured=f"{value:+.2f} % ({pooled(MODEL).mean:.2f} against {base:.2f})",
        verdict=_verdict(value, -2.0, 0.0 if math.isnan(error) else error),
    )


def _crps(tally: Tally) -> Goal:
    paired = tally.at(ALL, "halftime", TRIGGER_MINUTE, "crps", MODEL, "ridge")
    mean = tally.at(ALL, "halftime", TRIGGER_MINUTE, "crps", MODEL).mean
    return Goal(
        name="CRPS at 6:00 of Q2, against ridge with Gaussian residuals",
        goal="≤ 0 within noise",
        before="–",
        value=paired.mean,
        standard_error=paired.standard_error,
        measured=f"{paired.mean:+.4f} points (CRPS {mean:.4f})",
        verdict=_verdict(paired.mean, 0.0, paired.standard_error),
    )


def _briers(tally: Tally) -> Iterator[Goal]:
    for minute, before in {6: 0.210, 12: 0.195, 18: 0.183, 24: 0.169, 36: 0.125}.items():
        paired = tally.at(RECENT, "final", minute, "brier", MODEL, "logistic")
        mean = tally.at(RECENT, "final", minute, "brier", MODEL).mean
        other = tally.at(RECENT, "final", minute, "brier", "logistic").mean
        yield Goal(
            name=f"Brier score of the win probability at minute {minute}, {RECENT}",
            goal="at or under logistic",
            before=f"about {before:.3f}",
            value=paired.mean,
            standard_error=paired.standard_error,
            measured=f"{mean:.4f}, logistic {other:.4f}: {paired.mean:+.4f}",
            verdict=_verdict(paired.mean, 0.0, paired.standard_error),
        )


def _games(tally: Tally, season: str) -> int:
    return tally.games.get(int(season), 0) if season else 0


def _verdict(value: float, goal: float, error: float) -> Verdict:
    if math.isnan(value):
        return "not measured"
    if value <= goal:
        return "reached"
    return "within noise" if value - NOISE * error <= goal else "not reached"


def _share_error(share: int, games: int) -> float:
    """The standard error of a coverage that keeps its promise, in points of a per cent."""
    return math.sqrt(share * (100 - share) / games) if games else math.nan


def _worst(found: dict[tuple[str, int], float]) -> tuple[float, tuple[str, int]]:
    """The value farthest from 0 and where it is; NaN of none."""
    if not found:
        return math.nan, ("", 0)
    where = max(found, key=lambda place: abs(found[place]))
    return found[where], where
