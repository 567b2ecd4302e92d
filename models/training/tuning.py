"""Tuning Dejavu: its settings compared by cross-validation over seasons, in order of time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.errors import DataError
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.game.game_state import increments, states_at
from models.game.games import GameTable
from models.game.horizon import HORIZONS, Horizon
from models.game.pattern import FloatArray
from models.metrics import PairedDifference
from models.ratings.strength import expected_margins

# Where the settings are compared: early, at the trigger and late, to both horizons.
POINTS: tuple[tuple[Horizon, int], ...] = (
    ("halftime", 6),
    ("halftime", 12),
    ("halftime", 18),
    ("final", 12),
    ("final", 24),
    ("final", 36),
)

ALTERNATIVES: Mapping[str, Sequence[float]] = {
    "neighbours": (50, 500),
    "path_scale": (0.03, 0.3),
    "margin_scale": (0.1, 1.0),
    "expected_scale": (0.3, 1.5),
    "season_half_life": (4.0, 64.0),
    "prior_games": (0.0, 150.0, 1500.0, 1e9),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One variant of the settings: its |error| minus that of the present settings, in points.

    `differences` has one entry per point of `POINTS`; a negative mean says that it is better.
    """

    name: str
    settings: DejavuSettings
    differences: tuple[PairedDifference, ...]


def variants(present: DejavuSettings) -> dict[str, DejavuSettings]:
    """The present settings with one of them changed at a time, by name."""
    return {
        f"{name} = {value:g}": replace(present, **{name: type(getattr(present, name))(value)})
        for name, values in ALTERNATIVES.items()
        for value in values
        if value != getattr(present, name)
    }


def tune(
    games: GameTable,
    seasons: Sequence[int],
    *,
    present: DejavuSettings | None = None,
    library_seasons: int = 6,
) -> Iterator[Tried]:
    """Compare every variant with the present settings on `seasons`, each by earlier ones only.

    Raises DataError where a season has none before it.
    """
    present = present or DejavuSettings()
    expected = expected_margins(games)
    base = _errors(games, expected, seasons, present, library_seasons)
    for name, settings in variants(present).items():
        errors = _errors(games, expected, seasons, settings, library_seasons)
        yield Tried(name, settings, tuple(map(PairedDifference.of, errors, base)))


def _errors(
    games: GameTable,
    expected: FloatArray,
    seasons: Sequence[int],
    settings: DejavuSettings,
    library_seasons: int,
) -> list[FloatArray]:
    """|actual − forecast| of all games of `seasons` in points, one array per point."""
    found: list[list[FloatArray]] = [[] for _ in POINTS]
    for season in seasons:
        earlier = [one for one in games.seasons() if one < season]
        if not earlier:
            raise DataError(f"tuning: expected seasons before {season}; got none")
        known, tested = games.season < season, games.season == season
        searched = np.isin(games.season, earlier[-library_seasons:])
        drift = Drift.fit(games.select(known), expected[known])
        library = Library(games.select(searched), expected[searched])
        dejavu = Dejavu(library, drift, settings)
        for place, (horizon, minute) in enumerate(POINTS):
            states = states_at(games.select(tested), expected[tested], minute)
            gained = increments(games.select(tested), minute) - dejavu.increments(states)
            found[place].append(np.abs(gained[:, HORIZONS.index(horizon)]))
    return [np.concatenate(parts) for parts in found]
