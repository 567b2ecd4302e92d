"""A season as a service has learned it: with the errors of a bundle's own forecasts."""

from models.backtest.walk import walked_margins
from models.calibration.learned_game import LearnedGame
from models.calibration.learning import game_errors
from models.game.games import GameTable
from models.training.bundle import Bundle


def learned_season(bundle: Bundle, games: GameTable) -> list[LearnedGame]:
    """Games after the bundle's last, with ratings that each day moved."""
    expected = walked_margins(bundle.strength, games)
    errors = [
        game_errors(model.increments, games, expected).tolist()
        for model in (bundle.dejavu, bundle.lstm)
    ]
    return [
        LearnedGame(
            game_id=str(games.game_id[row]),
            date=games.date[row].item(),
            season=int(games.season[row]),
            playoffs=bool(games.playoffs[row]),
            home=str(games.home[row]),
            away=str(games.away[row]),
            final_home=int(games.final_home[row]),
            final_away=int(games.final_away[row]),
            expected_margin=float(expected[row]),
            margins=tuple(games.margins[row].tolist()),
            last_score=tuple(games.last_score[row].tolist()),
            dejavu_errors=tuple(errors[0][row]),
            lstm_errors=tuple(errors[1][row]),
        )
        for row in range(len(games))
    ]
