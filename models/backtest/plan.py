"""The plan: what a backtest will do, cut into chunks, and a fingerprint of all it depends on."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Self

import numpy as np

from models.backtest.level_neighbours import NEIGHBOURS
from models.backtest.sample import SPREAD_SEASONS
from models.errors import DataError
from models.game.games import GameTable
from models.game.horizon import END_MINUTE, HORIZONS, REGULATION_MINUTES, Horizon
from models.game.pattern import FloatArray
from models.training.bundle import Bundle
from models.training.training import TrainingPlan

# Raised with every change of the code that changes rows: rows of other code are never mixed in.
FORMAT = 3
BLOCK_MINUTES = 12
MINUTES = tuple(range(1, REGULATION_MINUTES))


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """One season at some minutes for one horizon: what one task scores and one part holds."""

    season: int
    horizon: Horizon
    minutes: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the part's file."""
        return f"{self.season}-{self.horizon}-{self.minutes[0]:02d}-{self.minutes[-1]:02d}.parquet"


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """Which seasons are forecast, from which game minutes, and what the rows depend on.

    `fingerprint` is the same wherever and however often the same thing is run.
    """

    seasons: tuple[int, ...]
    minutes: tuple[int, ...]
    fingerprint: str

    @classmethod
    def rolling_origin(
        cls,
        games: GameTable,
        seasons: Sequence[int],
        minutes: Sequence[int],
        training: TrainingPlan,
    ) -> Self:
        """Each season by models of the earlier ones alone.

        Raises DataError on a season that is not there, or has too few before it.
        """
        present = games.seasons()
        missing = sorted(set(seasons) - set(present))
        if missing or not seasons:
            raise DataError(f"seasons: expected some of {present}; got {missing or 'none'}")
        needed = training.weight_seasons + training.calibration_seasons + 1
        if present.index(min(seasons)) < needed:
            raise DataError(
                f"seasons: expected at least {needed} seasons before each; {min(seasons)} has "
                f"{present.index(min(seasons))}"
            )
        settings = {"training": asdict(training), "games": _digest(games)}
        return cls._of(seasons, minutes, settings)

    @classmethod
    def of_bundle(
        cls,
        games: GameTable,
        minutes: Sequence[int],
        bundle: Bundle,
        earlier: GameTable,
        given: FloatArray | None = None,
    ) -> Self:
        """The games of a bundle's future, the baselines learning from the `earlier` ones.

        `given` are expected margins of the caller's.
        """
        digest = _digest(games) + _digest(earlier)
        if given is not None:
            digest += hashlib.sha256(given.tobytes()).hexdigest()
        settings = {"bundle": bundle.content_version(), "games": digest}
        return cls._of(games.seasons(), minutes, settings)

    @classmethod
    def _of(cls, seasons: Sequence[int], minutes: Sequence[int], settings: object) -> Self:
        wrong = sorted(set(minutes) - set(MINUTES))
        if wrong or not minutes:
            raise DataError(
                f"minutes: expected some of {MINUTES[0]} to {MINUTES[-1]}; got {wrong or 'none'}"
            )
        ordered = tuple(sorted(set(seasons))), tuple(sorted(set(minutes)))
        content = json.dumps(
            [FORMAT, *ordered, NEIGHBOURS, SPREAD_SEASONS, settings], sort_keys=True
        )
        return cls(*ordered, hashlib.sha256(content.encode()).hexdigest()[:16])

    def chunks(self) -> Iterator[Chunk]:
        """All of them, season by season."""
        for season in self.seasons:
            for horizon in HORIZONS:
                told = [minute for minute in self.minutes if minute < END_MINUTE[horizon]]
                for start in range(0, len(told), BLOCK_MINUTES):
                    yield Chunk(season, horizon, tuple(told[start : start + BLOCK_MINUTES]))


def _digest(games: GameTable) -> str:
    """A hash of every column of the games."""
    digest = hashlib.sha256()
    for column in fields(games):
        values = np.ascontiguousarray(getattr(games, column.name))
        digest.update(f"{column.name} {values.dtype} {values.shape} ".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
