"""Past games of a library in the words of the HTTP contract."""

from collections.abc import Iterable

from models.forecasters.dejavu import SimilarGame
from models.forecasters.library import Library
from serve_app.schemas import PastGame, SimilarPastGame


def past_game(library: Library, game_id: str) -> PastGame:
    """One game of the library; raises KeyError where it holds none of this id."""
    row, games = library.rows[game_id], library.games
    return PastGame(
        game_id=game_id,
        date=games.date[row].item(),
        season=int(games.season[row]),
        playoffs=bool(games.playoffs[row]),
        home_team=str(games.home[row]),
        away_team=str(games.away[row]),
        final_home=int(games.final_home[row]),
        final_away=int(games.final_away[row]),
        expected_margin=float(library.expected_margins[row]),
        margins=games.margins[row].tolist(),
        halftime_margin=int(games.halftime_margin[row]),
        final_margin=int(games.final_margin[row]),
    )


def similar_past_games(library: Library, found: Iterable[SimilarGame]) -> list[SimilarPastGame]:
    """What a search in this library found, each game with its whole course."""
    return [_similar(past_game(library, game.game_id), game.distance) for game in found]


def _similar(game: PastGame, distance: float) -> SimilarPastGame:
    return SimilarPastGame.model_validate({**dict(game), "distance": distance})
