"""Team strength: the margin to expect before a game, from earlier results only."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from models.errors import DataError
from models.game.games import GameTable
from models.game.pattern import FloatArray
from models.ratings import margin_model
from models.ratings.belief import Belief, Contrast
from models.ratings.finished_game import FinishedGame, days_of, finished_games
from models.ratings.franchise import franchise
from models.ratings.rating_settings import RatingSettings
from models.ratings.schedule import Rest, Schedule

StrengthSource = Literal["ratings", "unknown_team", "unknown_season", "home_advantage"]

LATE_DAYS = 30


@dataclass(frozen=True, slots=True)
class ExpectedMargin:
    """The margin to expect in points for home, and what it rests on.

    `sd` is the standard deviation of the expectation itself: how unsure the ratings are, in points.
    The game's own chance comes on top.
    """

    margin: float
    sd: float
    source: StrengthSource


@dataclass(frozen=True, slots=True, eq=False)
class TeamStrength:
    """Ratings by franchise, as of the last result; never changed, each result makes new ones.

    A dynamic linear model of the final margin:

    1. The expected margin is strength(home) − strength(away) + home advantage (the league's and the
       home team's own) + what a back-to-back, a crowded schedule and the playoffs are worth.
    2. All of these are one `Belief`. A result moves each by its share of the doubt, so that ratings
       learn fast early in a season and the quality of the opponents counts.
    3. Day by day strengths grow less certain; over a summer they shrink towards zero, too.
    """

    settings: RatingSettings
    belief: Belief
    teams: tuple[str, ...] = ()
    day: datetime.date | None = None
    schedule: Schedule = field(default_factory=Schedule)

    @classmethod
    def unrated(cls, settings: RatingSettings | None = None) -> Self:
        """Before any result: no team, and the home advantage of the settings."""
        settings = settings or RatingSettings()
        return cls(settings, margin_model.first_belief(settings))

    @classmethod
    def fit(cls, games: GameTable, settings: RatingSettings | None = None) -> Self:
        """Ratings as they stand on the day of the last result in `games`."""
        return cls.unrated(settings).after(finished_games(games), newcomers=True)

    @property
    def ratings(self) -> Mapping[str, float]:
        """Strength of every team in points above an average one, by code."""
        strengths = margin_model.strengths(self.belief).tolist()
        return dict(sorted(zip(self.teams, strengths, strict=True)))

    @property
    def home_advantage(self) -> float:
        """The league's home advantage in points."""
        return float(self.belief.mean[0])

    def knows(self, code: str) -> bool:
        """Whether the team is rated, under any of its codes."""
        return franchise(code) in self.teams

    def expected_margin(
        self,
        home: str | None,
        away: str | None,
        date: datetime.date | None = None,
        *,
        playoffs: bool = False,
    ) -> ExpectedMargin:
        """What to expect of a game on `date`.

        Without a date the ratings are as of the last result, and nothing is known of rest. Without
        both ratings it is the league's home advantage alone: `home_advantage` where a team was not
        given, `unknown_team` where a given code is not rated.
        """
        now = self if date is None else self.on(date)
        if not all(self.knows(code) for code in (home, away) if code is not None):
            return now.home_advantage_alone("unknown_team", playoffs=playoffs)
        if home is None or away is None:
            return now.home_advantage_alone("home_advantage", playoffs=playoffs)
        margin, variance = now.belief.expect(
            now._contrast(franchise(home), franchise(away), date, playoffs)
        )
        return ExpectedMargin(margin, float(np.sqrt(variance)), "ratings")

    def on(self, date: datetime.date) -> Self:
        """The ratings on `date`, aged since the last result; an earlier date changes nothing."""
        if self.day is None:
            return replace(self, day=date)
        if date <= self.day:
            return self
        belief = margin_model.aged(self.belief, self.settings, (date - self.day).days)
        return replace(self, day=date, belief=belief)

    def after(self, games: Sequence[FinishedGame], *, newcomers: bool = False) -> Self:
        """The ratings after these results, taken in order of date.

        Results of one day may come in one call or in many: in the same order they give the same
        bits. One that comes late, by up to 30 days, counts as if it were of the last day. Each
        result must come once; the ratings do not know which they have seen.

        A game with a team that is not rated says nothing and is passed over; with `newcomers` its
        teams join instead.

        Raises DataError where a result comes later than that.
        """
        strength = self
        for game in sorted(games, key=lambda one: one.date):
            strength = strength._after_one(game, newcomers)
        return strength

    def to_state(self) -> dict[str, Any]:
        """Plain JSON data that `from_state` reads back bit for bit."""
        return {
            "settings": self.settings.to_state(),
            "day": None if self.day is None else self.day.isoformat(),
            "teams": list(self.teams),
            "belief": self.belief.to_state(),
            "schedule": self.schedule.to_state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read back what `to_state` wrote; raises DataError on anything else."""
        try:
            day, teams = state["day"], tuple(state["teams"])
            return cls(
                settings=RatingSettings(**state["settings"]),
                belief=Belief.from_state(state["belief"], margin_model.size(len(teams))),
                teams=teams,
                day=None if day is None else datetime.date.fromisoformat(day),
                schedule=Schedule.from_state(state["schedule"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                "team strength: expected settings, belief, teams, day and schedule as to_state "
                f"writes them; {type(error).__name__}: {error}"
            ) from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TeamStrength):
            return NotImplemented
        return self.to_state() == other.to_state()

    __hash__ = None  # type: ignore[assignment]

    def _after_one(self, game: FinishedGame, newcomers: bool) -> Self:
        if self.day is not None and (self.day - game.date).days > LATE_DAYS:
            raise DataError(
                f"result of {game.away} at {game.home}: expected one of at most {LATE_DAYS} days "
                f"before the last, of {self.day}; got one of {game.date}"
            )
        home, away = game.franchises()
        now = self.on(game.date)
        for team in (home, away):
            if team not in now.teams:
                if not newcomers:
                    return self
                belief = margin_model.with_newcomer(now.belief, self.settings)
                now = replace(now, teams=(*now.teams, team), belief=belief)
        belief = now.belief.learned(
            now._contrast(home, away, game.date, game.playoffs),
            self.settings.observed_margin(game),
            self.settings.game_sd**2,
        )
        return replace(now, belief=belief, schedule=now.schedule.after(home, away, game.date))

    def _contrast(
        self, home: str, away: str, date: datetime.date | None, playoffs: bool
    ) -> Contrast:
        """The expected margin of a game between two rated teams, by their present codes."""
        rest = (
            (Rest(), Rest())
            if date is None
            else (self.schedule.rest(home, date), self.schedule.rest(away, date))
        )
        return margin_model.margin_contrast(
            self.teams.index(home), self.teams.index(away), rest, playoffs=playoffs
        )

    def home_advantage_alone(
        self, source: StrengthSource, *, playoffs: bool = False
    ) -> ExpectedMargin:
        """What to expect where nothing is known of the teams; `source` says why.

        Both are then as unsure as newcomers are.
        """
        margin, variance = self.belief.expect(margin_model.league_contrast(playoffs=playoffs))
        spread = 2 * self.settings.newcomer_sd**2 + self.settings.home_sd**2
        return ExpectedMargin(margin, float(np.sqrt(variance + spread)), source)


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """Expected margins (n,) of n games with their standard deviations (n,), both in points.

    `strength` is what the ratings are after the last of these games.
    """

    margins: FloatArray
    sds: FloatArray
    strength: TeamStrength


def walk_forward(games: GameTable, settings: RatingSettings | None = None) -> WalkForward:
    """What the ratings expected of each game, from the games of earlier dates only."""
    strength = TeamStrength.unrated(settings)
    expected = np.zeros((len(games), 2))
    finished = finished_games(games)
    for day in days_of(games):
        strength = strength.on(finished[day.start].date)
        for row, game in enumerate(finished[day], start=day.start):
            margin = strength.expected_margin(
                game.home, game.away, game.date, playoffs=game.playoffs
            )
            expected[row] = margin.margin, margin.sd
        strength = strength.after(finished[day], newcomers=True)
    return WalkForward(expected[:, 0].copy(), expected[:, 1].copy(), strength)


def expected_margins(games: GameTable, settings: RatingSettings | None = None) -> FloatArray:
    """Expected margin (n,) of each game, from the games of earlier dates only."""
    return walk_forward(games, settings).margins
