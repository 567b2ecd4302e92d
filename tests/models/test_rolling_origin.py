import json

import numpy as np
import pytest

from models.errors import DataError
from models.games import GameTable
from models.rolling_origin import (
    FORECASTS,
    SeasonResult,
    difference,
    forecast_season,
    report,
    scores,
)
from models.strength import expected_margins
from models.training import dejavu_margins, train_bundle

from .conftest import PLAN, make_games


@pytest.fixture(scope="module")
def games() -> GameTable:
    return make_games(range(2010, 2016))


@pytest.fixture(scope="module")
def results(games: GameTable) -> list[SeasonResult]:
    return [forecast_season(games, season, PLAN) for season in (2014, 2015)]


def test_a_season_is_forecast_by_what_training_on_the_earlier_ones_gives(
    games: GameTable, results: list[SeasonResult]
) -> None:
    result = results[0]
    bundle = train_bundle(games, 2013, plan=PLAN, device="cpu").bundle
    assert result.bundle.model_version == bundle.model_version
    test = games.season == 2014
    expected = expected_margins(games)[test]
    patterns = games.margins[test, :18].astype(float)
    dejavu = dejavu_margins(bundle.dejavu, patterns, expected)
    lstm = bundle.load_lstm("cpu").forecast(patterns, expected)
    assert (result.points["ensemble"] == bundle.ensemble.combine(dejavu, lstm)).all()
    assert (result.points["persistence"] == patterns[:, -1]).all()
    assert (result.actual == games.margins[test, 23]).all()


def test_a_season_does_not_know_itself(games: GameTable, results: list[SeasonResult]) -> None:
    halftime = games.margins.copy()
    halftime[games.season == 2014, 18:24] += 30
    altered = GameTable(
        **{name: getattr(games, name) for name in GameTable.__slots__ if name != "margins"},
        margins=halftime,
    )
    result = forecast_season(altered, 2014, PLAN)
    for name in FORECASTS:
        assert (result.points[name] == results[0].points[name]).all()
        assert result.half_widths[name] == results[0].half_widths[name]


def test_scores_go_over_all_seasons_with_each_ones_interval(results: list[SeasonResult]) -> None:
    errors = np.concatenate([result.actual - result.points["ensemble"] for result in results])
    half_widths = np.repeat([result.half_widths["ensemble"][0.2] for result in results], 120)
    total = scores(results, "ensemble", 0.2)
    assert total.games == 240
    assert total.mae == pytest.approx(np.abs(errors).mean())
    assert total.coverage == pytest.approx((np.abs(errors) <= half_widths).mean())
    assert total.width == pytest.approx(2 * half_widths.mean())


def test_differences_are_paired(results: list[SeasonResult]) -> None:
    better = difference(results, "ensemble", "persistence")
    wide = scores(results, "ensemble", 0.05).mae - scores(results, "persistence", 0.05).mae
    assert better.mean == pytest.approx(wide)
    assert difference(results, "ridge", "ridge").mean == 0


def test_the_report_is_plain_data(results: list[SeasonResult]) -> None:
    data = json.loads(json.dumps(report(results)))
    assert set(data["all"]) == set(FORECASTS)
    assert set(data["seasons"]) == {"2014", "2015"}
    assert data["all"]["lstm"]["alpha 0.05"]["mae"] == scores(results, "lstm", 0.05).mae


def test_a_first_season_cannot_be_tested(games: GameTable) -> None:
    with pytest.raises(DataError):
        forecast_season(games, 2010, PLAN)
