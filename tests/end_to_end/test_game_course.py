"""A game's course through the composed service, over its own client."""

import time

import pytest

from serve_app.client import ForecastClient
from serve_app.client.errors import NotFoundError
from serve_app.process.service_process import ServiceProcess
from serve_app.schemas import GameView
from tests.end_to_end.conftest import scores


def with_running_forecast(client: ForecastClient, updates: int) -> GameView:
    """The game once the forecast behind its newest update is made."""
    deadline = time.monotonic() + 60
    while True:
        game = client.game("course")
        if game.forecast is not None and game.forecast.updates == updates:
            return game
        assert time.monotonic() < deadline, "no running forecast was made within a minute"
        time.sleep(0.05)


def test_the_course_the_similar_games_and_one_of_them(composed: ServiceProcess):
    with ForecastClient(composed.url) as client:
        client.register_game("course", "BOS", "LAL", expected_margin=2.5)
        with pytest.raises(NotFoundError, match="nothing_to_compare"):
            client.similar_games("course")
        client.post_scores(scores("course", range(1, 19)))
        game = with_running_forecast(client, updates=18)
        course = client.course("course")
        assert [(one.elapsed_seconds, one.margin) for one in course.margins] == [
            (60.0 * minute, minute) for minute in range(1, 19)
        ]
        newest = course.forecasts[-1]
        assert game.forecast is not None
        assert newest.elapsed_seconds == 1080.0
        assert newest.final_point == game.forecast.final.point_forecast
        similar = client.similar_games("course")
        assert (similar.minute, similar.margin) == (18, 18.0)
        asked = client.predict(game.pattern, expected_margin=2.5, day=game.day)
        assert asked.explanation is not None
        assert [(one.game_id, one.distance) for one in similar.games] == [
            (one.game_id, one.distance) for one in asked.explanation.similar_games
        ]
        past = client.past_game(similar.games[0].game_id)
        assert past.margins == similar.games[0].margins
        assert past.margins[:18] == asked.explanation.similar_games[0].pattern
        client.end_game("course")
        assert client.course("course").margins == course.margins
        assert client.similar_games("course") == similar
