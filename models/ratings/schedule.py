"""Schedule: when and where each team played last, and so how rested it comes to a game."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Self

from models.errors import DataError

CROWDED_DAYS = 3
CROWDED_GAMES = 2


@dataclass(frozen=True, slots=True)
class Appearance:
    """One game of a team."""

    date: datetime.date
    away: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """How a team comes to a game.

    `back_to_back`: it played the day before; `from_road`: and away from home. `crowded`: it played
    two games or more in the three days before.
    """

    back_to_back: bool = False
    from_road: bool = False
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """The last games of every team, as far back as rest depends on them; by franchise."""

    recent: Mapping[str, tuple[Appearance, ...]] = field(default_factory=dict)

    def rest(self, team: str, day: datetime.date) -> Rest:
        """How rested the team comes to a game on `day`, from its games of earlier days."""
        back_to_back = from_road = False
        games = 0
        for game in self.recent.get(team, ()):
            age = (day - game.date).days
            games += 1 <= age <= CROWDED_DAYS
            if age == 1:
                back_to_back, from_road = True, from_road or game.away
        return Rest(back_to_back, from_road, games >= CROWDED_GAMES)

    def after(self, home: str, away: str, day: datetime.date) -> Self:
        """With one more game; it may be older than the last."""
        played = {team: self._with(team, Appearance(day, team == away)) for team in (home, away)}
        return type(self)({**self.recent, **played})

    def _with(self, team: str, game: Appearance) -> tuple[Appearance, ...]:
        games = sorted((*self.recent.get(team, ()), game), key=attrgetter("date"))
        last = games[-1].date
        return tuple([one for one in games if (last - one.date).days < CROWDED_DAYS])

    def to_state(self) -> dict[str, list[list[str | bool]]]:
        """Plain JSON data: by team its last games as date (YYYY-MM-DD) and whether away."""
        return {
            team: [[game.date.isoformat(), game.away] for game in games]
            for team, games in self.recent.items()
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read back what `to_state` wrote; raises DataError on anything else."""
        try:
            return cls(
                {
                    team: tuple(
                        Appearance(datetime.date.fromisoformat(date), bool(away))
                        for date, away in games
                    )
                    for team, games in state.items()
                }
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                "schedule: expected by team a list of date (YYYY-MM-DD) and whether away; "
                f"{type(error).__name__}: {error}"
            ) from error
