"""Rows: what a backtest writes, one row per game, minute, horizon and model, as Parquet parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.backtest.forecasts import LEVELS, Forecasts
from models.errors import DataError
from models.game.games import GameTable
from models.game.horizon import Horizon

QUANTILES = tuple(f"q{f'{level:.3f}'[2:].rstrip('0'):0<2}" for level in LEVELS)
FINGERPRINT = b"backtest_fingerprint"

_NAME = pa.dictionary(pa.int8(), pa.string())
SCHEMA = pa.schema(
    [
        ("game_id", pa.string()),
        ("date", pa.date32()),
        ("season", pa.int16()),
        ("horizon", _NAME),
        ("minute", pa.int8()),
        ("model", _NAME),
        ("margin", pa.int16()),
        ("actual", pa.int16()),
        ("point", pa.float32()),
        *((name, pa.float32()) for name in QUANTILES),
        ("win_probability", pa.float32()),
        ("pit", pa.float32()),
        ("crps", pa.float32()),
    ]
)
_FLOATS = ("point", *QUANTILES, "win_probability", "pit", "crps")


@dataclass(frozen=True, slots=True)
class Cell:
    """All that the models said of n games at one minute; margins in points.

    `margin` (n,) is the present one, `actual` (n,) the one at the horizon.
    """

    minute: int
    margin: npt.NDArray[np.int16]
    actual: npt.NDArray[np.int16]
    forecasts: Mapping[str, Forecasts]


def part_table(games: GameTable, horizon: Horizon, cells: list[Cell]) -> pa.Table:
    """The rows of n games by minute, then model, then game: the order that `read_part` needs."""
    count = len(games)
    told = [(cell, name, cell.forecasts[name]) for cell in cells for name in cell.forecasts]
    models = sorted({name for _, name, _ in told})

    def of_game(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.tile(values, len(told))

    def per_run(values: list[int]) -> npt.NDArray[np.int8]:
        return np.repeat(np.asarray(values, dtype=np.int8), count)

    def joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(parts)

    columns: dict[str, Any] = {
        "game_id": pa.array(of_game(games.game_id).tolist(), pa.string()),
        "date": of_game(games.date),
        "season": of_game(games.season),
        "horizon": pa.DictionaryArray.from_arrays(per_run([0] * len(told)), pa.array([horizon])),
        "minute": per_run([cell.minute for cell, _, _ in told]),
        "model": pa.DictionaryArray.from_arrays(
            per_run([models.index(name) for _, name, _ in told]), pa.array(models)
        ),
        "margin": joined([cell.margin for cell, _, _ in told]),
        "actual": joined([cell.actual for cell, _, _ in told]),
        "point": _reals([forecast.point for _, _, forecast in told]),
        "win_probability": _reals([forecast.win_probability for _, _, forecast in told]),
        "pit": _reals([forecast.pit for _, _, forecast in told]),
        "crps": _reals([forecast.crps for _, _, forecast in told]),
    }
    for place, name in enumerate(QUANTILES):
        columns[name] = _reals([forecast.quantiles[:, place] for _, _, forecast in told])
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def write_part(table: pa.Table, path: Path, fingerprint: str) -> None:
    """Write a part at once: under another name first, so that a kill leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(
        table.replace_schema_metadata({FINGERPRINT: fingerprint.encode()}),
        unfinished,
        compression="zstd",
        use_dictionary=["game_id", "horizon", "model"],
        column_encoding=dict.fromkeys(_FLOATS, "BYTE_STREAM_SPLIT"),
        row_group_size=len(table),
    )
    unfinished.replace(path)


def is_written(path: Path, fingerprint: str) -> bool:
    """Whether the part is there already; raises DataError where it is of another backtest."""
    if not path.exists():
        return False
    found = (pq.read_schema(path).metadata or {}).get(FINGERPRINT, b"").decode()
    if found != fingerprint:
        raise DataError(
            f"{path}: expected rows of this backtest ({fingerprint}); got those of another "
            f"({found or 'unknown'}): other data, settings or code. Give another folder, or remove "
            "this one"
        )
    return True


def read_part(path: Path) -> tuple[int, Horizon, list[Cell]]:
    """Season, horizon and cells of a part, as `part_table` was given them."""
    table = pq.read_table(path)
    minutes = table["minute"].to_numpy()
    names = table["model"].combine_chunks()
    labels, codes = names.dictionary.to_pylist(), names.indices.to_numpy()
    ends = np.flatnonzero((np.diff(minutes) != 0) | (np.diff(codes) != 0)) + 1
    starts = [0, *ends.tolist()]
    count = int(ends[0]) if len(ends) else len(table)
    columns = {name: table[name].to_numpy() for name in ("margin", "actual", *_FLOATS)}
    found: dict[int, dict[str, slice]] = {}
    for start in starts:
        run = slice(start, start + count)
        found.setdefault(int(minutes[start]), {})[labels[codes[start]]] = run
    cells = [_cell(minute, runs, columns) for minute, runs in found.items()]
    horizon: Horizon = table["horizon"][0].as_py()
    return int(table["season"][0].as_py()), horizon, cells


def _cell(minute: int, runs: Mapping[str, slice], columns: Mapping[str, npt.NDArray[Any]]) -> Cell:
    first = next(iter(runs.values()))
    return Cell(
        minute,
        columns["margin"][first],
        columns["actual"][first],
        {name: _forecasts(columns, run) for name, run in runs.items()},
    )


def _forecasts(columns: Mapping[str, npt.NDArray[Any]], run: slice) -> Forecasts:
    def real(name: str) -> npt.NDArray[np.float64]:
        return columns[name][run].astype(np.float64)

    return Forecasts(
        point=real("point"),
        quantiles=np.column_stack([real(name) for name in QUANTILES]),
        pit=real("pit"),
        crps=real("crps"),
        win_probability=real("win_probability"),
    )


def _reals(parts: list[npt.NDArray[np.float64]]) -> pa.Array:
    """A float32 column in which what is not said is null."""
    return pa.array(np.concatenate(parts).astype(np.float32), from_pandas=True)
