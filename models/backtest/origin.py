"""Origins: what each season is forecast by: a bundle trained just before it, or a given one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from models.backtest.executor import Call
from models.backtest.fold import bundle_fold, last_season, train_fold
from models.backtest.plan import MINUTES, BacktestPlan
from models.errors import DataError
from models.game.games import BoolArray, GameTable
from models.game.pattern import FloatArray
from models.ratings.strength import expected_margins
from models.training.bundle import Bundle
from models.training.training import TrainingPlan

Share = Callable[[object], object]


class Tables(NamedTuple):
    """The games of a season to forecast, and what the baselines may learn from for them.

    `expected` (m,) are the expected margins of the earlier games, in points.
    """

    test: GameTable
    earlier: GameTable
    expected: FloatArray


class Origin(Protocol):
    """Everything of a backtest that its two kinds do not have in common."""

    @property
    def plan(self) -> BacktestPlan:
        """What is to be done."""
        ...

    @property
    def title(self) -> str:
        """What forecasts, in words."""
        ...

    def fold_of(self, season: int) -> str:
        """The name of the fold that forecasts a season."""
        ...

    def prepare(self, fold: str, share: Share) -> Call:
        """What makes a fold."""
        ...

    def tables(self, season: int) -> Tables:
        """The games of a season and the earlier ones."""
        ...


@dataclass(frozen=True, slots=True)
class RollingOrigin:
    """Every season is forecast by a bundle trained on the seasons before it.

    `expected` (n,) are the walked expected margins of all `games` (n,), in points.
    """

    games: GameTable
    expected: FloatArray
    training: TrainingPlan
    plan: BacktestPlan

    @property
    def title(self) -> str:
        """In words."""
        return "rolling origin: bundles trained on the seasons before each"

    @classmethod
    def of(
        cls,
        games: GameTable,
        seasons: Sequence[int],
        *,
        minutes: Sequence[int] = MINUTES,
        training: TrainingPlan | None = None,
    ) -> "RollingOrigin":
        """Raises DataError on seasons or minutes that cannot be forecast."""
        training = training or TrainingPlan()
        plan = BacktestPlan.rolling_origin(games, seasons, minutes, training)
        games = games.select(games.season <= max(seasons))
        return cls(games, expected_margins(games, training.ratings), training, plan)

    def fold_of(self, season: int) -> str:
        """Each season is its own."""
        return str(season)

    def prepare(self, fold: str, share: Share) -> Call:
        """Train on what is earlier."""
        season = int(fold)
        known = self.games.season <= season
        arguments = share(self.games.select(known)), share(self.expected[known])
        return Call(train_fold, (*arguments, season, self.training))

    def tables(self, season: int) -> Tables:
        """All earlier seasons teach the baselines."""
        earlier = self.games.season < season
        return Tables(
            self.games.select(self.games.season == season),
            self.games.select(earlier),
            self.expected[earlier],
        )


@dataclass(frozen=True, slots=True)
class BundleOrigin:
    """All games (n,) after the last one that a bundle has seen are forecast by it.

    The baselines learn from the games in the file that the bundle may have seen, `earlier` (m,)
    with their `expected` margins; without any, from the bundle's library. `given` (n,) are expected
    margins of the caller's, in points, NaN where the ratings are asked.
    """

    bundle: Bundle
    games: GameTable
    earlier: GameTable
    expected: FloatArray
    given: FloatArray | None
    plan: BacktestPlan

    @property
    def title(self) -> str:
        """In words."""
        return f"the bundle {self.bundle.model_version}"

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        games: GameTable,
        *,
        seasons: Sequence[int] | None = None,
        minutes: Sequence[int] = MINUTES,
        given: FloatArray | None = None,
    ) -> "BundleOrigin":
        """Raises DataError where the bundle has seen a season asked for, or all of the games."""
        later = unseen(bundle, games)
        if seasons is not None:
            seen = sorted(set(seasons) - set(games.select(later).seasons()))
            if seen:
                raise DataError(
                    f"seasons: expected some that {bundle.model_version} has not seen, "
                    f"{games.select(later).seasons() or 'of which the games have none'}; got {seen}"
                )
        chosen = later if seasons is None else later & np.isin(games.season, list(seasons))
        if not chosen.any():
            raise DataError(
                f"games: expected some after {bundle.strength.day}, the last day that "
                f"{bundle.model_version} has seen; got none. Forecasts of games it has learnt from "
                "would prove nothing"
            )
        settings = bundle.strength.settings
        earlier, expected = games.select(~later), expected_margins(games, settings)[~later]
        if not len(earlier):
            earlier, expected = bundle.library.games, bundle.library.expected_margins
        test = games.select(chosen)
        told = None if given is None else given[chosen]
        plan = BacktestPlan.of_bundle(test, minutes, bundle, earlier, told)
        return cls(bundle, test, earlier, expected, told, plan)

    def fold_of(self, season: int) -> str:  # noqa: ARG002 - as the protocol says
        """One for all seasons: what a finished game taught is not forgotten."""
        return "bundle"

    def prepare(self, fold: str, share: Share) -> Call:  # noqa: ARG002 - as the protocol says
        """Forecast everything."""
        reference = last_season(self.earlier, self.expected, self.earlier.seasons()[-1] + 1)
        return Call(
            bundle_fold, (share(self.bundle), share(self.games), share(reference), self.given)
        )

    def tables(self, season: int) -> Tables:
        """The same earlier games for every season: the bundle has not learnt from later ones."""
        return Tables(self.games.select(self.games.season == season), self.earlier, self.expected)


def unseen(bundle: Bundle, games: GameTable) -> BoolArray:
    """Which games (n,) were played after the last day that anything in a bundle has seen."""
    last = bundle.strength.day
    return np.ones(len(games), dtype=np.bool_) if last is None else games.date > np.datetime64(last)
