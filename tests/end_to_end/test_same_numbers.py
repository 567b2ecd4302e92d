"""A real game through the real service finds the numbers of the backtest, to the last digit."""

import time
from typing import Any

import httpx
import numpy as np
import pyarrow.parquet as pq

from models.backtest.forecasts import LEVELS
from models.backtest.walk import walk
from models.game.clock import GameClock
from models.game.games import load_games
from models.game.horizon import CELLS
from models.training.bundle import Bundle
from serve_app.model.forecast_answer import LEVEL_NAMES
from serve_app.process.service_process import ROOT, ServiceProcess
from serve_app.settings import SHIPPED_BUNDLE
from tests.serve_app.test_same_numbers import minutes_of

NIGHT = ROOT / "models" / "bundles" / "demo_night"
GAME = "0022301190"  # it went into overtime


def running_forecast(http: httpx.Client, game_id: str, updates: int) -> dict[str, Any]:
    """The running forecast that rests on so many updates, once it is made."""
    deadline = time.monotonic() + 60
    while True:
        made: dict[str, Any] | None = http.get(f"/games/{game_id}").json()["forecast"]
        if made is not None and made["updates"] >= updates:
            return made
        assert time.monotonic() < deadline, f"no forecast of {updates} updates; got {made}"


def test_every_minute_of_a_game_is_forecast_as_in_the_backtest(fused: ServiceProcess):
    games = load_games(NIGHT / "games.parquet", NIGHT / "events.parquet")
    row = games.game_id.tolist().index(GAME)
    table = pq.read_table(NIGHT / "events.parquet", filters=[("game_id", "=", GAME)])
    columns = ("period", "seconds_remaining", "score_home", "score_away")
    course = list(zip(*(table[column].to_pylist() for column in columns), strict=True))
    walked = walk(Bundle.load(SHIPPED_BUNDLE), games)
    places = [round(float(level), 3) for level in LEVELS]
    compared = updates = news = 0
    seen = (0.0, 0, 0)
    with httpx.Client(base_url=fused.url, timeout=30) as http:
        registration = {
            "game_id": GAME,
            "home_team": str(games.home[row]),
            "away_team": str(games.away[row]),
            "start_time": f"{games.date[row]}T19:30:00",
        }
        assert http.post("/games", json=registration).status_code == 200
        for minute, events in enumerate(minutes_of(course)[:47], start=1):
            for period, remaining, home, away in events:
                clock = GameClock(period, remaining)
                update = {
                    "quarter": period,
                    "time_remaining": clock.time_remaining,
                    "score_home": home,
                    "score_away": away,
                }
                answer = http.post(f"/games/{GAME}/scores", json=update)
                assert answer.status_code == 200, answer.text
                updates += not answer.json()["duplicate"]
                if seen != (clock.elapsed_seconds, home, away):
                    seen, news = (clock.elapsed_seconds, home, away), updates
            made = running_forecast(http, GAME, news)
            assert made["margin"] == games.margins[row, minute - 1]
            for horizon in ("halftime", "final"):
                if (horizon, minute) not in CELLS:
                    assert made[horizon] is None
                    continue
                cell = CELLS.index((horizon, minute))
                found = walked.quantiles[row, cell]
                assert made[horizon]["point_forecast"] == walked.ensemble[row, cell]
                assert made[horizon]["quantiles"] == {
                    name: found[places.index(float(name))] for name in LEVEL_NAMES
                }
                chance = walked.win_probability[row, cell]
                told = made[horizon]["win_probability"]
                assert told == chance if horizon == "final" else np.isnan(chance) and told is None
                compared += 1
    assert compared == 23 + 47
