from statistics import NormalDist

import numpy as np
import pytest
from crepes.martingales import SimpleJumper

from models.calibration.alarm import THRESHOLD, drift_alarm, jumper_capital
from models.errors import DataError
from models.game.pattern import FloatArray

SEASON = 1230
NORMAL = NormalDist()


def uniform(seed: int, games: int = SEASON) -> FloatArray:
    return np.random.default_rng(seed).random(games)


def levels_of_errors(seed: int, *, centre: float = 0.0, spread: float = 1.0) -> FloatArray:
    """Levels of normal outcomes whose forecasts expect a centre of 0 and a spread of 1."""
    errors = np.random.default_rng(seed).normal(centre, spread, SEASON)
    return np.asarray([NORMAL.cdf(error) for error in errors.tolist()])


@pytest.mark.parametrize("levels", [uniform(1), uniform(2) ** 2, levels_of_errors(3, spread=1.4)])
def test_the_capital_is_that_of_crepes(levels: FloatArray) -> None:
    assert jumper_capital(levels) == pytest.approx(SimpleJumper().apply(levels), rel=1e-9)


def test_false_alarms_are_rarer_than_villes_bound() -> None:
    # Two bets, each of which reaches 100 with a chance of at most 1 / 100 whatever the length.
    seasons = 100
    alarms = [drift_alarm(uniform(seed, 500)) for seed in range(seasons)]
    assert sum(alarm.raised for alarm in alarms) / seasons <= 2.0 / THRESHOLD
    # The same bound holds at a lower threshold, which many more seasons reach.
    reached = sum(alarm.highest >= 10.0 for alarm in alarms)
    assert 0 < reached / seasons <= 2.0 / 10.0


def test_the_stake_is_fair() -> None:
    final = [jumper_capital(uniform(seed, 50))[-1] for seed in range(500)]
    assert np.mean(final) == pytest.approx(1.0, abs=4.0 * np.std(final) / np.sqrt(len(final)))


@pytest.mark.parametrize("seed", range(5))
def test_intervals_a_quarter_too_narrow_raise_it_within_a_season(seed: int) -> None:
    alarm = drift_alarm(levels_of_errors(seed, spread=1.0 / 0.75))
    assert alarm.raised
    assert alarm.spread > THRESHOLD
    assert alarm.location < THRESHOLD


def test_outcomes_that_lie_too_high_raise_it_by_their_place() -> None:
    alarm = drift_alarm(levels_of_errors(0, centre=0.3))
    assert alarm.raised
    assert alarm.location > THRESHOLD


def test_what_was_once_refuted_stays_raised() -> None:
    wrong, right = levels_of_errors(0, spread=1.5), uniform(0, 5 * SEASON)
    alarm = drift_alarm(np.concatenate((wrong, right)))
    assert alarm.raised
    assert alarm.spread < alarm.highest


def test_without_games_the_stake_is_what_it_was() -> None:
    alarm = drift_alarm(np.zeros(0))
    assert (alarm.games, alarm.location, alarm.spread, alarm.highest) == (0, 1.0, 1.0, 1.0)
    assert not alarm.raised


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan")])
def test_what_is_no_level_is_refused(wrong: float) -> None:
    with pytest.raises(DataError, match="expected levels from 0 to 1"):
        drift_alarm(np.asarray([0.5, wrong]))
