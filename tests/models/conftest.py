"""Synthetic games: small seasons of random walks, with files of the real shape where needed."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.forecasters.dejavu import DejavuSettings
from models.forecasters.drift import FEATURES, Drift
from models.forecasters.library import Library
from models.forecasters.lstm import LstmSettings
from models.forecasters.lstm_training import LstmTraining
from models.game.game_state import GameState, States
from models.game.games import GameTable
from models.game.last_score import CLASSES
from models.ratings.strength import expected_margins
from models.training.bundle import Bundle
from models.training.training import Trained, TrainingPlan, train_bundle

TEAMS = ("ATL", "BOS", "CHI", "DEN", "LAL", "MIA")
REPOSITORY = Path(__file__).parents[2]
SHIPPED_BUNDLE = REPOSITORY / "models" / "bundles" / "nba-2023"
DEMO_NIGHT = REPOSITORY / "models" / "bundles" / "demo_night"
REAL_DATA = REPOSITORY.parent / "shared" / "data"

PLAN = TrainingPlan(
    weight_seasons=1,
    calibration_seasons=2,
    library_seasons=1,
    dejavu=DejavuSettings(neighbours=20),
    lstm=LstmTraining(epochs=2, batch=32, threads=1, settings=LstmSettings(hidden=4)),
)


def make_games(seasons: range = range(2010, 2015), days: int = 40, seed: int = 7) -> GameTable:
    """Three games a day between six teams of different strength."""
    random = np.random.default_rng(seed)
    strength = dict(zip(TEAMS, (-6, -3, 0, 2, 4, 6), strict=True))
    rows: list[tuple[Any, ...]] = []
    for season in seasons:
        for day in range(days):
            teams = random.permutation(TEAMS)
            for home, away in zip(teams[:3], teams[3:], strict=True):
                drift = (strength[home] - strength[away] + 3) / 48
                margins = np.round(np.cumsum(random.normal(drift, 2.4, 48)))
                played = date(season, 11, 1) + timedelta(days=day)
                rows.append((f"{season}{len(rows):06d}", played, season, home, away, margins))
    ids, dates, starts, homes, aways, paths = zip(*rows, strict=True)
    table = np.asarray(paths).astype(np.int16)
    # Drawn apart, so that more seasons do not change those of the first.
    last = np.random.default_rng(seed + 1).integers(-CLASSES, CLASSES + 1, table.shape)
    final = np.where(table[:, -1] == 0, 3, table[:, -1])  # a tie is decided in overtime
    return GameTable(
        game_id=np.asarray(ids, dtype=np.str_),
        date=np.asarray(dates, dtype="datetime64[D]"),
        season=np.asarray(starts, dtype=np.int16),
        playoffs=np.zeros(len(rows), dtype=np.bool_),
        home=np.asarray(homes, dtype=np.str_),
        away=np.asarray(aways, dtype=np.str_),
        margins=table,
        last_score=last.astype(np.int8),
        final_home=(110 + final).astype(np.int16),
        final_away=np.full(len(table), 110, dtype=np.int16),
    )


def wild_tensors(hidden: int, scale: float = 1.0) -> dict[str, npt.NDArray[np.float32]]:
    """A network with weights of its own at every place, its head included."""
    random = np.random.default_rng(5)
    gates, root = 4 * hidden, hidden**-0.5
    shapes = {
        "recurrent.weight_ih_l0": (gates, 4),
        "recurrent.weight_hh_l0": (gates, hidden),
        "recurrent.bias_ih_l0": (gates,),
        "recurrent.bias_hh_l0": (gates,),
    }
    recurrent = {name: scale * random.uniform(-root, root, shape) for name, shape in shapes.items()}
    head = {"head.weight": random.normal(size=(2, hidden)), "head.bias": random.normal(size=2)}
    return {name: array.astype(np.float32) for name, array in {**recurrent, **head}.items()}


def random_states(minute: int, count: int = 64, seed: int = 1) -> States:
    """Games at the end of `minute` that are in no library."""
    random = np.random.default_rng(seed)
    paths = np.zeros((count, minute + 1))
    paths[:, 1:] = random.integers(-4, 5, (count, minute)).cumsum(axis=1)
    last = random.integers(-CLASSES, CLASSES + 1, count).astype(np.int8)
    return States(minute, paths, random.normal(3, 6, count), last)


def live_states(states: States) -> list[GameState]:
    """The same games one by one, as they stand live."""
    return [
        GameState(
            pattern=tuple(path[1:]),
            margin=path[-1],
            elapsed_seconds=60.0 * states.minute,
            last_score=last,
        )
        for path, last in zip(states.paths.tolist(), states.last_score.tolist(), strict=True)
    ]


def no_drift() -> Drift:
    """A drift of nothing, so that departures are increments."""
    return Drift(np.zeros(CLASSES), np.zeros((48, 2, FEATURES)))


@pytest.fixture(scope="session")
def games() -> GameTable:
    return make_games()


@pytest.fixture(scope="session")
def library(games: GameTable) -> Library:
    return Library(games, expected_margins(games))


@pytest.fixture(scope="session")
def drift(library: Library) -> Drift:
    return Drift.fit(library.games, library.expected_margins)


@pytest.fixture(scope="session")
def trained(games: GameTable) -> Trained:
    return train_bundle(games, 2014, plan=PLAN, device="cpu")


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    return Bundle.load(SHIPPED_BUNDLE)


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not (REAL_DATA / "games.parquet").exists():
        pytest.skip(f"needs the real games in {REAL_DATA}")
    return REAL_DATA


GAME = {
    "game_id": "g1",
    "date": date(2024, 1, 5),
    "season": 2023,
    "season_type": "regular",
    "home": "BOS",
    "away": "MIA",
    "final_home": 100,
    "final_away": 90,
    "periods": 4,
}
Event = tuple[str, int, float, int, int]
WriteFiles = Callable[[list[dict[str, object]], list[Event]], tuple[Path, Path]]


@pytest.fixture
def write_files(tmp_path: Path) -> WriteFiles:
    """Write games and events as the two parquet files; events are (id, period, clock, h, a)."""

    def write(games: list[dict[str, object]], events: list[Event]) -> tuple[Path, Path]:
        names = ("game_id", "period", "seconds_remaining", "score_home", "score_away")
        columns = zip(*events, strict=True)
        paths = tmp_path / "games.parquet", tmp_path / "events.parquet"
        pq.write_table(pa.Table.from_pylist(games), paths[0])
        pq.write_table(pa.table(dict(zip(names, map(list, columns), strict=True))), paths[1])
        return paths

    return write
