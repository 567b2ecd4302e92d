import numpy as np
import pytest

from models.calibration.alarm import THRESHOLD, drift_alarm, jumper_capital
from models.errors import DataError
from tests.models.calibration.crepes_inputs import (
    EVERY_41ST,
    LEVELS,
    SEASON,
    levels_of_errors,
    recorded,
    uniform,
)


@pytest.mark.parametrize("name", LEVELS)
def test_the_capital_is_that_of_crepes(name: str) -> None:
    levels = LEVELS[name]
    theirs = recorded(f"{name} levels", levels)["capital"]
    ours = jumper_capital(levels)
    assert len(ours) == len(levels)
    assert ours[EVERY_41ST] == pytest.approx(theirs, rel=1e-9)


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
