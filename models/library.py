"""The library: the past games that Dejavu searches, and their form as a table."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from models.errors import DataError
from models.games import GameTable
from models.pattern import FloatArray


@dataclass(frozen=True, slots=True)
class Library:
    """The games that are searched, with what was expected of each before it began."""

    games: GameTable
    expected_margins: FloatArray

    def __post_init__(self) -> None:
        if len(self.games) != len(self.expected_margins):
            raise DataError(
                f"library: expected one expected margin per game; got {len(self.games)} games "
                f"and {len(self.expected_margins)} expected margins"
            )

    def to_table(self) -> pa.Table:
        """One row per game; the margins as a list of 48 in one column."""
        games = self.games
        return pa.table(
            {
                "game_id": pa.array(games.game_id.tolist(), pa.string()),
                "date": pa.array(games.date, pa.date32()),
                "season": pa.array(games.season, pa.int16()),
                "playoffs": pa.array(games.playoffs, pa.bool_()),
                "home": pa.array(games.home.tolist(), pa.string()),
                "away": pa.array(games.away.tolist(), pa.string()),
                "margins": pa.FixedSizeListArray.from_arrays(
                    pa.array(games.margins.ravel(), pa.int16()), games.margins.shape[1]
                ),
                "final_margin": pa.array(games.final_margin, pa.int16()),
                "expected_margin": pa.array(self.expected_margins, pa.float64()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The library of `to_table`; raises KeyError on a missing column."""
        margins = table["margins"].combine_chunks()
        games = GameTable(
            game_id=np.asarray(table["game_id"].to_pylist(), dtype=np.str_),
            date=table["date"].to_numpy().astype("datetime64[D]"),
            season=table["season"].to_numpy(),
            playoffs=table["playoffs"].to_numpy(),
            home=np.asarray(table["home"].to_pylist(), dtype=np.str_),
            away=np.asarray(table["away"].to_pylist(), dtype=np.str_),
            margins=margins.flatten().to_numpy().reshape(len(table), margins.type.list_size),
            final_margin=table["final_margin"].to_numpy(),
        )
        return cls(games, table["expected_margin"].to_numpy())
