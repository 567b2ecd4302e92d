"""The real service on PostgreSQL: killed as a whole in the middle, and back with more shards."""

import os
import signal
from pathlib import Path

import httpx

from tests.end_to_end.conftest import register, running, scores
from tests.postgresql import PostgresServer

GAMES = [f"moved-{number}" for number in range(6)]


def test_a_killed_service_goes_on_with_another_number_of_shards(
    postgresql: PostgresServer, tmp_path: Path
):
    url = postgresql.new_database()
    with running("fused.yaml", tmp_path, store_url=url, shards=2) as service:
        with httpx.Client(base_url=service.url, timeout=30) as http:
            for game_id in GAMES:
                register(http, game_id)
                assert http.post("/scores", json=scores(game_id, range(1, 18))).is_success
            first = [
                answer["result"]
                for answer in http.post("/scores", json=scores(GAMES[0], range(18, 20))).json()
            ]
            before = [http.get(f"/games/{game_id}").json() for game_id in GAMES]
        for process in service.members():
            os.kill(process, signal.SIGKILL)
        service.stop()
    with (
        running("fused.yaml", tmp_path, store_url=url, shards=3) as service,
        httpx.Client(base_url=service.url, timeout=30) as http,
    ):
        after = [http.get(f"/games/{game_id}").json() for game_id in GAMES]
        for view in before + after:
            del view["feed_lag_seconds"], view["forecast"]
        assert after == before
        again = http.post("/scores", json=scores(GAMES[0], range(18, 20))).json()
        assert [answer["result"] for answer in again] == [
            {**result, "duplicate": True} for result in first
        ]
        for game_id in GAMES:
            assert http.post("/scores", json=scores(game_id, range(18, 25))).is_success
        log = http.get("/predictions").json()["predictions"]
    assert sorted(prediction["game_id"] for prediction in log) == GAMES
    for prediction in log:
        assert prediction["pattern"] == [float(minute) for minute in range(1, 19)]
        assert prediction["outcome"]["halftime_margin"] == 24
    assert not (tmp_path / "halftime.sqlite3").exists()
