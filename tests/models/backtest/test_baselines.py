from dataclasses import replace

import numpy as np
import pytest

from models.backtest.baselines import BASELINES, logistic
from models.backtest.brownian import BrownianMotion
from models.backtest.level_neighbours import level_neighbours, original
from models.backtest.sample import Sample
from models.game.games import GameTable
from models.ratings.strength import expected_margins
from tests.models.conftest import make_games

STEP_SD = 2.4  # points a minute, as `make_games` draws them


@pytest.fixture(scope="module")
def games() -> GameTable:
    return make_games(range(2010, 2016), days=120)


def samples(games: GameTable, horizon: str, minute: int) -> tuple[Sample, Sample]:
    expected = expected_margins(games)
    test = games.season == 2015
    return (
        Sample.of(games.select(~test), expected[~test], horizon, minute),  # type: ignore[arg-type]
        Sample.of(games.select(test), expected[test], horizon, minute),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", [*BASELINES, "brownian"])
@pytest.mark.parametrize(("horizon", "minute"), [("halftime", 6), ("final", 30)])
def test_intervals_cover_what_they_promise(
    games: GameTable, name: str, horizon: str, minute: int
) -> None:
    known, asked = samples(games, horizon, minute)
    if name == "brownian":
        told = BrownianMotion.fit(games.select(games.season < 2015)).forecast(asked)
    else:
        told = BASELINES[name](known, asked)
    covered = (told.quantiles[:, 1] <= asked.actual) & (asked.actual <= told.quantiles[:, 7])
    assert covered.mean() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / len(covered)))


def test_brownian_motion_finds_the_walk() -> None:
    motion = BrownianMotion.fit(make_games(range(2010, 2014), days=400))
    # A twelfth for rounding once in twelve minutes, and what the teams differ by.
    assert motion.variance == pytest.approx(STEP_SD**2, rel=0.15)
    assert motion.drift == pytest.approx(3 / 48, abs=0.03)


def test_persistence_says_that_the_margin_stays(games: GameTable) -> None:
    known, asked = samples(games, "halftime", 18)
    told = BASELINES["persistence"](known, asked)
    assert (told.point == asked.states.present).all()


def test_regressions_beat_persistence_where_teams_differ(games: GameTable) -> None:
    known, asked = samples(games, "final", 6)
    errors = {
        name: np.abs(baseline(known, asked).point - asked.actual).mean()
        for name, baseline in BASELINES.items()
    }
    assert errors["ridge"] < errors["persistence"]
    assert errors["boosting"] < errors["persistence"]


def test_logistic_is_surer_of_larger_leads(games: GameTable) -> None:
    known, asked = samples(games, "final", 36)
    told = logistic(known, asked).win_probability
    order = np.argsort(asked.states.present)
    assert told[order[:50]].mean() < 0.2
    assert told[order[-50:]].mean() > 0.8


def test_a_baseline_knows_nothing_of_the_outcomes_it_is_asked_for(games: GameTable) -> None:
    known, asked = samples(games, "final", 12)
    blind = replace(asked, increment=asked.increment[::-1].copy())
    for baseline in (*BASELINES.values(), logistic):
        one, two = baseline(known, asked), baseline(known, blind)
        assert np.array_equal(one.point, two.point, equal_nan=True)
        assert np.array_equal(one.quantiles, two.quantiles, equal_nan=True)
        assert np.array_equal(one.win_probability, two.win_probability, equal_nan=True)


def test_spreads_are_of_the_last_seasons(games: GameTable) -> None:
    known, asked = samples(games, "halftime", 12)
    calm = replace(known, increment=np.where(known.season < 2011, 0.0, known.increment))
    wide = BASELINES["persistence"](known, asked).quantiles
    assert (BASELINES["persistence"](calm, asked).quantiles == wide).all()


def test_level_neighbours_take_the_margin_away(games: GameTable) -> None:
    """A path ten times as high has the same neighbours, and so the same forecast."""
    known, asked = samples(games, "halftime", 12)
    higher = replace(asked, states=replace(asked.states, paths=asked.states.paths * 10.0))
    assert level_neighbours(known, asked, neighbours=50) == pytest.approx(
        level_neighbours(known, higher, neighbours=50), abs=1.0
    )


def test_the_nearest_neighbour_of_a_known_path_is_itself(games: GameTable) -> None:
    known, _ = samples(games, "halftime", 18)
    some = known.rows(np.arange(len(known.season)) < 20)
    assert (level_neighbours(known, some, neighbours=1) == some.actual).all()


def test_original_weights() -> None:
    assert original(np.array([10.0]), np.array([0.0])) == pytest.approx([4.0])
