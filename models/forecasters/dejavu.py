"""Dejavu: what happened to the most similar games of the past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import faiss
import numpy as np
import numpy.typing as npt

from models.errors import DataError, PatternError
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.game.game_state import States, states_at
from models.game.horizon import HORIZONS, REGULATION_MINUTES
from models.game.pattern import FloatArray, origin_shifted

# FAISS adds up a distance in another order for one query than for many, and with other threads.
# Coordinates are therefore whole numbers of twentieths: squared distances are then whole numbers,
# exact in float32 up to 2**24, and a pattern gets the same neighbours however it is asked.
STEPS = 20
EXACT = 2**24
REACH_POINTS = 60.0  # margins beyond are as far as this one: nothing played is

ROW_BITS = 24  # a distance and a row are sorted as one whole number
BLOCK = 512  # queries whose neighbours are held in memory at a time

RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SimilarGame:
    """A past game whose course up to the same minute was like the present one's; points.

    `distance` is Euclidean in the space the search runs in (`DejavuSettings`).
    """

    game_id: str
    date: date
    home_team: str
    away_team: str
    pattern: tuple[float, ...]
    halftime_margin: float
    final_margin: float
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DejavuSettings:
    """How the search sees a game, how many neighbours it asks and how far it believes them.

    At minute m a game is a point of m + 1 coordinates: the margins of the path relative to the
    present one, the present margin, and the expected margin, each group times its scale and
    rounded to 1/20. The path's scale shrinks with its length, so that a long path does not drown
    the rest: it is `path_scale` · √(18 / m).

    `season_half_life` halves a neighbour's weight for every so many seasons of age. `prior_games`
    is how many neighbours without any departure are added to the mean of departures.
    """

    neighbours: int = 150
    path_scale: float = 0.1
    margin_scale: float = 0.3
    expected_scale: float = 1.0
    season_half_life: float = 16.0
    prior_games: float = 500.0


class Dejavu:
    """Forecast by analogy: the method of Kang et al. (2021), adapted to margins.

    "Déjà vu: A data-centric forecasting approach through time series cross-similarity", Journal of
    Business Research 132.

    1. *Preprocess*. The paper takes season and scale off every series. A margin has no season,
       and its scale is what is to be forecast, so it is never normalised; what is taken off is
       the drift (`models.forecasters.drift`), and the path is seen from the present.
    2. *Similarity*. FAISS finds the nearest past games at the same minute, exactly (flat L2).
    3. *Aggregation*. The paper takes the median of the neighbours' futures. Here it is the mean
       of their departures from their own drift, nearer (Epanechnikov kernel) and newer games
       counting more, shrunk towards none: departures are close to symmetric noise, of which a
       mean keeps less than a median, and a small true effect must not be paid for with noise.
    4. The drift of the present game is put back. The paper's calibration of the intervals is the
       conformal one of `models.calibration.calibration`.
    """

    def __init__(
        self, library: Library, drift: Drift, settings: DejavuSettings | None = None
    ) -> None:
        self.library = library
        self.settings = settings or DejavuSettings()
        if len(library.games) < 2:
            raise DataError(f"library: expected at least 2 games; got {len(library.games)}")
        self._drift = drift
        seasons = library.games.season.astype(np.float64)
        self._recency = 0.5 ** ((seasons.max() - seasons) / self.settings.season_half_life)
        self._indexes: dict[int, tuple[faiss.IndexFlatL2, FloatArray]] = {}
        self._check_exact()

    def increments(
        self, states: States, *, exclude: Sequence[str | None] | None = None
    ) -> FloatArray:
        """Increments (n, 2) up to each of `HORIZONS` in points, drift included.

        The same to the bit alone and in any batch; 0 up to a horizon that is reached. `exclude`
        holds per state the id of a game that must not be its own neighbour.
        """
        total = self._drift.increments(states)
        if states.minute >= REGULATION_MINUTES:
            return total
        index, departures = self._at(states.minute)
        count = min(self.settings.neighbours, len(self.library.games) - 1)
        own = self._own_rows(exclude, len(states))
        for rows in _blocks(len(states)):
            points = self._points(states.rows(rows))
            distances, found = _nearest(index, points, own[rows], count)
            weights = _kernel(distances) * self._recency[found]
            mass = np.sum(weights, axis=1) + self.settings.prior_games
            for place in range(len(HORIZONS)):
                if not np.isnan(departures[0, place]):
                    gained = departures[:, place][found]
                    total[rows, place] += np.sum(weights * gained, axis=1) / mass
        return total

    def similar_games(
        self, states: States, count: int, *, exclude: Sequence[str | None] | None = None
    ) -> list[tuple[SimilarGame, ...]]:
        """Per state its `count` most similar past games, nearest first, equals by their row."""
        if count < 1 or states.minute >= REGULATION_MINUTES:
            return [()] * len(states)
        index, _ = self._at(states.minute)
        count = min(count, len(self.library.games) - 1)
        # Equally near games at the edge are chosen by FAISS's order of search, so ask for more.
        wide = min(4 * count + 50, len(self.library.games) - 1)
        own = self._own_rows(exclude, len(states))
        distances, found = _nearest(index, self._points(states), own, wide)
        return [
            tuple(
                self._similar_game(states.minute, int(row), float(np.sqrt(distance)) / STEPS)
                for row, distance in zip(found[one, :count], distances[one, :count], strict=True)
            )
            for one in range(len(states))
        ]

    def _at(self, minute: int) -> tuple[faiss.IndexFlatL2, FloatArray]:
        """The index at `minute` and the departures (n, 2) from there on, built at first use."""
        if minute not in self._indexes:
            games, expected = self.library.games, self.library.expected_margins
            states = states_at(games, expected, minute)
            points = self._points(states)
            index = faiss.IndexFlatL2(points.shape[1])
            index.add(points)
            self._indexes[minute] = index, self._drift.departures(games, states)
        return self._indexes[minute]

    def _own_rows(self, exclude: Sequence[str | None] | None, count: int) -> RowArray:
        """Row (n,) of each excluded game in the library, -1 where it is not there."""
        if exclude is None:
            return np.full(count, -1)
        if len(exclude) != count:
            raise PatternError(f"exclude: expected {count} entries; got {len(exclude)}")
        rows = self.library.rows
        return np.asarray(
            [-1 if game_id is None else rows.get(game_id, -1) for game_id in exclude],
            dtype=np.int64,
        )

    def _similar_game(self, minute: int, row: int, distance: float) -> SimilarGame:
        games = self.library.games
        return SimilarGame(
            game_id=str(games.game_id[row]),
            date=games.date[row].item(),
            home_team=str(games.home[row]),
            away_team=str(games.away[row]),
            pattern=tuple(games.margins[row, :minute].astype(float).tolist()),
            halftime_margin=float(games.halftime_margin[row]),
            final_margin=float(games.final_margin[row]),
            distance=distance,
        )

    def _check_exact(self) -> None:
        """Refuse scales with which the farthest pair of points would leave exact arithmetic."""
        minute = REGULATION_MINUTES - 1
        swing = np.full((2, minute + 1), [[-REACH_POINTS], [REACH_POINTS]])
        swing[:, -1] *= -1
        expected = np.array([REACH_POINTS, -REACH_POINTS])
        extremes = self._points(States(minute, swing, expected, np.zeros(2, dtype=np.int8)))
        farthest = float(np.sum((extremes[0] - extremes[1]).astype(np.float64) ** 2))
        if farthest >= EXACT:
            raise DataError(
                f"dejavu: expected scales with squared distances below {EXACT / STEPS**2:,.0f}; "
                f"{self.settings} gives up to {farthest / STEPS**2:,.0f}. Make them smaller"
            )

    def _points(self, states: States) -> npt.NDArray[np.float32]:
        scales, minute = self.settings, states.minute
        length = np.sqrt(18 / minute) if minute else 1.0
        columns = (
            _within_reach(origin_shifted(states.paths)[:, 1:-1]) * (scales.path_scale * length),
            _within_reach(states.present[:, None]) * scales.margin_scale,
            _within_reach(states.expected[:, None]) * scales.expected_scale,
        )
        return np.ascontiguousarray(np.rint(np.hstack(columns) * STEPS), dtype=np.float32)


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def _within_reach(margins: FloatArray) -> FloatArray:
    return np.clip(margins, -REACH_POINTS, REACH_POINTS)


def _nearest(
    index: faiss.IndexFlatL2, points: npt.NDArray[np.float32], own: RowArray, count: int
) -> tuple[FloatArray, RowArray]:
    """Squared distances and rows (n, count) of the nearest games other than `own`, by distance.

    Distances are in squared steps; equally near games are in the order of their rows, so that
    sums over them always round the same way.
    """
    distances, rows = index.search(points, count + 1)
    # The game itself goes, or else the farthest of the count + 1: it is sorted to the end.
    distances[rows == own[:, None]] = EXACT
    keys = (distances.astype(np.int64) << ROW_BITS) | rows
    keys.sort(axis=1)
    kept = keys[:, :count]
    return (kept >> ROW_BITS).astype(np.float64), kept & (2**ROW_BITS - 1)


def _kernel(distances: FloatArray) -> FloatArray:
    """Epanechnikov weights (n, k): 1 at distance 0, falling to 0 at the farthest neighbour.

    Games as far as the farthest weigh nothing, so it does not matter which of them were found.
    """
    radius = distances[:, -1:]
    level = radius <= distances[:, :1]
    return np.where(level, 1.0, 1.0 - distances / np.where(level, 1.0, radius))
