"""The course of a game so far: its margins as they are known now, its forecasts as they were made.

Read from the journal, so that it is the same whichever shard holds the game, and after its end.
"""

from collections.abc import Iterable

import msgspec

from models.game.league import LEAGUES
from serve_app.api.problems import UnknownGame
from serve_app.game.score_timeline import ScoreTimeline
from serve_app.schemas import ForecastAt, GameCourse, MarginAt
from serve_app.shards.session_cache import of_one_game
from serve_app.shards.session_journal import clock_of, observations_of
from serve_app.storage.journal import ScoreRows
from serve_app.storage.store import Store

SECONDS_PER_FORECAST = 15  # of game time: a chart has no room for more


class _Halftime(msgspec.Struct):
    """What the course tells of a forecast of the halftime margin."""

    point_forecast: float


class _Final(msgspec.Struct):
    """What the course tells of a forecast of the final margin."""

    point_forecast: float
    win_probability: float | None = None


class _Forecast(msgspec.Struct):
    """What the course tells of a running forecast; a payload holds ten times as much."""

    quarter: int
    time_remaining: str
    margin: float
    final: _Final
    halftime: _Halftime | None = None


class _Payload(msgspec.Struct):
    forecast: _Forecast


_read_forecasts = msgspec.json.Decoder(list[_Payload]).decode


def game_course(store: Store, game_id: str) -> GameCourse:
    """What the store knows of a game's course.

    Raises UnknownGame, and Unavailable where its journal is archived and cannot be read.
    """
    with store.reading():
        stored = store.games.get(game_id)
        if stored is None:
            raise UnknownGame.of(game_id)
        with of_one_game(game_id):
            scores, forecasts = store.scores(stored), store.forecasts(stored)
    game = stored.registration
    return GameCourse(
        game_id=game_id,
        home_team=game.home_team,
        away_team=game.away_team,
        margins=_margins(scores, game.league),
        forecasts=_forecasts(forecasts, game.league),
    )


def _margins(scores: ScoreRows, league: str) -> list[MarginAt]:
    timeline = ScoreTimeline(LEAGUES[league])
    timeline.restore(observations_of(scores, league))
    return [
        MarginAt(elapsed_seconds=seconds, margin=margin)
        for seconds, margin in timeline.margin_course()
    ]


def _forecasts(payloads: Iterable[str], league: str) -> list[ForecastAt]:
    """Of each 15 seconds of game time the last one, of those at one clock the newest.

    The clock of a game only goes on, but what was seen at a clock may be corrected: the newest
    forecast there knows it.
    """
    made = [payload.forecast for payload in _read_forecasts(f"[{','.join(payloads)}]")]
    at = [clock_of(one.quarter, one.time_remaining, league).elapsed_seconds for one in made]
    in_order = sorted(zip(at, range(len(made)), strict=True))
    last = {seconds // SECONDS_PER_FORECAST: (seconds, place) for seconds, place in in_order}
    return [_forecast_at(seconds, made[place]) for seconds, place in last.values()]


def _forecast_at(elapsed_seconds: float, made: _Forecast) -> ForecastAt:
    return ForecastAt(
        elapsed_seconds=elapsed_seconds,
        margin=made.margin,
        halftime_point=made.halftime and made.halftime.point_forecast,
        final_point=made.final.point_forecast,
        win_probability=made.final.win_probability,
    )
