"""A night read from a running service, over HTTP."""

import datetime

from models.game.league import SECONDS_PER_MINUTE
from serve_app.client import ForecastClient
from serve_app.night_report.night import Night, NightError, NightGame, season_start
from serve_app.schemas import GameView

NEWEST_GAMES = 1_000


def night_of_service(client: ForecastClient, url: str, day: datetime.date) -> Night:
    """The night as the service tells it: the course by the minute, and no feed lag.

    Raises NightError where none of the newest registrations is of that day, and ClientError.
    """
    games = [view for view in client.games(NEWEST_GAMES) if view.day == day]
    if not games:
        raise NightError(
            f"expected a day with games; {url} has none of {day} among its {NEWEST_GAMES:,} newest"
        )
    season = client.accuracy_days(season_start(day), day)
    address = url.partition("://")[2]
    return Night(day, f"the service at {address}", tuple(map(_game, games)), season)


def _game(view: GameView) -> NightGame:
    minutes = enumerate(view.pattern, start=1)
    return NightGame(
        game_id=view.game_id,
        home_team=view.home_team,
        away_team=view.away_team,
        state=view.state,
        prediction=view.prediction,
        course=((0.0, 0.0), *((minute * SECONDS_PER_MINUTE, margin) for minute, margin in minutes)),
        updates=view.updates,
        corrections=view.corrections,
        missing_minutes=tuple(view.missing_minutes),
    )
