from dataclasses import replace

import numpy as np
import pytest

from models.games import GameTable
from models.strength import RatingSettings, TeamStrength, expected_margins, franchise

from .conftest import TEAMS, make_games

SETTINGS = RatingSettings(step=0.1, carry_over=0.5, home_advantage=3.0, home_step=0.0)


def three_games(*, dates: list[str], seasons: list[int], home: list[str]) -> GameTable:
    zeros = np.zeros(3)
    return GameTable(
        game_id=np.array(["1", "2", "3"]),
        date=np.array(dates, dtype="datetime64[D]"),
        season=np.array(seasons, dtype=np.int16),
        playoffs=zeros.astype(np.bool_),
        home=np.array(home),
        away=np.array(["MIA", "MIA", "MIA"]),
        margins=np.zeros((3, 48), dtype=np.int16),
        final_margin=np.array([13, 13, 13], dtype=np.int16),
    )


def test_a_rating_moves_by_its_step_after_the_day_and_shrinks_over_the_summer() -> None:
    games = three_games(
        dates=["2020-01-01", "2020-01-02", "2020-11-01"],
        seasons=[2019, 2019, 2020],
        home=["BOS"] * 3,
    )
    # Surprise 13 - 3 = 10: ratings +1 and -1. Then 13 - 5 = 8: 1.8 and -1.8, halved by summer.
    assert expected_margins(games, SETTINGS) == pytest.approx([3.0, 5.0, 4.8])


def test_games_of_one_day_do_not_inform_each_other() -> None:
    games = three_games(
        dates=["2020-01-01", "2020-01-01", "2020-01-02"], seasons=[2019] * 3, home=["BOS"] * 3
    )
    assert expected_margins(games, SETTINGS) == pytest.approx([3.0, 3.0, 7.0])


def test_an_expected_margin_does_not_know_its_own_game_or_later_ones(games: GameTable) -> None:
    before = expected_margins(games)
    cut = 300
    day = games.date[cut]
    changed = games.final_margin.copy()
    changed[games.date >= day] += 25
    after = expected_margins(replace(games, final_margin=changed))
    assert (before[games.date <= day] == after[games.date <= day]).all()
    assert (before[games.date > day] != after[games.date > day]).mean() > 0.9


def test_a_franchise_that_moved_keeps_its_strength() -> None:
    games = three_games(
        dates=["2007-01-01", "2007-01-02", "2008-11-01"],
        seasons=[2007, 2007, 2008],
        home=["SEA", "SEA", "OKC"],
    )
    assert expected_margins(games, SETTINGS)[2] == pytest.approx(4.8)


@pytest.mark.parametrize(
    ("code", "present"),
    [("SEA", "OKC"), ("NJN", "BKN"), ("VAN", "MEM"), ("CHH", "NOP"), ("NOH", "NOP"), ("NOK", "NOP"),
     ("WSB", "WAS"), ("CHA", "CHA"), ("BOS", "BOS"), ("GS", "GSW")],
)  # fmt: skip
def test_franchises(code: str, present: str) -> None:
    assert franchise(code) == present


def test_ratings_find_the_strong_teams() -> None:
    strength = TeamStrength.fit(make_games(days=120))
    ranked = sorted(TEAMS, key=lambda team: strength.ratings[team])
    assert ranked[0] == "ATL"
    assert ranked[-1] in ("MIA", "LAL")
    margin, source = strength.expected_margin("MIA", "ATL")
    assert source == "ratings"
    assert margin == pytest.approx(
        strength.ratings["MIA"] - strength.ratings["ATL"] + strength.home_advantage
    )
    assert 0 < strength.home_advantage < 6


@pytest.mark.parametrize(
    ("home", "away", "source"),
    [
        (None, None, "home_advantage"),
        ("BOS", None, "home_advantage"),
        (None, "BOS", "home_advantage"),
        ("BOS", "XXX", "unknown_team"),
        ("XXX", "BOS", "unknown_team"),
        ("XXX", None, "unknown_team"),
    ],
)
def test_without_two_ratings_it_is_the_home_advantage(
    home: str | None, away: str | None, source: str
) -> None:
    strength = TeamStrength({"BOS": 5.0}, 2.5)
    assert strength.expected_margin(home, away) == (2.5, source)


def test_fit_continues_where_the_last_season_ended() -> None:
    games = three_games(
        dates=["2020-01-01", "2020-01-02", "2020-11-01"],
        seasons=[2019, 2019, 2020],
        home=["BOS"] * 3,
    )
    earlier = games.select(np.array([True, True, False]))
    strength = TeamStrength.fit(earlier, SETTINGS)
    assert strength.expected_margin("BOS", "MIA")[0] == expected_margins(games, SETTINGS)[2]
