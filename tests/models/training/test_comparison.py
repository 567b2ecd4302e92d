from dataclasses import replace

import numpy as np
import pytest

from models.calibration.learned_game import LearnedGame
from models.errors import DataError
from models.game.games import GameTable
from models.game.horizon import cell_of
from models.metrics import interval_score
from models.training.bundle import Bundle
from models.training.comparison import ALPHA, POINTS, compare_bundles
from models.training.training import Trained
from models.training.updating import update_bundle
from tests.models.calibration.test_learned_game import NO_COURSE
from tests.models.conftest import make_games
from tests.models.learned_season import learned_season

KNOWN = 24  # of three games a day


@pytest.fixture(scope="module")
def bundle(trained: Trained) -> Bundle:
    return trained.bundle


@pytest.fixture(scope="module")
def later() -> GameTable:
    return make_games(range(2015, 2016), days=16, seed=3)


@pytest.fixture(scope="module")
def season(bundle: Bundle, later: GameTable) -> list[LearnedGame]:
    return learned_season(bundle, later)


def off_by(bundle: Bundle, points: float) -> Bundle:
    """The bundle, expecting so much more for home from every minute on."""
    coefficients = bundle.drift.coefficients.copy()
    coefficients[:, :, 0] += points
    return replace(bundle, drift=replace(bundle.drift, coefficients=coefficients))


def test_a_bundle_is_as_good_as_itself(bundle: Bundle, season: list[LearnedGame]) -> None:
    # The errors of one side are found anew, those of the other were logged when it learned.
    compared = compare_bundles(bundle, bundle, season[:KNOWN], season[KNOWN:])
    assert compared.games == len(season) - KNOWN
    for row in compared.rows:
        assert row.candidate_mae == row.in_service_mae
        for difference in (row.difference, row.interval_difference):
            assert (difference.mean, difference.standard_error) == (0.0, 0.0)
    assert compared.verdict == "no difference beyond noise"


def test_the_numbers_are_those_of_the_service_day_by_day(
    bundle: Bundle, later: GameTable, season: list[LearnedGame]
) -> None:
    candidate = update_bundle(bundle, season[:KNOWN])
    compared = compare_bundles(candidate, bundle, season[:KNOWN], season[KNOWN:])
    assert [(row.horizon, row.minute) for row in compared.rows] == list(POINTS)
    newest = np.arange(len(later)) >= KNOWN
    by_candidate = learned_season(candidate, later.select(newest))
    for row in compared.rows:
        one = service_errors(candidate, by_candidate, by_candidate, row.horizon, row.minute)
        other = service_errors(bundle, season, season[KNOWN:], row.horizon, row.minute)
        for (errors, _), told in ((one, row.candidate_mae), (other, row.in_service_mae)):
            assert told == pytest.approx(np.mean(np.abs(errors)))
        assert row.difference.mean == pytest.approx(row.candidate_mae - row.in_service_mae)
        assert row.interval_difference.mean == pytest.approx(one[1] - other[1], abs=1e-3)


def service_errors(
    bundle: Bundle,
    learned: list[LearnedGame],
    tested: list[LearnedGame],
    horizon: str,
    minute: int,
) -> tuple[list[float], float]:
    """Errors of the tested games and their mean interval score, as of the morning of each."""
    cell = cell_of("halftime" if horizon == "halftime" else "final", minute)
    adaptation = bundle.adaptation()
    adaptation.learn(learned)
    errors, lows, highs = [], [], []
    for game in tested:
        assert game.dejavu_errors is not None
        assert game.lstm_errors is not None
        errors.append(bundle.ensemble.combine(game.dejavu_errors[cell], game.lstm_errors[cell]))
        form = adaptation.before(game.date).calibration
        lows.append(form.spreads[cell] * form.shape(cell).quantile(ALPHA / 2))
        highs.append(form.spreads[cell] * form.shape(cell).quantile(1 - ALPHA / 2))
    return errors, interval_score(lows, highs, errors, ALPHA)


def test_the_verdict_says_which_is_better(
    bundle: Bundle, later: GameTable, season: list[LearnedGame]
) -> None:
    bad = off_by(bundle, 12.0)
    worse = compare_bundles(bad, bundle, season[:KNOWN], season[KNOWN:])
    assert worse.verdict == "the bundle in service is better"
    assert all(row.difference.mean > 0 for row in worse.rows)
    learned = learned_season(bad, later)
    better = compare_bundles(bundle, bad, learned[:KNOWN], learned[KNOWN:])
    assert better.verdict == "the candidate is better"


def test_games_that_only_ended_are_passed_over(bundle: Bundle, season: list[LearnedGame]) -> None:
    blank = replace(season[-1], **NO_COURSE)
    compared = compare_bundles(bundle, bundle, season[:KNOWN], [*season[KNOWN:-1], blank])
    assert compared.games == len(season) - KNOWN - 1


def test_what_a_bundle_has_seen_compares_nothing(bundle: Bundle, season: list[LearnedGame]) -> None:
    with pytest.raises(DataError, match=r"expected games after 2015-11-16, the last day"):
        compare_bundles(update_bundle(bundle, season), bundle, [], season[KNOWN:])


def test_too_few_games_are_refused(bundle: Bundle, season: list[LearnedGame]) -> None:
    with pytest.raises(DataError, match="at least 10 games whose course is known; got 9"):
        compare_bundles(bundle, bundle, season[:-9], season[-9:])
