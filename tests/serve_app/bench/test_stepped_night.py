"""A night by game clock: every minute is seen, and steps do not change what is posted."""

import httpx
import pytest

from models.game.clock import GameClock
from serve_app.bench.stepped_night import SteppedNight
from serve_app.client import ForecastClient
from serve_app.replay.errors import RefusedError

GAMES = 15
OVERTIME = "0022301190"


def night(client: ForecastClient | None = None, games: int = GAMES) -> SteppedNight:
    return SteppedNight(client or ForecastClient(), games=games)


def clock(update: dict[str, object]) -> float:
    return GameClock.parse(
        int(str(update["quarter"])), str(update["time_remaining"])
    ).elapsed_seconds


def test_every_minute_and_the_clock_that_was_asked_for_are_seen():
    for game in night().games:
        posted = [*game.to(615_000), *game.to(1_080_000), *game.to(game.end)]
        clocks = [clock(update) for _, update in posted]
        assert clocks == sorted(set(clocks))
        assert clocks == [at / 1000 for at, _ in posted]
        minutes = {60.0 * minute for minute in range(1, game.end // 60_000 + 1)}
        assert minutes | {615.0} <= set(clocks)
        assert [update["sequence"] for _, update in posted] == list(range(1, len(posted) + 1))
        last = posted[-1][1]
        assert (last["score_home"], last["score_away"]) == game.score_at(game.end)
        assert last["score_home"] != last["score_away"]


def test_a_game_that_went_into_overtime_is_played_to_its_last_buzzer():
    (game,) = (game for game in night().games if game.game_id == OVERTIME)
    assert game.end > 48 * 60_000
    last = game.to(10**9)[-1][1]
    assert (last["quarter"], last["time_remaining"]) == (5, "0:00")
    home, away = game.score_at(48 * 60_000)
    assert home == away


def test_what_was_played_is_not_posted_again():
    game = night(games=1).games[0]
    assert game.to(600_000)
    assert game.to(600_000) == []
    assert game.to(300_000) == []


def test_a_refused_score_ends_the_night():
    problem = {"type": "urn:problem:x", "title": "No", "status": 409, "detail": "not this one"}

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{"status": 409, "problem": problem}])

    client = ForecastClient(transport=httpx.MockTransport(refuse))
    with pytest.raises(RefusedError, match="not this one"):
        night(client, games=1).play_to(1)
