from dataclasses import replace

import pytest

from models.game.games import GameTable
from models.ratings.elo import EloSettings, elo_margins

SETTINGS = EloSettings(step=0.1, carry_over=0.5, home_advantage=3.0, home_step=0.0)


def test_a_rating_moves_by_its_step_after_the_day_and_shrinks_over_the_summer(
    games: GameTable,
) -> None:
    # A game of one day, then the same again on the day after and in the next season.
    rows = games.season < 0
    rows[[0, 3, 120]] = True
    same = replace(
        games.select(rows),
        home=games.home[[0, 0, 0]],
        away=games.away[[0, 0, 0]],
        final_home=games.final_home[[0, 0, 0]] * 0 + 123,
        final_away=games.final_home[[0, 0, 0]] * 0 + 110,
    )
    # Surprise 13 - 3 = 10: ratings +1 and -1. Then 13 - 5 = 8: 1.8 and -1.8, halved by summer.
    assert elo_margins(same, SETTINGS) == pytest.approx([3.0, 5.0, 4.8])


def test_games_of_one_day_do_not_inform_each_other(games: GameTable) -> None:
    expected = elo_margins(games, SETTINGS)
    assert expected[:3].tolist() == [3.0, 3.0, 3.0]
    assert (expected[3:6] != 3.0).all()
