"""The walk says what the service would, day by day."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.backtest.walk import Points, Walk, calibrated, walk, walked_margins
from models.calibration.calibration import Calibration
from models.calibration.learned_game import LearnedGame
from models.calibration.learning import ERROR_DECIMALS
from models.forecasters.ensemble import Ensemble
from models.forecasters.forecaster import ForecastRequest
from models.game.game_state import GameState
from models.game.games import GameTable
from models.game.horizon import CELLS, cell_of
from models.game.pattern import FloatArray
from models.ratings.strength import TeamStrength, expected_margins
from models.training.bundle import Bundle
from models.training.training import train_bundle
from tests.models.conftest import PLAN, make_games

SPREAD = np.asarray([2.4 * np.sqrt((24 if h == "halftime" else 48) - m) for h, m in CELLS])


@pytest.fixture(scope="module")
def bundle(history: GameTable) -> Bundle:
    return train_bundle(history, 2014, plan=PLAN, device="cpu").bundle


@pytest.fixture(scope="module")
def season(history: GameTable) -> GameTable:
    return history.select(history.season == 2015)


@pytest.fixture(scope="module")
def told(bundle: Bundle, season: GameTable) -> Walk:
    return walk(bundle, season)


def test_expected_margins_are_those_of_the_whole_walk(
    history: GameTable, season: GameTable, told: Walk
) -> None:
    whole = expected_margins(history)[history.season == 2015]
    # Nothing is told of the first day, which is more than a summer after the last result.
    first = season.date == season.date[0]
    assert (told.points.expected[~first] == whole[~first]).all()
    assert len(set(told.points.expected[first].tolist())) == 1


def test_the_service_says_the_same_to_the_last_digit(
    bundle: Bundle, season: GameTable, told: Walk
) -> None:
    adaptation = bundle.adaptation()
    forecaster = replace(bundle.load_forecaster("cpu"), adaptation=adaptation)
    for row in range(12):
        for horizon, minute in (("halftime", 6), ("halftime", 23), ("final", 18), ("final", 47)):
            (forecast,) = forecaster.forecast(
                [
                    ForecastRequest(
                        state=GameState.of_pattern(
                            season.margins[row, :minute].tolist(),
                            int(season.last_score[row, minute - 1]),
                        ),
                        horizon=cast("Any", horizon),
                        home_team=str(season.home[row]),
                        away_team=str(season.away[row]),
                        date=season.date[row].item(),
                    )
                ]
            )
            cell = cell_of(cast("Any", horizon), minute)
            assert forecast.point_forecast == told.ensemble[row, cell]
            assert forecast.dejavu_prediction == told.points.dejavu[row, cell]
            assert forecast.lstm_prediction == told.points.lstm[row, cell]
            assert forecast.interval_lower == told.quantiles[row, cell, 0]
            assert forecast.quantiles == tuple(told.quantiles[row, cell, 1:8])
            if horizon == "final":
                assert forecast.win_probability == told.win_probability[row, cell]
        adaptation.learn([_learned(season, told, row)])


def _learned(season: GameTable, told: Walk, row: int) -> LearnedGame:
    return LearnedGame(
        game_id=str(season.game_id[row]),
        date=season.date[row].item(),
        season=2015,
        playoffs=False,
        home=str(season.home[row]),
        away=str(season.away[row]),
        final_home=int(season.final_home[row]),
        final_away=int(season.final_away[row]),
        expected_margin=float(told.points.expected[row]),
        margins=tuple(season.margins[row].tolist()),
        last_score=tuple(season.last_score[row].tolist()),
        dejavu_errors=_errors(told, told.points.dejavu, row),
        lstm_errors=_errors(told, told.points.lstm, row),
    )


def _errors(told: Walk, points: FloatArray, row: int) -> tuple[float, ...]:
    return tuple((told.points.actual - points)[row].round(ERROR_DECIMALS).tolist())


def test_given_margins_take_precedence_where_there_are_some(
    bundle: Bundle, season: GameTable, told: Walk
) -> None:
    given = np.where(np.arange(len(season)) % 2 == 0, 7.5, np.nan)
    expected = walk(bundle, season, given).points.expected
    assert (expected[::2] == 7.5).all()
    assert (expected[1::2] == told.points.expected[1::2]).all()


def test_games_of_one_day_teach_each_other_nothing(season: GameTable) -> None:
    strength = TeamStrength.fit(make_games(range(2010, 2015), days=25))
    first = season.select(season.date == season.date[0])
    first = replace(first, date=first.date - 200)  # a summer after the last result, no more
    assert walked_margins(strength, first).tolist() == [
        strength.expected_margin(str(home), str(away), first.date[0].item()).margin
        for home, away in zip(first.home, first.away, strict=True)
    ]


def test_coverage_keeps_its_promise_while_the_spread_grows() -> None:
    random = np.random.default_rng(11)
    games = make_games(range(2010, 2016), days=100)
    # A few long days instead of many short ones: every day costs a curve for every cell.
    games = replace(games, date=np.sort(games.date)[0] + np.arange(len(games)) // 60)
    count = len(games)
    growth = np.linspace(1.0, 1.3, 2 * count)[:, None]
    errors = random.normal(0, 1, (2 * count, len(CELLS))) * SPREAD * growth
    early = Calibration.fit(errors[:count], games.date - 1000)
    fake = SimpleNamespace(ensemble=Ensemble(0.5, 0.5), calibration=early)
    nothing, actual = np.zeros((count, len(CELLS))), errors[count:]
    points = Points(np.zeros(count), nothing, nothing, actual)
    found = calibrated(cast("Bundle", fake), games, points)
    for low, high, share in ((3, 5, 0.5), (2, 6, 0.8), (1, 7, 0.9), (0, 8, 0.95)):
        lower, upper = found.quantiles[..., low], found.quantiles[..., high]
        covered = ((lower <= actual) & (actual <= upper)).mean(axis=0)
        noise = np.sqrt(share * (1 - share) / count)
        assert np.abs(covered - share).max() < 4.5 * noise, share
        assert abs(covered.mean() - share) < 0.01
    assert (np.diff(found.quantiles, axis=2) >= 0).all()
    # The PIT is level: a fifth of it in each fifth.
    fifths = np.histogram(found.pit, bins=5, range=(0, 1))[0] / found.pit.size
    assert fifths == pytest.approx(np.full(5, 0.2), abs=0.012)
