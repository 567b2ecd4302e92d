"""The error log: how far the models' forecasts of past games were off, for calibration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.calibration.calibration import Calibration, CalibrationSettings
from models.calibration.learned_game import LearnedGame, as_table
from models.calibration.learning import ERROR_DECIMALS, game_errors, no_increments
from models.errors import DataError
from models.forecasters.ensemble import Ensemble
from models.game.horizon import CELLS
from models.game.pattern import FloatArray

HUNDREDTHS = 10**ERROR_DECIMALS
_MODELS = ("dejavu", "lstm", "persistence")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLog:
    """Actual − forecast in points, of games that the models had not seen, in order of date.

    `dejavu`, `lstm` and `persistence` are (n, cells), by `models.game.horizon.CELLS`; `date` is
    (n,). The errors of both models are kept apart, so that an ensemble with other weights gets an
    interval of its own.
    """

    date: npt.NDArray[np.datetime64]
    dejavu: FloatArray
    lstm: FloatArray
    persistence: FloatArray

    def __post_init__(self) -> None:
        shapes = {getattr(self, name).shape for name in _MODELS}
        if shapes != {(len(self.date), len(CELLS))}:
            raise DataError(
                f"error log: expected arrays of shape ({len(self.date)}, {len(CELLS)}); "
                f"got {sorted(shapes)}"
            )

    @classmethod
    def of_games(cls, games: Sequence[LearnedGame]) -> Self:
        """The errors of learned games whose course is known, given in order of date."""
        table = as_table(list(games))
        shape = (len(games), len(CELLS))
        return cls(
            date=table.date,
            dejavu=np.asarray([game.dejavu_errors for game in games], float).reshape(shape),
            lstm=np.asarray([game.lstm_errors for game in games], float).reshape(shape),
            persistence=game_errors(no_increments, table, np.zeros(len(games))),
        )

    def __len__(self) -> int:
        return len(self.date)

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """The games where `chosen` (n,) is true."""
        return replace(
            self, date=self.date[chosen], **{name: getattr(self, name)[chosen] for name in _MODELS}
        )

    def of(self, ensemble: Ensemble) -> FloatArray:
        """The errors (n, cells) of the ensemble with these weights."""
        return ensemble.combine(self.dejavu, self.lstm)

    def calibration(
        self, ensemble: Ensemble, settings: CalibrationSettings | None = None
    ) -> Calibration:
        """The calibration of the ensemble with these weights."""
        return Calibration.fit(self.of(ensemble), self.date, settings)

    def persistence_calibration(self, settings: CalibrationSettings | None = None) -> Calibration:
        """The calibration of the baseline: the margin stays."""
        return Calibration.fit(self.persistence, self.date, settings)

    def to_table(self) -> pa.Table:
        """One row per game, the errors as lists of hundredths of a point."""
        columns = {name: np.rint(getattr(self, name) * HUNDREDTHS) for name in _MODELS}
        return pa.table(
            {
                "date": pa.array(self.date, pa.date32()),
                **{
                    name: pa.FixedSizeListArray.from_arrays(
                        pa.array(errors.ravel().astype(np.int16)), len(CELLS)
                    )
                    for name, errors in columns.items()
                },
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The log of `to_table`; raises KeyError on a missing column."""
        columns = {name: table[name].combine_chunks().flatten().to_numpy() for name in _MODELS}
        return cls(
            date=table["date"].to_numpy().astype("datetime64[D]"),
            **{
                name: np.round(errors / HUNDREDTHS, ERROR_DECIMALS).reshape(len(table), -1)
                for name, errors in columns.items()
            },
        )
