"""What an operator sees of the real service: its metrics, its state, its logs."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client as websocket
from pydantic import TypeAdapter

from serve_app.process.exposure import listeners_of
from serve_app.process.service_process import ServiceProcess
from serve_app.schemas import AnyMessage, System
from serve_app.system.metrics import METRICS
from tests.end_to_end.conftest import log_folder, register, scores
from tests.serve_app.system.test_metric_files import SERVE_METRICS

# An export is of 15 s ago at most; a busy machine takes its time.
PATIENCE_SECONDS = 90.0


@pytest.fixture(scope="module")
def fused_http(fused: ServiceProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fused.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def played(fused_http: httpx.Client) -> None:
    """A game that was predicted and resolved, with a minute that nobody saw, and a repeat."""
    register(fused_http, "operated")
    for one in [*scores("operated", range(1, 17)), *scores("operated", range(18, 25))]:
        answer = fused_http.post("/scores", json=[one])
        assert answer.json()[0]["status"] == 200, answer.text
    fused_http.post("/scores", json=scores("operated", range(1, 3)))


def exported(service: ServiceProcess) -> dict[str, float]:
    """The series of the export, the values of those with the same name added up."""
    text = httpx.get(service.metrics_url, timeout=30, trust_env=False).text
    series: dict[str, float] = {}
    for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE):
        series[name] = series.get(name, 0.0) + float(value)
    return series


def eventually(read: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    """What was read once it holds; fails with what was read last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(seen := read()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    return seen


@pytest.mark.usefixtures("played")
def test_every_metric_is_told_by_the_real_export(fused: ServiceProcess):
    expected = {
        f"ray_{metric.name}" + ("_bucket" if metric.kind == "histogram" else "")
        for metric in METRICS
    } | SERVE_METRICS

    def missing() -> set[str]:
        return expected - set(exported(fused))

    with websocket.connect(fused.live_url):
        eventually(missing, lambda names: not names)


@pytest.mark.usefixtures("played")
def test_the_figures_are_those_of_what_happened(fused: ServiceProcess):
    def told() -> dict[str, float]:
        series = exported(fused)
        return {name: series.get(f"ray_halftime_{name}", 0.0) for name in least}

    least = {
        "updates_total": 25,
        "changes_total": 25,
        "carried_minutes_total": 1,
        "rolling_predictions": 1,
        "games_monitored": 1,
        "shards": 2,
        "ingress_replicas": 1,
        "trigger_stored_seconds_count": 1,
        "broadcast_seconds_count": 25,
    }
    eventually(told, lambda seen: all(seen[name] >= count for name, count in least.items()))


def test_the_metrics_are_for_this_machine_alone(fused: ServiceProcess):
    port = int(fused.metrics_url.split(":")[2].split("/")[0])
    (listener,) = [one for one in listeners_of(fused.members()) if one.port == port]
    assert listener.is_loopback


@pytest.mark.usefixtures("played")
def test_the_state_of_the_service(fused: ServiceProcess, fused_http: httpx.Client):
    def system() -> dict[str, Any]:
        answer = fused_http.get("/system")
        return answer.json() if answer.status_code == 200 else {}

    def is_whole(seen: dict[str, Any]) -> bool:
        return bool(seen) and (seen["shards"], seen["ingress_replicas"], seen["watchers"]) == (
            2,
            1,
            1,
        )

    with websocket.connect(fused.live_url):
        seen = System.model_validate(eventually(system, is_whole))
    assert seen.shards_expected == 2
    assert seen.feed_replicas == 1
    assert seen.games_monitored is not None
    assert seen.games_live is not None
    assert seen.games_monitored >= seen.games_live >= 1
    assert seen.response_ms is not None
    assert 0 < seen.response_ms.p50 <= seen.response_ms.p99
    assert seen.feed_lag_seconds is not None
    assert seen.model_version == fused_http.get("/models").json()["model_version"]


def test_news_of_the_system_comes_to_who_names_it(fused: ServiceProcess):
    read: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)
    with websocket.connect(f"{fused.live_url}?type=system") as watcher:
        assert json.loads(watcher.recv(30))["type"] == "snapshot"
        told = read.validate_json(watcher.recv(PATIENCE_SECONDS))
    assert told.type == "system"
    assert told.system.watchers >= 1


@pytest.mark.usefixtures("played")
def test_an_answer_names_its_request(fused_http: httpx.Client):
    assert re.fullmatch(r"[0-9a-f-]{36}", fused_http.get("/health").headers["X-Request-ID"])
    own = fused_http.get("/health", headers={"X-Request-ID": "mine-1"})
    assert own.headers["X-Request-ID"] == "mine-1"


@pytest.mark.usefixtures("played")
def test_logs_are_one_json_object_a_line(fused: ServiceProcess):
    files = sorted((log_folder(fused) / "serve").glob("replica_*.log"))
    assert len(files) >= 2
    for file in files:
        for record in _records(file):
            assert {"asctime", "levelname", "message", "deployment", "replica"} <= set(record)


def _records(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
