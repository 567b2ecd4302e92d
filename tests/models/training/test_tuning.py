import numpy as np
import pytest

from models.errors import DataError
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.game.game_state import increments, states_at
from models.game.games import GameTable
from models.ratings.strength import expected_margins
from models.training.tuning import ALTERNATIVES, POINTS, tune, variants

PRESENT = DejavuSettings(neighbours=20)


def test_each_variant_changes_one_setting() -> None:
    found = variants(PRESENT)
    assert len(found) == sum(
        value != getattr(PRESENT, name) for name, values in ALTERNATIVES.items() for value in values
    )
    for name, settings in found.items():
        changed, value = name.split(" = ")
        differing = [one for one in ALTERNATIVES if getattr(settings, one) != getattr(PRESENT, one)]
        assert differing == [changed]
        assert getattr(settings, changed) == float(value)
        assert type(getattr(settings, changed)) is type(getattr(PRESENT, changed))


def test_what_is_present_already_is_no_variant() -> None:
    assert "neighbours = 100" not in variants(DejavuSettings(neighbours=100))


def test_differences_are_of_seasons_forecast_by_earlier_ones_only(games: GameTable) -> None:
    tried = next(iter(tune(games, [2013, 2014], present=PRESENT, library_seasons=2)))
    expected = expected_margins(games)
    losses: dict[str, list[float]] = {"present": [], "tried": []}
    horizon, minute = POINTS[1]
    assert (horizon, minute) == ("halftime", 12)
    for season in (2013, 2014):
        known, tested = games.season < season, games.season == season
        near = known & (games.season >= season - 2)
        drift = Drift.fit(games.select(known), expected[known])
        library = Library(games.select(near), expected[near])
        for name, settings in (("present", PRESENT), ("tried", tried.settings)):
            found = Dejavu(library, drift, settings).increments(
                states_at(games.select(tested), expected[tested], minute)
            )
            gained = increments(games.select(tested), minute)
            losses[name] += np.abs(gained - found)[:, 0].tolist()
    difference = np.subtract(losses["tried"], losses["present"])
    assert tried.differences[1].mean == pytest.approx(np.mean(difference))
    assert len(tried.differences) == len(POINTS)


def test_later_results_change_nothing(games: GameTable) -> None:
    earlier = games.select(games.season <= 2013)
    one, other = (next(iter(tune(table, [2013], present=PRESENT))) for table in (games, earlier))
    assert one == other


def test_a_season_without_one_before_it_is_refused(games: GameTable) -> None:
    with pytest.raises(DataError, match="expected seasons before 2010; got none"):
        next(iter(tune(games, [2010], present=PRESENT)))
