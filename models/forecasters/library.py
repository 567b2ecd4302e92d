"""The library: the past games that Dejavu searches, and their form as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.errors import DataError
from models.game.games import GameTable
from models.game.pattern import FloatArray

_PLAIN: Mapping[str, pa.DataType] = {
    "date": pa.date32(),
    "season": pa.int16(),
    "playoffs": pa.bool_(),
    "final_home": pa.int16(),
    "final_away": pa.int16(),
}
_TEXTS = ("game_id", "home", "away")
_PER_MINUTE: Mapping[str, pa.DataType] = {"margins": pa.int16(), "last_score": pa.int8()}


@dataclass(frozen=True, slots=True)
class Library:
    """The games that are searched, with what was expected of each before it began.

    `rows` finds a game by its id.
    """

    games: GameTable
    expected_margins: FloatArray
    rows: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.games) != len(self.expected_margins):
            raise DataError(
                f"library: expected one expected margin per game; got {len(self.games)} games "
                f"and {len(self.expected_margins)} expected margins"
            )
        rows = {game_id: row for row, game_id in enumerate(self.games.game_id.tolist())}
        object.__setattr__(self, "rows", rows)

    def to_table(self) -> pa.Table:
        """One row per game; what is known per minute as a list of 48 in one column."""
        games = self.games
        return pa.table(
            {
                **{name: pa.array(getattr(games, name).tolist(), pa.string()) for name in _TEXTS},
                **{name: pa.array(getattr(games, name), kind) for name, kind in _PLAIN.items()},
                **{name: _lists(getattr(games, name), kind) for name, kind in _PER_MINUTE.items()},
                "expected_margin": pa.array(self.expected_margins, pa.float64()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The library of `to_table`; raises KeyError on a missing column."""
        columns: dict[str, npt.NDArray[Any]] = {
            **{name: np.asarray(table[name].to_pylist(), dtype=np.str_) for name in _TEXTS},
            **{name: table[name].to_numpy() for name in _PLAIN},
            **{name: _matrix(table[name]) for name in _PER_MINUTE},
        }
        columns["date"] = columns["date"].astype("datetime64[D]")
        return cls(GameTable(**columns), table["expected_margin"].to_numpy())


def _lists(values: npt.NDArray[Any], kind: pa.DataType) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind), values.shape[1])


def _matrix(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    lists = column.combine_chunks()
    values: npt.NDArray[Any] = lists.flatten().to_numpy()
    return values.reshape(len(column), lists.type.list_size)
