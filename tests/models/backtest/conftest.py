"""A small history, its backtest, and the same games as the two files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.backtest.executor import InProcess
from models.backtest.origin import RollingOrigin
from models.backtest.run import Ran, run_backtest
from models.game.games import GameTable
from tests.models.conftest import PLAN, make_games

SEASONS = (2014, 2015)
MINUTES = (2, 6, 18, 24, 36, 47)


@pytest.fixture(scope="session")
def history() -> GameTable:
    return make_games(range(2010, 2016), days=25)


def rolling(games: GameTable, minutes: tuple[int, ...] = MINUTES) -> RollingOrigin:
    return RollingOrigin.of(games, SEASONS, minutes=minutes, training=PLAN)


@pytest.fixture(scope="session")
def origin(history: GameTable) -> RollingOrigin:
    return rolling(history)


@pytest.fixture(scope="session")
def ran(origin: RollingOrigin, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The backtest of the history, run once."""
    return run_backtest(origin, tmp_path_factory.mktemp("backtest"), InProcess())


def contents(parts: list[Path]) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in parts}


def write_files(games: GameTable, folder: Path) -> tuple[Path, Path]:
    """The games as files: one event at the end of each minute, the away side at 110 throughout."""
    count = len(games)
    rows = {
        "game_id": games.game_id.tolist(),
        "date": pa.array(games.date, pa.date32()),
        "season": games.season,
        "season_type": ["regular"] * count,
        "home": games.home.tolist(),
        "away": games.away.tolist(),
        "final_home": games.final_home,
        "final_away": games.final_away,
        "periods": [4] * count,
    }
    # After the last minute one more event: what was decided in overtime.
    clocks = np.append(np.tile(np.arange(660.0, -1, -60), 4), 0.0)
    periods = np.append(np.repeat(np.arange(1, 5), 12), 5)
    home = np.column_stack((110 + games.margins, games.final_home))
    events = {
        "game_id": np.repeat(games.game_id, 49).tolist(),
        "period": np.tile(periods, count),
        "seconds_remaining": np.tile(clocks, count),
        "score_home": home.ravel(),
        "score_away": np.full(49 * count, 110),
    }
    paths = folder / "games.parquet", folder / "events.parquet"
    for columns, path in zip((rows, events), paths, strict=True):
        pq.write_table(pa.table(columns), path)
    return paths


@pytest.fixture
def files(history: GameTable, tmp_path: Path) -> tuple[Path, Path]:
    return write_files(history, tmp_path)
