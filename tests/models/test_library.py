from dataclasses import fields

import numpy as np
import pytest

from models.errors import DataError
from models.library import Library


def test_a_table_gives_the_library_back(library: Library) -> None:
    again = Library.from_table(library.to_table())
    assert (again.expected_margins == library.expected_margins).all()
    for column in fields(library.games):
        one, other = (getattr(games, column.name) for games in (library.games, again.games))
        assert one.dtype == other.dtype
        assert (one == other).all()


def test_every_game_needs_its_expected_margin(library: Library) -> None:
    with pytest.raises(DataError, match="one expected margin per game"):
        Library(library.games, np.zeros(1))
