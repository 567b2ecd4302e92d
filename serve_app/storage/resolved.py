"""Resolved predictions: the numbers of those whose outcome is known, which accuracy is told from.

A frozen prediction is some kilobytes of JSON. Only what is needed of it is read, and read here:
PostgreSQL, asked for each number by itself, would parse the whole of it each time.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from serve_app.game.game_day import day_of

LAST_OF_PATTERN = 17


@dataclass(frozen=True, slots=True)
class ResolvedPrediction:
    """The numbers of a frozen prediction whose outcome is known, in points.

    `margin` is the margin at the trigger, `actual` the one at halftime.
    """

    point: float
    lower: float
    upper: float
    coverage_probability: float
    margin: float
    actual: float


@dataclass(frozen=True, slots=True)
class DatedPrediction(ResolvedPrediction):
    """A resolved prediction with the day of its game and its quantiles, in points by level."""

    day: datetime.date
    quantiles: Mapping[str, float]


class _Frozen(msgspec.Struct):
    """What is read of a frozen prediction; the latter fields are missing in old ones."""

    point_forecast: float
    interval_lower: float
    interval_upper: float
    coverage_probability: float
    pattern: list[float]
    made_at: str
    quantiles: dict[str, float] = {}
    made_after_halftime: bool = False


class _Outcome(msgspec.Struct):
    halftime_margin: float


_frozen = msgspec.json.Decoder(_Frozen).decode
_outcome = msgspec.json.Decoder(_Outcome).decode


def read_resolved(frozen: str, outcome: str, day: str | None = None) -> DatedPrediction | None:
    """A prediction from its JSON texts; None where it came after halftime."""
    made = _frozen(frozen)
    if made.made_after_halftime:
        return None
    return DatedPrediction(
        made.point_forecast,
        made.interval_lower,
        made.interval_upper,
        made.coverage_probability,
        made.pattern[LAST_OF_PATTERN],
        _outcome(outcome).halftime_margin,
        game_day(day, made.made_at),
        made.quantiles,
    )


def game_day(day: str | None, made_at: str) -> datetime.date:
    """The day of a game as stored; of one that has none, the day on which it was predicted."""
    if day is not None:
        return datetime.date.fromisoformat(day)
    return day_of(datetime.datetime.fromisoformat(made_at))
