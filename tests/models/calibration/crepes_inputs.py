"""What crepes was asked, and its recorded answers: shared by the tests and `record_crepes`."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from models.game.horizon import CELLS, cell_of
from models.game.pattern import FloatArray

ANSWERS = Path(__file__).with_name("crepes_answers.json")

SEASON = 1230
# The capital is recorded after every 41st game: thirty times a season, the last one included.
EVERY_41ST = slice(40, None, 41)
PERCENTS = np.arange(1, 100)
NORMAL = NormalDist()


def uniform(seed: int, games: int = SEASON) -> FloatArray:
    return np.random.default_rng(seed).random(games)


def levels_of_errors(seed: int, *, centre: float = 0.0, spread: float = 1.0) -> FloatArray:
    """Levels of normal outcomes whose forecasts expect a centre of 0 and a spread of 1."""
    errors = np.random.default_rng(seed).normal(centre, spread, SEASON)
    return np.asarray([NORMAL.cdf(error) for error in errors.tolist()])


LEVELS = {
    "uniform": uniform(1),
    "squared": uniform(2) ** 2,
    "stretched": levels_of_errors(3, spread=1.4),
}


@dataclass(frozen=True)
class Unscaled:
    """Errors of equal weight and without a scale, and margins within them."""

    errors: FloatArray
    margins: FloatArray


# crepes takes its quantiles at one of the scores; ours are on a grid of half percents. With 199 and
# with 399 scores the grid's levels fall on scores.
UNSCALED_GAMES = (199, 399)


def unscaled_of(games: int) -> Unscaled:
    random = np.random.default_rng(games)
    errors = random.standard_t(5, games) * 4
    return Unscaled(errors, margins=random.uniform(errors.min(), errors.max(), 101))


@dataclass(frozen=True)
class Normalised:
    """Scores and spreads of all cells, of which crepes is asked about one."""

    scores: FloatArray
    squares: FloatArray
    cell: int = cell_of("final", 30)
    point: float = 7.0
    alpha: float = 0.2

    @property
    def spread(self) -> float:
        return math.sqrt(self.squares[self.cell])

    @property
    def residuals(self) -> FloatArray:
        return self.scores[:, self.cell] * self.spread


def normalised() -> Normalised:
    scores = np.random.default_rng(2).normal(0, 1, (399, len(CELLS)))
    return Normalised(scores, squares=np.linspace(1, 100, len(CELLS)))


def checksum(*inputs: ArrayLike) -> float:
    """The sum of the inputs, each times its place, so that their order counts too."""
    values = np.concatenate([np.ravel(part) for part in inputs])
    return float(values @ np.arange(1, len(values) + 1))


def recorded(question: str, *inputs: ArrayLike) -> dict[str, FloatArray]:
    """What crepes answered to a question; fails where it was asked with other inputs."""
    answer = json.loads(ANSWERS.read_text())["answers"][question]
    # Not to the bit: another platform's logarithm may differ in the last one.
    assert math.isclose(answer.pop("checksum"), checksum(*inputs), rel_tol=1e-9), (
        f"the inputs of {question!r} are not those that crepes answered to:"
        " record again by tests/models/calibration/record_crepes.py"
    )
    return {name: np.asarray(values) for name, values in answer.items()}
