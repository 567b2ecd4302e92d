"""The composed service over real HTTP and WebSocket: the live path, placements, restarts."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client as websocket

from serve_app.client import ForecastClient
from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess, ServiceProcessError
from serve_app.schemas import AnyMessage
from tests.end_to_end.conftest import CONFIGS, register, scores

PATTERNS = [
    {
        "pattern": [float((minute * step) % 27 - 13) for minute in range(18)],
        "alpha": 0.05 + step / 50,
        "home_team": "BOS",
        "away_team": "LAL" if step % 2 else "XXX",
        "date": "2024-04-14",  # before any game that a service here has learned
    }
    for step in range(1, 25)
]


def test_the_crossing_reaches_the_answer_the_watcher_the_log_and_the_outcome(
    composed: ServiceProcess, http: httpx.Client
):
    with websocket.connect(composed.live_url) as watcher:
        assert json.loads(watcher.recv(timeout=30))["type"] == "snapshot"
        register(http, "path")
        answers = http.post("/scores", json=scores("path", range(1, 19))).json()
        made = answers[-1]["result"]["prediction"]
        http.post("/scores", json=scores("path", range(19, 25)))
        http.post("/games/path/end")
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["type"] != "ended":
            messages.append(json.loads(watcher.recv(timeout=30)))
    messages = [message for message in messages if message["type"] != "heartbeat"]
    ours = [message for message in messages if message["game_id"] == "path"]
    ours = [message for message in ours if message["type"] != "forecast"]  # they come as they come
    assert [m["type"] for m in ours] == (
        ["game"] + ["score"] * 18 + ["prediction"] + ["score"] * 6 + ["outcome", "ended"]
    )
    assert [m["seq"] for m in messages] == sorted({m["seq"] for m in messages})
    told = next(message for message in ours if message["type"] == "prediction")["prediction"]
    assert told["point_forecast"] == made["point_forecast"]
    log = http.get("/predictions").json()["predictions"]
    (logged,) = [prediction for prediction in log if prediction["game_id"] == "path"]
    assert logged["point_forecast"] == made["point_forecast"]
    assert logged["outcome"]["halftime_margin"] == 24


def test_a_listener_goes_on_where_it_was_when_the_feed_is_killed(
    composed: ServiceProcess, http: httpx.Client
):
    register(http, "listened")
    begun = threading.Event()
    told: list[AnyMessage] = []

    def listen() -> None:
        with ForecastClient(composed.url) as client:
            for message in client.watch(games=["listened"], types=["score", "ended"]):
                told.append(message)
                begun.set()
                if message.type == "ended":
                    return

    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(listen)
        assert begun.wait(30)
        for minute in range(1, 25):
            if minute in (8, 16):
                for replica in composed.members("ray::ServeReplica:live-feed:LiveFeed"):
                    os.kill(replica, signal.SIGKILL)
            http.post("/scores", json=scores("listened", range(minute, minute + 1)))
        http.post("/games/listened/end")
        listening.result(60)
    assert [message.type for message in told] == ["snapshot"] + ["score"] * 24 + ["ended"]
    assert [m.sequence for m in told if m.type == "score"] == list(range(1, 25))


def test_eight_scrapers_at_once_make_one_prediction(http: httpx.Client, composed: ServiceProcess):
    register(http, "race")
    http.post("/scores", json=scores("race", range(1, 18)))
    (crossing,) = scores("race", range(18, 19))

    def post(_: int) -> dict[str, object]:
        answer = httpx.post(f"{composed.url}/scores", json=[crossing], timeout=30)
        result: dict[str, object] = answer.json()[0]["result"]
        return result

    with ThreadPoolExecutor(8) as scrapers:
        results = list(scrapers.map(post, range(16)))
    assert [result["duplicate"] for result in results].count(False) == 1
    made = {json.dumps(r["prediction"], sort_keys=True) for r in results if r.get("prediction")}
    assert len(made) == 1
    log = http.get("/predictions", params={"limit": 1000}).json()["predictions"]
    assert [prediction["game_id"] for prediction in log].count("race") == 1


def test_the_placements_answer_the_same_to_the_last_bit(http: httpx.Client, fused: ServiceProcess):
    together = http.post("/predict/batch", json=PATTERNS).text
    alone = [http.post("/predict", json=pattern).text for pattern in PATTERNS]
    assert httpx.get(f"{fused.url}/ready").json()["placement"] == "fused"
    assert httpx.post(f"{fused.url}/predict/batch", json=PATTERNS, timeout=30).text == together
    for pattern, answer in zip(PATTERNS, alone, strict=True):
        assert httpx.post(f"{fused.url}/predict", json=pattern, timeout=30).text == answer
    assert json.loads(together) == [json.loads(answer) for answer in alone]


def post_until_taken(http: httpx.Client, updates: list[dict[str, object]]) -> None:
    """Post as a scraper does: again and again until every update is acknowledged."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = http.post("/scores", json=updates)
            if answer.status_code == 200 and {item["status"] for item in answer.json()} == {200}:
                return
        except httpx.TransportError:
            pass  # The replica died with the request; it is safe to send again.
        assert time.monotonic() < deadline, "the updates were not taken within a minute"
        time.sleep(0.1)


def kill(composed: ServiceProcess, title: str) -> None:
    victims = composed.members(title)
    assert victims
    for victim in victims:
        os.kill(victim, signal.SIGKILL)


def test_killed_shards_and_ingress_replicas_come_back_with_everything(
    http: httpx.Client, composed: ServiceProcess
):
    games = [f"killed-{number}" for number in range(6)]
    for game_id in games:
        register(http, game_id)
    posted: list[int] = []

    def scrape() -> None:
        """Post minute by minute without a pause, one update a request."""
        for minute in range(1, 25):
            for game_id in games:
                post_until_taken(http, scores(game_id, range(minute, minute + 1)))
            posted.append(minute)

    def reached(minute: int) -> None:
        deadline = time.monotonic() + 120
        while len(posted) < minute:
            assert time.monotonic() < deadline, f"minute {minute} was not reached"
            time.sleep(0.005)

    with ThreadPoolExecutor(1) as scraper:
        scraping = scraper.submit(scrape)
        # Each kill comes while requests are under way, the second among the crossings of 6:00.
        for minute, title in (
            (5, "ray::ShardActor"),
            (17, "ray::ServeReplica:forecaster:Ingress"),
            (18, "ray::ShardActor"),
        ):
            reached(minute)
            kill(composed, title)
        scraping.result(timeout=240)
    log = http.get("/predictions", params={"limit": 1000}).json()["predictions"]
    ours = [prediction for prediction in log if prediction["game_id"] in games]
    assert sorted(prediction["game_id"] for prediction in ours) == games
    for prediction in ours:
        assert prediction["pattern"] == [float(minute) for minute in range(1, 19)]
        assert prediction["outcome"]["halftime_margin"] == 24


def test_a_wrong_setting_is_refused_with_what_is_allowed(tmp_path: Path):
    config = tmp_path / "wrong.yaml"
    text = (CONFIGS / "fused.yaml").read_text()
    config.write_text(text.replace("placement: fused", "placement: confused"))
    service = ServiceProcess.of_config(config, free_port(), tmp_path)
    with (
        service,
        pytest.raises(ServiceProcessError, match="'composed' or 'fused'; got 'confused'"),
    ):
        asyncio.run(service.ready())


def test_a_taken_port_is_refused_with_what_to_do(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [
            sys.executable,
            str(ROOT / "scripts" / "serve.py"),
            f"--config={CONFIGS / 'fused.yaml'}",
            f"--port={taken.getsockname()[1]}",
            f"--data-dir={tmp_path}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Choose another with PORT=" in done.stderr
