"""A fold: what is trained or loaded once, so that chunks of its games can be scored."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from models.backtest.walk import Points, Walk, walk
from models.errors import DataError
from models.game.game_state import states_at
from models.game.games import BoolArray, GameTable
from models.game.horizon import HALFTIME_MINUTE
from models.game.pattern import FloatArray
from models.training.bundle import Bundle
from models.training.model_card import model_card
from models.training.training import TrainingPlan, train_bundle

_ARRAYS = ("ensemble", "quantiles", "pit", "crps", "win_probability")
_POINTS = ("expected", "dejavu", "lstm", "actual")


@dataclass(frozen=True, slots=True)
class Fold:
    """What was forecast of the games of one origin.

    `walk` holds the forecasts of the games in `game_id` (n,), `reference_lstm` (m, 24) the LSTM's
    halftime margins, at minutes 0 to 23, of the last season before them: that is what the oldest
    baseline takes its spread from. `model_version` names the bundle.
    """

    game_id: np.ndarray[tuple[int], np.dtype[np.str_]]
    walk: Walk
    reference_lstm: FloatArray
    model_version: str

    def save(self, path: Path, fingerprint: str) -> None:
        """Write it at once: under another name first, so that a kill leaves no half file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished.npz")
        np.savez(
            unfinished,
            fingerprint=fingerprint,
            model_version=self.model_version,
            game_id=self.game_id,
            reference_lstm=self.reference_lstm,
            **{name: getattr(self.walk, name) for name in _ARRAYS},
            **{f"points_{name}": getattr(self.walk.points, name) for name in _POINTS},
        )
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Self | None:
        """The fold of `save`, None where there is none.

        Raises DataError where it is of another backtest.
        """
        if not path.exists():
            return None
        with np.load(path) as arrays:
            if str(arrays["fingerprint"]) != fingerprint:
                raise DataError(
                    f"{path}: expected forecasts of this backtest ({fingerprint}); got those of "
                    f"{arrays['fingerprint']}. Give another folder, or remove this one"
                )
            points = Points(*(arrays[f"points_{name}"] for name in _POINTS))
            return cls(
                game_id=arrays["game_id"],
                walk=Walk(points, *(arrays[name] for name in _ARRAYS)),
                reference_lstm=arrays["reference_lstm"],
                model_version=str(arrays["model_version"]),
            )

    def of(self, rows: BoolArray) -> "Fold":
        """The fold with some of its games (n,) alone."""
        points = Points(*(getattr(self.walk.points, name)[rows] for name in _POINTS))
        told = Walk(points, *(getattr(self.walk, name)[rows] for name in _ARRAYS))
        return replace(self, game_id=self.game_id[rows], walk=told)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fold, and the bundle with its model card where one was trained for it."""

    fold: Fold
    bundle: Bundle | None = None
    card: str = ""


def train_fold(
    games: GameTable, expected: FloatArray, season: int, training: TrainingPlan
) -> Prepared:
    """Train on the seasons before `season` and forecast it.

    `expected` (n,) are the walked expected margins of all games, in points.
    """
    until = max(one for one in games.seasons() if one < season)
    trained = train_bundle(games, until, plan=training, device="cpu")
    test = games.select(games.season == season)
    fold = bundle_fold(trained.bundle, test, last_season(games, expected, season)).fold
    # Without the search that the forecasts were made with: the bundle is only to be saved now.
    return Prepared(fold, replace(trained.bundle), model_card(trained))


def bundle_fold(
    bundle: Bundle,
    games: GameTable,
    reference: tuple[GameTable, FloatArray],
    given: FloatArray | None = None,
) -> Prepared:
    """Forecast games (n,) that the bundle has not seen.

    `reference` are the games of an earlier season and their expected margins; `given` (n,) expected
    margins of the caller's.
    """
    lstm = bundle.load_lstm("cpu").over_courses(*reference)
    reference_lstm = np.zeros((len(reference[0]), HALFTIME_MINUTE))
    for minute in range(HALFTIME_MINUTE):
        states = states_at(*reference, minute)
        reference_lstm[:, minute] = lstm(states)[:, 0] + states.present
    told = walk(bundle, games, given)
    return Prepared(Fold(games.game_id, told, reference_lstm, bundle.model_version))


def last_season(
    games: GameTable, expected: FloatArray, season: int
) -> tuple[GameTable, FloatArray]:
    """The games of the last season before `season`, with their expected margins."""
    chosen = games.season == max(one for one in games.seasons() if one < season)
    return games.select(chosen), expected[chosen]


def save_bundle(bundle: Bundle, card: str, folder: Path) -> None:
    """Write a bundle at once, in place of one that a kill has left."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    for left in (unfinished, folder):
        if left.exists():
            shutil.rmtree(left)
    bundle.save(unfinished, card)
    unfinished.replace(folder)
