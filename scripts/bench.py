"""Benchmark the service: latency of forecasts, durable updates a second, crossing to watcher.

Each configuration is started on loopback with a fresh store, one after the other in one run.
"""

import argparse
import asyncio
import http.client
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import websockets
from rich.console import Console
from rich.table import Table

from serve_app.client.exchange import auth_headers
from serve_app.process.environment import LOOPBACK, free_port
from serve_app.process.service_process import ROOT, ServiceProcess
from serve_app.process.stop_signals import until_stopped

HEADERS = {"Content-Type": "application/json", **auth_headers(None)}
PATTERN = json.dumps({"pattern": [float(minute % 7) for minute in range(18)]})


class Connection:
    """One kept-alive connection that posts JSON; far cheaper than what it measures."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)

    def post(self, path: str, body: str) -> bytes:
        """Post and read the answer; raises where it is no success."""
        self._connection.request("POST", path, body, HEADERS)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: expected 200; got {answer.status}: {content[:300]!r}")
        return content


def percentile(seconds: list[float], share: float) -> float:
    """A percentile in milliseconds."""
    return 1000 * statistics.quantiles(seconds, n=1000, method="inclusive")[round(share * 1000) - 1]


def forecasts(port: int, clients: int, requests: int) -> dict[str, float]:
    """`/predict` from `clients` connections at once, one pattern a request."""

    def client(_: int) -> list[float]:
        connection = Connection(port)
        times = []
        for _ in range(requests // clients):
            begun = time.perf_counter()
            connection.post("/predict", PATTERN)
            times.append(time.perf_counter() - begun)
        return times

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = [second for times in pool.map(client, range(clients)) for second in times]
    elapsed = time.perf_counter() - begun
    name = f"/predict, {clients} client{'s' * (clients > 1)}"
    return {
        f"{name}, p50 ms": percentile(seconds, 0.5),
        f"{name}, p99 ms": percentile(seconds, 0.99),
        f"{name}, requests/s": len(seconds) / elapsed,
    }


def scores(game_id: str, elapsed_seconds: range) -> list[dict[str, Any]]:
    """One update at each of these game seconds of the first half."""
    updates = []
    for elapsed in elapsed_seconds:
        quarter = 1 if elapsed <= 720 else 2
        minutes, seconds = divmod(quarter * 720 - elapsed, 60)
        updates.append(
            {
                "game_id": game_id,
                "quarter": quarter,
                "time_remaining": f"{minutes}:{seconds:02d}",
                "score_home": elapsed // 30,
                "score_away": elapsed // 40,
            }
        )
    return updates


def register(connection: Connection, game_id: str) -> None:
    """Register a game between two teams that the bundle knows."""
    game = {"game_id": game_id, "home_team": "BOS", "away_team": "LAL"}
    connection.post("/games", json.dumps(game))


def updates(port: int, games: int, list_size: int) -> dict[str, float]:
    """Durable updates a second: `games` first halves interleaved, in lists, from one client."""
    connection = Connection(port)
    streams = []
    for number in range(games):
        register(connection, f"updates-{number}")
        streams.append(scores(f"updates-{number}", range(5, 1440, 5)))
    ordered = [update for tick in zip(*streams, strict=True) for update in tick]
    begun = time.perf_counter()
    for start in range(0, len(ordered), list_size):
        connection.post("/scores", json.dumps(ordered[start : start + list_size]))
    elapsed = time.perf_counter() - begun
    return {f"/scores in lists of {list_size}, updates/s": len(ordered) / elapsed}


async def crossings(service: ServiceProcess, port: int, games: int) -> dict[str, float]:
    """From posting the update that crosses 6:00 to the prediction at a WebSocket client."""
    connection = Connection(port)
    for number in range(games):
        register(connection, f"cross-{number}")
        connection.post("/scores", json.dumps(scores(f"cross-{number}", range(30, 1080, 30))))
    seconds = []
    async with websockets.connect(
        service.live_url, max_size=None, additional_headers=auth_headers(None)
    ) as watcher:
        await watcher.recv()
        for number in range(games):
            (crossing,) = scores(f"cross-{number}", range(1080, 1081))
            begun = time.perf_counter()
            posted = asyncio.to_thread(connection.post, "/scores", json.dumps([crossing]))
            posting = asyncio.create_task(posted)
            while json.loads(await watcher.recv())["type"] != "prediction":
                pass
            seconds.append(time.perf_counter() - begun)
            await posting
    return {
        "crossing to watcher, p50 ms": percentile(seconds, 0.5),
        "crossing to watcher, p99 ms": percentile(seconds, 0.99),
    }


def measure(config: Path, requests: int) -> dict[str, float]:
    """All figures of one configuration."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with ServiceProcess.of_config(config, port, Path(folder)) as service:
            asyncio.run(service.ready())
            started = time.perf_counter() - begun
            forecasts(port, 2, 200)  # Warms up what the first requests alone would pay for.
            return {
                "start to ready, s": started,
                **forecasts(port, 1, requests),
                **forecasts(port, 8, requests),
                **updates(port, games=15, list_size=100),
                **asyncio.run(crossings(service, port, games=100)),
            }


def main() -> int:
    """Measure every configuration and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", nargs="+", type=Path, default=None)
    parser.add_argument("--requests", type=int, default=2_000)
    arguments = parser.parse_args()
    configs = arguments.configs or [
        ROOT / "configs" / name for name in ("local.yaml", "fused.yaml")
    ]
    figures = {config.name: measure(config, arguments.requests) for config in configs}
    table = Table("figure", *figures)
    for name in next(iter(figures.values())):
        table.add_row(name, *(f"{column[name]:,.1f}" for column in figures.values()))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(until_stopped(main))
