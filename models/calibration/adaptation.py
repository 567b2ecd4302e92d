"""Adaptation: what finished games have taught since a bundle was trained."""

import datetime
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from models.calibration.calibration import Calibration, days
from models.calibration.learned_game import LearnedGame
from models.errors import DataError
from models.forecasters.ensemble import Ensemble
from models.game.horizon import CELLS, Horizon, cell_of
from models.game.pattern import FloatArray
from models.ratings.strength import TeamStrength

HELD_DAYS = 8
# From a last game in spring to a first one in autumn or, once, at Christmas.
SEASON_GAP_DAYS = 250


def is_rated(day: datetime.date, seen: datetime.date | None, last: datetime.date | None) -> bool:
    """Whether ratings as of `last` can tell of a game on `day`: one of the seasons they know.

    Not of a day that the bundle has `seen`, for they know its result and later ones; nor of one
    more than a summer after the last result.
    """
    if seen is None or last is None:
        return True
    return seen < day <= last + datetime.timedelta(days=SEASON_GAP_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Ratings and calibration as they stood on one morning, after `games` learned games."""

    strength: TeamStrength
    calibration: Calibration
    games: int
    version: str


class Adaptation:
    """The ratings and the calibration of a bundle, kept current by the games learned since.

    A pure fold over the learned games in order of date, then of game id: the same games give the
    same numbers whatever the order in which they came. A game of one day is forecast with what the
    games of earlier days taught, so nothing moves during a night, and a backtest that goes through
    the same games date by date finds the same numbers.
    """

    def __init__(
        self,
        strength: TeamStrength,
        calibration: Calibration,
        ensemble: Ensemble,
        model_version: str,
    ) -> None:
        self._start = Form(
            strength=strength, calibration=calibration, games=0, version=f"{model_version}+0"
        )
        self._ensemble = ensemble
        self._model_version = model_version
        self._ids: set[str] = set()
        self._games: list[LearnedGame] = []  # by date, then by game id
        self._forms: dict[int, Form] = {}  # by how many of the first games they know

    def __len__(self) -> int:
        return len(self._games)

    def learn(self, games: Iterable[LearnedGame]) -> None:
        """Take more finished games; one that is known already stays as it is.

        Raises DataError where a game is older than the ratings of the bundle.
        """
        for game in games:
            last = self._start.strength.day
            if last is not None and game.date <= last:
                raise DataError(
                    f"learned game {game.game_id}: expected one after {last}, the last day that "
                    f"the bundle has seen; got {game.date}"
                )
            if game.game_id not in self._ids:
                self._ids.add(game.game_id)
                insort(self._games, game, key=attrgetter("date", "game_id"))
                earlier = bisect_left(self._games, game.date, key=attrgetter("date"))
                self._forms = {n: form for n, form in self._forms.items() if n <= earlier}

    def before(self, day: datetime.date | None) -> Form:
        """The form on the morning of `day`; on None after all learned games."""
        known = len(self._games)
        if day is not None:
            known = bisect_left(self._games, day, key=attrgetter("date"))
        if not known:
            return self._start
        if known not in self._forms:
            while len(self._forms) >= HELD_DAYS:
                del self._forms[next(iter(self._forms))]
            self._forms[known] = self._fold(known)
        return self._forms[known]

    def rates(self, day: datetime.date | None) -> bool:
        """Whether the ratings can tell of a game on `day`, see `is_rated`."""
        if day is None:
            return True
        return is_rated(day, self._start.strength.day, self.before(day).strength.day)

    def levels(self, horizon: Horizon, minute: int) -> FloatArray:
        """Where the outcomes (n,) of the learned games lay, in order of date.

        Each is the share of its predictive distribution, from the end of `minute` and as of the
        morning of its day, that lies below the outcome.
        """
        cell = cell_of(horizon, minute)
        calibration = self._start.calibration.one_cell(cell)
        dates, errors = self._courses(list(self._games))
        errors = errors[:, [cell]]
        levels: list[float] = []
        for day in days(dates):
            shape, spread = calibration.shape(0), calibration.spreads[0]
            levels += [shape.level(error / spread) for error in errors[day, 0].tolist()]
            calibration = calibration.walk(errors[day], dates[day])
        return np.asarray(levels)

    def _fold(self, known: int) -> Form:
        """The form after the first `known` games, from the latest that is held before it.

        Every form that is held ends with a whole day: `learn` drops the others. So the calibration,
        which takes a day at once, gives the same bits from there as from the start.
        """
        before = max((n for n in self._forms if n < known), default=0)
        form = self._forms.get(before, self._start)
        games = self._games[before:known]
        dates, errors = self._courses(games)
        return Form(
            strength=form.strength.after([game.finished() for game in games]),
            calibration=form.calibration.walk(errors, dates),
            games=known,
            version=f"{self._model_version}+{known}",
        )

    def _courses(self, games: list[LearnedGame]) -> tuple[npt.NDArray[np.datetime64], FloatArray]:
        """Dates (n,) and the ensemble's errors (n, cells) of the games whose course is known."""
        chosen = [game for game in games if game.has_course]
        shape = (len(chosen), len(CELLS))
        dejavu = np.asarray([game.dejavu_errors for game in chosen], dtype=np.float64)
        lstm = np.asarray([game.lstm_errors for game in chosen], dtype=np.float64)
        dates = np.asarray([game.date for game in chosen], dtype="datetime64[D]")
        return dates, self._ensemble.combine(dejavu.reshape(shape), lstm.reshape(shape))
