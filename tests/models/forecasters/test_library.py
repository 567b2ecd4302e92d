from dataclasses import fields

import numpy as np
import pytest

from models.errors import DataError
from models.forecasters.library import Library


def test_a_table_gives_the_library_back(library: Library) -> None:
    again = Library.from_table(library.to_table())
    assert again.expected_margins.tobytes() == library.expected_margins.tobytes()
    for column in fields(library.games):
        one, other = (getattr(games, column.name) for games in (library.games, again.games))
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert (one == other).all()


def test_what_is_known_per_minute_is_one_column(library: Library) -> None:
    table = library.to_table()
    assert table["margins"][5].as_py() == library.games.margins[5].tolist()
    assert table["last_score"][5].as_py() == library.games.last_score[5].tolist()
    with pytest.raises(KeyError, match="last_score"):
        Library.from_table(table.drop_columns("last_score"))


def test_every_game_needs_its_expected_margin(library: Library) -> None:
    with pytest.raises(DataError, match="one expected margin per game"):
        Library(library.games, np.zeros(1))


def test_a_game_is_found_by_its_id(library: Library) -> None:
    assert len(library.rows) == len(library.games)
    for game_id in library.games.game_id[[0, 7, -1]].tolist():
        assert library.games.game_id[library.rows[game_id]] == game_id
    assert "nothing" not in library.rows
