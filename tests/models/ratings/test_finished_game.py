from datetime import date

from models.game.games import GameTable
from models.ratings.finished_game import FinishedGame, days_of, finished_games


def test_the_games_of_a_table_in_its_order(games: GameTable) -> None:
    finished = finished_games(games)
    assert len(finished) == len(games)
    last = finished[-1]
    assert last == FinishedGame(
        date=date(2014, 12, 10),
        home=str(games.home[-1]),
        away=str(games.away[-1]),
        margin=int(games.final_margin[-1]),
        playoffs=False,
        quarter_margins=tuple(games.margins[-1, [11, 23, 35, 47]].tolist()),
    )


def test_days_hold_the_games_of_one_date(games: GameTable) -> None:
    days = days_of(games)
    assert [day.stop - day.start for day in days] == [3] * 200
    assert len({games.date[day.start] for day in days}) == 200
    assert days_of(games.select(games.season < 0)) == []


def test_a_team_is_its_franchise() -> None:
    game = FinishedGame(date=date(2008, 1, 1), home="SEA", away="GS", margin=1)
    assert game.franchises() == ("OKC", "GSW")
