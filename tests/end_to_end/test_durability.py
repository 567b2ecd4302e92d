"""The real service, stopped in the middle of a night, goes on with more shards on its store.

The store is PostgreSQL where a server can be had, else the embedded one; that every process may be
killed instead is `test_chaos`'s.
"""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import websockets.sync.client as websocket
import yaml
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.conftest import register, running, scores

GAMES = [f"moved-{number}" for number in range(6)]


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str | None:
    try:
        url: str = request.getfixturevalue("postgresql").new_database()
    except pytest.skip.Exception:
        return None
    return url


def test_a_restart_with_more_shards_continues_a_night_and_leaves_no_process(
    store_url: str | None, tmp_path: Path
):
    with running("fused.yaml", tmp_path, store_url=store_url, shards=2) as service:
        with httpx.Client(base_url=service.url, timeout=30) as http:
            for game_id in GAMES:
                register(http, game_id)
                assert http.post("/scores", json=scores(game_id, range(1, 18))).is_success
            answers = http.post("/scores", json=scores(GAMES[0], range(18, 20))).json()
            first = [answer["result"] for answer in answers]
            before = [http.get(f"/games/{game_id}").json() for game_id in GAMES]
        processes = service.members()
        assert len(processes) > 5
        assert service.stop() == 0
    assert [pid for pid in processes if Path(f"/proc/{pid}").exists()] == []
    with (
        running("fused.yaml", tmp_path, store_url=store_url, shards=3) as service,
        httpx.Client(base_url=service.url, timeout=30) as http,
    ):
        after = [http.get(f"/games/{game_id}").json() for game_id in GAMES]
        for view in before + after:
            del view["feed_lag_seconds"], view["forecast"]
        assert after == before
        again = http.post("/scores", json=scores(GAMES[0], range(18, 20))).json()
        repeats = [{**result, "duplicate": True} for result in first]
        assert [answer["result"] for answer in again] == repeats
        for game_id in GAMES:
            assert http.post("/scores", json=scores(game_id, range(18, 25))).is_success
        log = http.get("/predictions").json()["predictions"]
    assert sorted(prediction["game_id"] for prediction in log) == GAMES
    for prediction in log:
        assert prediction["pattern"] == [float(minute) for minute in range(1, 19)]
        assert prediction["outcome"]["halftime_margin"] == 24
    assert (tmp_path / "halftime.sqlite3").exists() == (store_url is None)


def close_code(socket: websocket.ClientConnection) -> int | None:
    """Read until the service closes the socket; its code."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=60)
    return socket.close_code


def give_the_feed(config: Path, cores: float) -> None:
    content = yaml.safe_load(config.read_text())
    (feed,) = [one for one in content["applications"] if one["name"] == "live-feed"]
    feed["deployments"][0]["ray_actor_options"] = {"num_cpus": cores}
    config.write_text(yaml.safe_dump(content))


def test_an_update_and_a_stop_tell_watchers_to_come_back(tmp_path: Path):
    with ThreadPoolExecutor(1) as pool, running("fused.yaml", tmp_path) as service:
        with websocket.connect(service.live_url) as socket:
            give_the_feed(tmp_path / "config.yaml", 0.2)
            assert close_code(socket) == 1012
        asyncio.run(service.ready())
        with websocket.connect(service.live_url) as socket, httpx.Client() as http:
            socket.recv(timeout=30)
            with http.stream("GET", f"{service.url}/ws/events") as events:
                assert next(events.iter_lines())  # it cannot be told, and holds no socket up
                stopping = pool.submit(service.stop)
                assert close_code(socket) == 1012
            assert stopping.result(60) == 0
