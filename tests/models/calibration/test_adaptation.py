import datetime
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration.adaptation import Adaptation, Form
from models.calibration.calibration import Calibration
from models.calibration.learned_game import LearnedGame
from models.errors import DataError
from models.forecasters.ensemble import Ensemble
from models.game.games import GameTable
from models.game.horizon import CELLS, cell_of
from models.ratings.strength import TeamStrength
from tests.models.calibration.test_learned_game import NO_COURSE, learned
from tests.models.conftest import TEAMS

ENSEMBLE = Ensemble(0.3, 0.7)


def day(number: int) -> datetime.date:
    """A day of the season after that of the bundle."""
    return datetime.date(2015, 10, 25) + datetime.timedelta(days=number)


def season() -> list[LearnedGame]:
    """Four days with two games each, one of them without its course."""
    games = []
    for number in range(4):
        for place in range(2):
            game = learned(
                f"d{number}g{place}",
                day(number),
                season=2015,
                home=TEAMS[(number + place) % 6],
                away=TEAMS[(number + place + 3) % 6],
                final_home=95 + 3 * number + place,
            )
            games.append(game)
    games[3] = replace(games[3], **NO_COURSE)
    return games


GAMES = season()


@pytest.fixture(scope="module")
def strength(games: GameTable) -> TeamStrength:
    return TeamStrength.fit(games)


@pytest.fixture(scope="module")
def calibration(games: GameTable) -> Calibration:
    random = np.random.default_rng(0)
    errors = random.normal(0, 8, (len(games), len(CELLS))).round(2)
    return Calibration.fit(errors, games.date)


@pytest.fixture
def adaptation(strength: TeamStrength, calibration: Calibration) -> Adaptation:
    return Adaptation(strength, calibration, ENSEMBLE, "v1")


def same(one: Form, other: Form) -> bool:
    return (
        (one.games, one.version, one.strength) == (other.games, other.version, other.strength)
        and one.calibration.scores.tobytes() == other.calibration.scores.tobytes()
        and one.calibration.squares.tobytes() == other.calibration.squares.tobytes()
        and one.calibration.mass == other.calibration.mass
    )


def test_before_any_game_it_is_the_bundle(
    adaptation: Adaptation, strength: TeamStrength, calibration: Calibration
) -> None:
    for when in (None, day(0), datetime.date(1990, 1, 1)):
        form = adaptation.before(when)
        assert form.strength is strength
        assert form.calibration is calibration
        assert (form.games, form.version) == (0, "v1+0")
    adaptation.learn([])
    assert len(adaptation) == 0


def test_it_is_what_ratings_and_calibration_say_by_hand(
    adaptation: Adaptation, strength: TeamStrength, calibration: Calibration
) -> None:
    adaptation.learn(GAMES)
    with_course = [game for game in GAMES if game.has_course]
    errors = np.array(
        [
            [0.3 * one + 0.7 * other for one, other in zip(*pair, strict=True)]
            for pair in ((game.dejavu_errors or (), game.lstm_errors or ()) for game in with_course)
        ]
    )
    by_hand = Form(
        strength=strength.after([game.finished() for game in GAMES]),
        calibration=calibration.walk(
            errors, np.array([game.date for game in with_course], "M8[D]")
        ),
        games=8,
        version="v1+8",
    )
    assert same(adaptation.before(None), by_hand)
    assert len(calibration.scores) + 7 == len(by_hand.calibration.scores)
    assert by_hand.strength != strength


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(8)), cut=st.integers(0, 8))
def test_the_order_of_learning_and_repeats_change_nothing(
    strength: TeamStrength, calibration: Calibration, order: list[int], cut: int
) -> None:
    at_once, other = (Adaptation(strength, calibration, ENSEMBLE, "v1") for _ in range(2))
    at_once.learn(GAMES)
    other.learn([GAMES[place] for place in order[:cut]])
    for number in range(5):  # what is held from before must not be given out later
        other.before(day(number))
    other.before(None)
    other.learn([GAMES[place] for place in order[cut:]])
    other.learn(GAMES)
    assert len(other) == 8
    for when in (None, *map(day, range(-1, 5))):
        assert same(at_once.before(when), other.before(when))


def test_a_morning_knows_the_days_before_it_only(
    strength: TeamStrength, calibration: Calibration, adaptation: Adaptation
) -> None:
    adaptation.learn(GAMES)
    for number in range(6):
        earlier = Adaptation(strength, calibration, ENSEMBLE, "v1")
        earlier.learn([game for game in GAMES if game.date < day(number)])
        form = adaptation.before(day(number))
        assert form.version == f"v1+{min(2 * number, 8)}"
        assert same(form, earlier.before(None))


def test_more_mornings_than_are_held_are_still_right(
    adaptation: Adaptation, strength: TeamStrength, calibration: Calibration
) -> None:
    long = [learned(f"g{number}", day(number), season=2015) for number in range(20)]
    adaptation.learn(long)
    for _ in range(2):
        for number in range(1, 21):
            alone = Adaptation(strength, calibration, ENSEMBLE, "v1")
            alone.learn(long[:number])
            assert same(adaptation.before(day(number)), alone.before(None))


def test_a_game_that_is_known_stays_as_it_is(adaptation: Adaptation) -> None:
    adaptation.learn(GAMES)
    before = adaptation.before(None)
    adaptation.learn([replace(GAMES[0], final_home=150)])
    assert same(adaptation.before(None), before)


def test_a_game_of_the_bundles_own_days_is_refused(
    adaptation: Adaptation, strength: TeamStrength
) -> None:
    last = strength.day
    assert last is not None
    with pytest.raises(DataError, match=f"expected one after {last}"):
        adaptation.learn([learned("old", last)])
    assert len(adaptation) == 0


def test_games_without_any_course_teach_the_ratings_alone(
    adaptation: Adaptation, calibration: Calibration, strength: TeamStrength
) -> None:
    adaptation.learn([learned("g1", day(0), **NO_COURSE)])
    form = adaptation.before(None)
    assert form.version == "v1+1"
    assert form.calibration.scores.tobytes() == calibration.scores.tobytes()
    assert form.strength != strength


def test_levels_are_where_outcomes_lay_in_the_distributions_of_their_mornings(
    adaptation: Adaptation,
) -> None:
    for order in [*permutations(GAMES[:3]), tuple(GAMES)]:
        adaptation.learn(order)
    levels = adaptation.levels("final", 30)
    cell = cell_of("final", 30)
    expected = []
    for game in GAMES:
        if game.dejavu_errors and game.lstm_errors:
            calibration = adaptation.before(game.date).calibration
            error = 0.3 * game.dejavu_errors[cell] + 0.7 * game.lstm_errors[cell]
            expected.append(calibration.shape(cell).level(error / calibration.spreads[cell]))
    assert levels.tolist() == pytest.approx(expected)
    assert len(levels) == 7
