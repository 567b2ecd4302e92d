"""Dejavu: what happened to the most similar games of the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import faiss
import numpy as np
import numpy.typing as npt

from models.errors import DataError, PatternError
from models.library import Library
from models.pattern import (
    MAX_MARGIN,
    PATTERN_MINUTES,
    FloatArray,
    PatternLike,
    as_expected_margins,
    as_patterns,
    origin_shifted,
)

# FAISS adds up a distance in another order for one query than for many, and with other threads.
# Coordinates are therefore whole numbers of twentieths: squared distances are then whole numbers,
# exact in float32 up to 2**24, and a pattern gets the same neighbours however it is asked.
STEPS = 20
EXACT = 2**24


@dataclass(frozen=True, slots=True)
class SimilarGame:
    """A past game whose first 18 minutes went like the pattern; margins in points.

    `distance` is Euclidean in the space the search runs in (`DejavuSettings`).
    """

    game_id: str
    date: date
    home_team: str
    away_team: str
    pattern: tuple[float, ...]
    halftime_margin: float
    distance: float


@dataclass(frozen=True, slots=True)
class DejavuForecast:
    """The forecast halftime margin in points, and the games most similar, nearest first."""

    halftime_margin: float
    similar_games: tuple[SimilarGame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DejavuSettings:
    """How the search sees a game, and how many neighbours it asks.

    A game is a point of 19 coordinates: the 17 earlier margins relative to the present one, the
    present margin, and the pregame expected margin, each group times its scale and rounded to
    1/20.
    """

    neighbours: int = 1000
    path_scale: float = 0.1
    margin_scale: float = 0.3
    expected_scale: float = 1.0


class Dejavu:
    """Forecast by analogy.

    1. Every game of the library becomes a point (`DejavuSettings`), and so does the pattern.
    2. FAISS finds the nearest neighbours, exactly (flat L2).
    3. The neighbours' increments from minute 18 to 24 are averaged, nearer ones counting more
       (Epanechnikov kernel, which is zero at the farthest neighbour), and added to the present
       margin. Levels are never averaged: a margin moves like a random walk from where it is.
    """

    def __init__(self, library: Library, settings: DejavuSettings | None = None) -> None:
        self.library = library
        self.settings = settings or DejavuSettings()
        if len(library.games) < 2:
            raise DataError(f"library: expected at least 2 games; got {len(library.games)}")
        self._patterns = library.games.margins[:, :PATTERN_MINUTES].astype(np.float64)
        self._halftime = library.games.halftime_margin.astype(np.float64)
        self._increments = self._halftime - self._patterns[:, -1]
        points = self._points(self._patterns, library.expected_margins)
        self._check_exact(points)
        self._index = faiss.IndexFlatL2(points.shape[1])
        self._index.add(points)
        self._row_of = {str(game_id): row for row, game_id in enumerate(library.games.game_id)}

    def forecast(
        self,
        patterns: PatternLike,
        expected_margins: Sequence[float] | FloatArray,
        *,
        exclude: Sequence[str | None] | None = None,
        similar: int = 10,
    ) -> list[DejavuForecast]:
        """One forecast per pattern, the same to the bit alone and in any batch.

        Args:
            patterns: margins in points at the end of minutes 1..18, shape (n, 18).
            expected_margins: pregame expected margins in points, shape (n,).
            exclude: per pattern the id of a game that must not be its own neighbour.
            similar: how many similar games to name, 0 for none.

        Raises:
            PatternError: a shape or a value that no game has.
        """
        paths = as_patterns(patterns)
        expected = as_expected_margins(expected_margins, len(paths))
        excluded = list(exclude) if exclude is not None else [None] * len(paths)
        if len(excluded) != len(paths):
            raise PatternError(f"exclude: expected {len(paths)} entries; got {len(excluded)}")
        if not len(paths):
            return []
        wanted = min(max(self.settings.neighbours, similar) + 1, len(self._patterns))
        found, rows = self._index.search(self._points(paths, expected), wanted)
        distances = found.astype(np.float64) / STEPS**2
        own_rows = [
            -1 if game_id is None else self._row_of.get(game_id, -1) for game_id in excluded
        ]
        return [
            self._from_neighbours(
                float(paths[query, -1]), distances[query], rows[query], own, similar
            )
            for query, own in enumerate(own_rows)
        ]

    def _from_neighbours(
        self,
        present: float,
        distances: FloatArray,
        rows: npt.NDArray[np.int64],
        own: int,
        similar: int,
    ) -> DejavuForecast:
        """The forecast from one pattern's neighbours.

        `distances` are squared; `own` is the row of the game itself, -1 where it is not there.
        """
        order = np.lexsort((rows, distances))  # ties in library order
        order = order[rows[order] != own]
        distances, rows = distances[order], rows[order]
        count = min(self.settings.neighbours, len(rows))
        nearest, radius = distances[:count], distances[count - 1]
        weights = 1.0 - nearest / radius if radius > nearest[0] else np.ones(count)
        increment = float(np.sum(weights * self._increments[rows[:count]]) / np.sum(weights))
        named = [
            self._similar_game(int(row), float(np.sqrt(distance)))
            for row, distance in zip(rows[:similar], distances[:similar], strict=True)
        ]
        return DejavuForecast(present + increment, tuple(named))

    def _similar_game(self, row: int, distance: float) -> SimilarGame:
        games = self.library.games
        return SimilarGame(
            game_id=str(games.game_id[row]),
            date=games.date[row].item(),
            home_team=str(games.home[row]),
            away_team=str(games.away[row]),
            pattern=tuple(self._patterns[row].tolist()),
            halftime_margin=float(self._halftime[row]),
            distance=distance,
        )

    def _check_exact(self, points: npt.NDArray[np.float32]) -> None:
        """Refuse scales with which the farthest pair of points would leave exact arithmetic."""
        swing = np.full((1, PATTERN_MINUTES), -MAX_MARGIN)
        swing[0, -1] = MAX_MARGIN
        farthest = self._points(swing, np.array([MAX_MARGIN]))
        reach = sum(float(np.sqrt(np.max(np.sum(one**2, axis=1)))) for one in (points, farthest))
        if reach**2 >= EXACT:
            raise DataError(
                f"dejavu: expected scales with squared distances below {EXACT / STEPS**2:,.0f}; "
                f"{self.settings} gives up to {(reach / STEPS) ** 2:,.0f}. Make them smaller"
            )

    def _points(self, patterns: FloatArray, expected: FloatArray) -> npt.NDArray[np.float32]:
        scales = self.settings
        columns = (
            origin_shifted(patterns)[:, :-1] * scales.path_scale,
            patterns[:, -1:] * scales.margin_scale,
            expected[:, None] * scales.expected_scale,
        )
        return np.ascontiguousarray(np.rint(np.hstack(columns) * STEPS), dtype=np.float32)
