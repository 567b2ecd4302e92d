"""Elo: the simple rating that team strength is measured against, one number per team.

A margin-of-victory rating with a fixed step, as in Hvattum & Arntzen, "Using ELO ratings for match
result prediction in association football", International Journal of Forecasting 26 (2010).
"""

from dataclasses import dataclass

import numpy as np

from models.game.games import GameTable
from models.game.pattern import FloatArray
from models.ratings.finished_game import days_of, finished_games


@dataclass(frozen=True, slots=True, kw_only=True)
class EloSettings:
    """How the ratings learn.

    `step` is the share of a surprise (final − expected margin, points) that each side's rating
    takes on; `carry_over` the share of a rating that survives a summer; `home_step` the share of a
    surprise that the league-wide home advantage takes on, so that it drifts with the era.
    """

    step: float = 0.045
    carry_over: float = 0.65
    home_advantage: float = 3.0
    home_step: float = 0.0005


def elo_margins(games: GameTable, settings: EloSettings | None = None) -> FloatArray:
    """Expected margin (n,) in points for home, from the games of earlier dates only.

    It is rating(home) − rating(away) + home advantage. After each day both ratings move by `step` ×
    surprise; between seasons they shrink towards zero.
    """
    settings = settings or EloSettings()
    ratings: dict[str, float] = {}
    home_advantage = settings.home_advantage
    expected = np.zeros(len(games))
    finished = finished_games(games)
    for day in days_of(games):
        if day.start and games.season[day.start] != games.season[day.start - 1]:
            ratings = {team: rating * settings.carry_over for team, rating in ratings.items()}
        teams = [game.franchises() for game in finished[day]]
        expected[day] = [
            ratings.get(home, 0.0) - ratings.get(away, 0.0) + home_advantage for home, away in teams
        ]
        surprises = (games.final_margin[day] - expected[day]).tolist()
        for (home, away), surprise in zip(teams, surprises, strict=True):
            ratings[home] = ratings.get(home, 0.0) + settings.step * surprise
            ratings[away] = ratings.get(away, 0.0) - settings.step * surprise
            home_advantage += settings.home_step * surprise
    return expected
