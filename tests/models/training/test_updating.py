from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.calibration.calibration import CalibrationSettings
from models.calibration.learned_game import LearnedGame
from models.errors import DataError
from models.game.game_state import states_at
from models.game.games import GameTable
from models.training.bundle import Bundle
from models.training.training import Trained
from models.training.updating import update_bundle
from tests.models.calibration.test_learned_game import NO_COURSE
from tests.models.conftest import make_games
from tests.models.learned_season import learned_season


@pytest.fixture(scope="module")
def bundle(trained: Trained) -> Bundle:
    return trained.bundle


@pytest.fixture(scope="module")
def later() -> GameTable:
    return make_games(range(2015, 2016), days=8, seed=3)


@pytest.fixture(scope="module")
def season(bundle: Bundle, later: GameTable) -> list[LearnedGame]:
    return learned_season(bundle, later)


@pytest.fixture(scope="module")
def updated(bundle: Bundle, season: list[LearnedGame]) -> Bundle:
    return update_bundle(bundle, season)


def test_the_library_has_the_games_behind_its_own(
    updated: Bundle, bundle: Bundle, later: GameTable, season: list[LearnedGame]
) -> None:
    before, after = bundle.library, updated.library
    assert after.games.game_id.tolist() == before.games.game_id.tolist() + later.game_id.tolist()
    assert (after.games.margins[len(before.games) :] == later.margins).all()
    assert (after.games.last_score[len(before.games) :] == later.last_score).all()
    assert after.expected_margins[len(before.games) :].tolist() == [
        game.expected_margin for game in season
    ]


def test_a_new_game_is_its_own_nearest_neighbour(
    updated: Bundle, season: list[LearnedGame]
) -> None:
    games, expected = updated.library.games, updated.library.expected_margins
    rows = games.game_id == season[5].game_id
    (found,) = updated.dejavu.similar_games(states_at(games.select(rows), expected[rows], 18), 1)
    assert found[0].game_id == season[5].game_id
    assert found[0].distance == pytest.approx(0.0, abs=1e-3)


def test_ratings_and_calibration_stand_where_the_service_had_them(
    updated: Bundle, bundle: Bundle, season: list[LearnedGame]
) -> None:
    adaptation = bundle.adaptation()
    adaptation.learn(season)
    form = adaptation.before(None)
    assert updated.strength == form.strength
    # The calibration is fitted anew on the log, of which the first games set the spread.
    assert updated.calibration.spreads == pytest.approx(form.calibration.spreads, rel=1e-6)
    newest = len(season)
    assert updated.calibration.scores[-newest:] == pytest.approx(
        form.calibration.scores[-newest:], rel=1e-6
    )


def test_what_was_trained_stays(updated: Bundle, bundle: Bundle) -> None:
    assert updated.drift is bundle.drift
    assert updated.network is bundle.network
    assert updated.ensemble == bundle.ensemble
    assert updated.dejavu_settings == bundle.dejavu_settings


def test_it_says_what_it_has_seen(updated: Bundle, bundle: Bundle) -> None:
    assert updated.model_version != bundle.model_version
    assert updated.model_version == updated.content_version()
    assert updated.model_version.startswith("nba-2015-")
    assert updated.split.train == bundle.split.train
    assert updated.split.calibration == (*bundle.split.calibration, 2015)
    assert updated.split.before == "2015-11-09"
    assert updated.strength.day == date(2015, 11, 8)


def test_it_comes_back_from_its_folder(updated: Bundle, tmp_path: Path) -> None:
    updated.save(tmp_path, "card")
    again = Bundle.load(tmp_path)
    assert again.model_version == again.content_version() == updated.model_version
    assert again.strength == updated.strength
    assert (again.errors.dejavu == updated.errors.dejavu).all()


def test_the_order_of_the_games_does_not_matter(
    updated: Bundle, bundle: Bundle, season: list[LearnedGame]
) -> None:
    assert update_bundle(bundle, season[::-1]).model_version == updated.model_version


def test_a_game_without_its_course_moves_the_ratings_alone(
    bundle: Bundle, season: list[LearnedGame]
) -> None:
    blank = replace(season[-1], **NO_COURSE)
    updated = update_bundle(bundle, [*season[:-1], blank])
    assert len(updated.library.games) == len(bundle.library.games) + len(season) - 1
    assert len(updated.errors) == len(bundle.errors) + len(season) - 1
    assert updated.strength == bundle.strength.after(
        [game.finished() for game in season[:-1]] + [blank.finished()]
    )


def test_the_log_keeps_no_more_than_calibration_needs(
    bundle: Bundle, season: list[LearnedGame]
) -> None:
    small = replace(bundle, calibration_settings=CalibrationSettings(window=40, warm_up=20))
    updated = update_bundle(small, season)
    assert len(updated.errors) == 80
    assert (updated.errors.dejavu[-1] == season[-1].dejavu_errors).all()
    whole = np.concatenate((bundle.errors.date, [np.datetime64(game.date) for game in season]))
    assert (updated.errors.date == whole[-80:]).all()


def test_games_that_the_bundle_has_seen_are_refused(
    bundle: Bundle, season: list[LearnedGame]
) -> None:
    last = bundle.strength.day
    assert last is not None
    seen = replace(season[0], game_id="old", date=last - timedelta(days=1))
    with pytest.raises(DataError, match=f"expected games after {last}.*got 1 .*such as old"):
        update_bundle(bundle, [seen, *season])


def test_no_games_are_refused(bundle: Bundle, season: list[LearnedGame]) -> None:
    blank = replace(season[0], **NO_COURSE)
    for games in ([], [blank]):
        with pytest.raises(DataError, match="at least one finished game with its course"):
            update_bundle(bundle, games)
