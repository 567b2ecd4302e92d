import pytest

from models.game.horizon import CELLS, END_MINUTE, HORIZONS, Horizon, cell_of


def test_a_cell_per_horizon_and_minute_from_which_it_is_forecast() -> None:
    assert HORIZONS == ("halftime", "final")
    assert len(CELLS) == 24 + 48
    assert CELLS[0] == ("halftime", 0)
    assert CELLS[23:25] == (("halftime", 23), ("final", 0))
    assert CELLS[-1] == ("final", 47)
    assert [cell_of(*cell) for cell in CELLS] == list(range(72))


@pytest.mark.parametrize("horizon", HORIZONS)
def test_there_is_no_cell_once_a_horizon_is_reached(horizon: Horizon) -> None:
    for minute in (-1, END_MINUTE[horizon]):
        with pytest.raises(
            IndexError, match=f"{horizon}: expected a minute below .*; got {minute}"
        ):
            cell_of(horizon, minute)
