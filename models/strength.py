"""Team strength: the margin to expect before a game, from earlier results only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from models.games import GameTable
from models.pattern import FloatArray

StrengthSource = Literal["ratings", "unknown_team", "home_advantage"]

# A franchise that moved or changed its name keeps its strength. The Charlotte Hornets of
# 1988-2002 (CHH) went to New Orleans; CHA is the expansion team of 2004.
FRANCHISES = {
    "SEA": "OKC",
    "NJN": "BKN",
    "VAN": "MEM",
    "CHH": "NOP",
    "NOH": "NOP",
    "NOK": "NOP",
    "WSB": "WAS",
}
# The same teams as other feeds write them.
OTHER_SPELLINGS = {
    "BRK": "BKN",
    "CHO": "CHA",
    "GS": "GSW",
    "NO": "NOP",
    "NY": "NYK",
    "PHO": "PHX",
    "SA": "SAS",
    "UTAH": "UTA",
    "WSH": "WAS",
}
_FRANCHISE_OF = FRANCHISES | OTHER_SPELLINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSettings:
    """How the ratings learn.

    `step` is the share of a surprise (final − expected margin, points) that each side's rating
    takes on; `carry_over` the share of a rating that survives a summer; `home_step` the share of a
    surprise that the league-wide home advantage takes on, so that it drifts with the era.
    """

    step: float = 0.045
    carry_over: float = 0.65
    home_advantage: float = 3.0
    home_step: float = 0.0005


@dataclass(frozen=True, slots=True)
class TeamStrength:
    """Margin-of-victory ratings in points above an average team, by franchise.

    The expected margin of a game is rating(home) − rating(away) + home advantage. After each day
    both ratings move by `step` × surprise; between seasons they shrink towards zero.
    """

    ratings: Mapping[str, float]
    home_advantage: float
    settings: RatingSettings = field(default_factory=RatingSettings)

    @classmethod
    def fit(cls, games: GameTable, settings: RatingSettings | None = None) -> "TeamStrength":
        """Ratings as they stand at the start of the season after the last one in `games`."""
        return _walk(games, settings or RatingSettings())[1]

    def expected_margin(self, home: str | None, away: str | None) -> tuple[float, StrengthSource]:
        """Expected margin in points for `home`, and what it rests on.

        Without both ratings it is the home advantage alone: `home_advantage` where a team was not
        given, `unknown_team` where a given code is not rated.
        """
        codes = [franchise(code) for code in (home, away) if code is not None]
        if any(code not in self.ratings for code in codes):
            return self.home_advantage, "unknown_team"
        if len(codes) < 2:
            return self.home_advantage, "home_advantage"
        home_rating, away_rating = (self.ratings[code] for code in codes)
        return home_rating - away_rating + self.home_advantage, "ratings"


def franchise(code: str) -> str:
    """The present code of a team, whatever year or feed its code is from."""
    return _FRANCHISE_OF.get(code, code)


def expected_margins(games: GameTable, settings: RatingSettings | None = None) -> FloatArray:
    """Expected margin (n,) of each game, from the games of earlier dates only."""
    return _walk(games, settings or RatingSettings())[0]


def _walk(games: GameTable, settings: RatingSettings) -> tuple[FloatArray, TeamStrength]:
    """Go through the games day by day; `games` is in order of date."""
    ratings: dict[str, float] = {}
    home_advantage = settings.home_advantage
    expected = np.zeros(len(games))
    season = int(games.season[0]) if len(games) else 0
    for day in _days(games):
        if games.season[day.start] != season:
            season = int(games.season[day.start])
            ratings = {team: rating * settings.carry_over for team, rating in ratings.items()}
        surprises: list[tuple[str, str, float]] = []
        for row in range(day.start, day.stop):
            home, away = franchise(str(games.home[row])), franchise(str(games.away[row]))
            expected[row] = ratings.get(home, 0.0) - ratings.get(away, 0.0) + home_advantage
            surprises.append((home, away, float(games.final_margin[row]) - float(expected[row])))
        for home, away, surprise in surprises:
            ratings[home] = ratings.get(home, 0.0) + settings.step * surprise
            ratings[away] = ratings.get(away, 0.0) - settings.step * surprise
            home_advantage += settings.home_step * surprise
    carried = {team: ratings[team] * settings.carry_over for team in sorted(ratings)}
    return expected, TeamStrength(carried, home_advantage, settings)


def _days(games: GameTable) -> list[slice]:
    """The rows of each date, in order."""
    starts = np.flatnonzero(np.diff(games.date, prepend=np.datetime64("NaT", "D")) != 0)
    stops = np.append(starts[1:], len(games))
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]
