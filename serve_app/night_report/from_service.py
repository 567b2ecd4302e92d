"""A night read from a running service, over HTTP."""

import datetime

from serve_app.client import ForecastClient
from serve_app.night_report.night import Night, NightError, NightGame, first_half, season_start
from serve_app.schemas import GameView

NEWEST_GAMES = 1_000


def night_of_service(client: ForecastClient, url: str, day: datetime.date) -> Night:
    """The night as the service tells it, which does not tell the feed lag.

    Raises NightError where none of the newest registrations is of that day, and ClientError.
    """
    games = [view for view in client.games(NEWEST_GAMES) if view.day == day]
    if not games:
        raise NightError(
            f"expected a day with games; {url} has none of {day} among its {NEWEST_GAMES:,} newest"
        )
    season = client.accuracy_days(season_start(day), day)
    address = url.partition("://")[2]
    return Night(
        day, f"the service at {address}", tuple(_game(client, view) for view in games), season
    )


def _game(client: ForecastClient, view: GameView) -> NightGame:
    course = client.course(view.game_id).margins
    return NightGame(
        game_id=view.game_id,
        home_team=view.home_team,
        away_team=view.away_team,
        state=view.state,
        prediction=view.prediction,
        course=first_half([(one.elapsed_seconds, one.margin) for one in course]),
        updates=view.updates,
        corrections=view.corrections,
        missing_minutes=tuple(view.missing_minutes),
    )
