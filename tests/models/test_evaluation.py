import numpy as np
import pytest

from models import metrics
from models.errors import DataError
from models.evaluation import ensemble_scores, evaluate, persistence_scores, season_games
from models.games import GameTable
from models.training import Trained


def test_each_game_is_forecast_with_the_frozen_ratings(trained: Trained, games: GameTable) -> None:
    season = season_games(games, 2014)
    evaluated = evaluate(trained.bundle.forecaster, season, alpha=0.2)
    assert [game.game_id for game in evaluated] == season.game_id.tolist()
    strength = trained.bundle.strength
    for row, game in enumerate(evaluated):
        assert game.pattern == tuple(season.margins[row, :18])
        assert game.halftime_margin == season.margins[row, 23]
        assert game.forecast.strength == "ratings"
        assert game.forecast.expected_margin == strength.expected_margin(game.home, game.away)[0]
        assert game.error == game.halftime_margin - game.forecast.point_forecast
        assert game.persistence_error == season.margins[row, 23] - season.margins[row, 17]
        assert game.covered == (abs(game.error) <= trained.bundle.conformal.half_width(0.2))


def test_given_expected_margins_are_used(trained: Trained, games: GameTable) -> None:
    season = season_games(games, 2014)
    evaluated = evaluate(trained.bundle.forecaster, season, expected=np.full(len(season), 2.5))
    assert {game.forecast.expected_margin for game in evaluated} == {2.5}
    assert {game.forecast.strength for game in evaluated} == {"caller"}


def test_a_game_of_the_library_is_not_its_own_neighbour(trained: Trained, games: GameTable) -> None:
    for game in evaluate(trained.bundle.forecaster, season_games(games, 2010)):
        assert game.game_id not in {one.game_id for one in game.forecast.similar_games}


def test_scores_are_those_of_the_rows(trained: Trained, games: GameTable) -> None:
    evaluated = evaluate(trained.bundle.forecaster, season_games(games, 2014), alpha=0.2)
    scores = ensemble_scores(evaluated, 0.2)
    assert scores.games == 120
    assert scores.mae == pytest.approx(np.mean([abs(game.error) for game in evaluated]))
    assert scores.coverage == np.mean([game.covered for game in evaluated])
    persistence = persistence_scores(evaluated, trained.bundle, 0.2)
    assert persistence.mae == metrics.mae(
        [game.pattern[-1] for game in evaluated], [game.halftime_margin for game in evaluated]
    )
    assert persistence.width == 2 * trained.bundle.persistence.half_width(0.2)


def test_a_season_without_games_is_refused(games: GameTable) -> None:
    with pytest.raises(DataError, match=r"2014.*got 1999"):
        season_games(games, 1999)
