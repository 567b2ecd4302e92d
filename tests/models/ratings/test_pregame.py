from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.game.games import GameTable
from models.game.horizon import REGULATION_MINUTES
from models.metrics import mae
from models.ratings.elo import elo_margins
from models.ratings.pregame import pregame_accuracy
from models.ratings.strength import expected_margins


def finals(path: Path, since: int) -> GameTable:
    """The games of a file by their final scores alone."""
    table = pq.read_table(path).filter(pc.field("season") >= since)
    table = table.sort_by([("date", "ascending"), ("game_id", "ascending")])
    columns = {name: np.asarray(table[name].to_pylist()) for name in table.column_names}
    nothing = np.zeros((len(table), REGULATION_MINUTES))
    return GameTable(
        game_id=columns["game_id"],
        date=columns["date"].astype("datetime64[D]"),
        season=columns["season"].astype(np.int16),
        playoffs=columns["season_type"] == "playoffs",
        home=columns["home"],
        away=columns["away"],
        margins=nothing.astype(np.int16),
        last_score=nothing.astype(np.int8),
        final_home=columns["final_home"].astype(np.int16),
        final_away=columns["final_away"].astype(np.int16),
    )


def test_both_ratings_are_judged_on_the_seasons_asked_for(games: GameTable) -> None:
    accuracy = pregame_accuracy(games, [2012, 2013])
    judged = (games.season == 2012) | (games.season == 2013)
    actual = games.final_margin[judged]
    assert accuracy.games == 240
    assert accuracy.strength_mae == mae(expected_margins(games)[judged], actual)
    assert accuracy.elo_mae == mae(elo_margins(games)[judged], actual)
    assert accuracy.difference.mean == pytest.approx(accuracy.strength_mae - accuracy.elo_mae)


def test_seasons_without_games_are_refused(games: GameTable) -> None:
    with pytest.raises(DataError, match="expected some of"):
        pregame_accuracy(games, [1990])


def test_on_real_games_strength_beats_elo(real_data: Path) -> None:
    games = finals(real_data / "games.parquet", since=2012)
    accuracy = pregame_accuracy(games, [2015, 2016, 2017, 2018, 2020, 2021, 2022, 2023])
    assert accuracy.difference.mean < -2 * accuracy.difference.standard_error
