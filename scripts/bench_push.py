"""Benchmark the live feed: crossing to watcher, broadcasts to many, memory, reconnects.

One service on loopback with a fresh store. The clients run in this process and share the machine's
cores with the service, so they are plain: watchers are sockets that only look for whole frames, and
requests are made in a thread, so that no watcher waits for an answer to be parsed.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from serve_app.bench.listener import Crowd, Listener, connect, connect_many, until
from serve_app.bench.plain_http import PlainHttp
from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess
from serve_app.process.stop_signals import until_stopped

FEED, PROXY = "ray::ServeReplica:live-feed:LiveFeed", "haproxy"


def percentile(seconds: list[float], share: float) -> float:
    """A percentile in milliseconds."""
    return 1000 * statistics.quantiles(seconds, n=1000, method="inclusive")[round(share * 1000) - 1]


class Scores:
    """Posts updates of one game after another."""

    def __init__(self, http: PlainHttp) -> None:
        self._http = http
        self._games = 0

    async def register(self) -> str:
        """A new game."""
        self._games += 1
        game = {"game_id": f"push-{self._games}", "home_team": "BOS", "away_team": "LAL"}
        await self._http.post("/games", game)
        return game["game_id"]

    async def post(self, game_id: str, elapsed: int) -> dict[str, Any]:
        """One update at so many seconds of the first half."""
        quarter, left = 1 + elapsed // 720, 720 - elapsed % 720
        update = {"quarter": quarter, "time_remaining": f"{left // 60}:{left % 60:02d}"}
        update |= {"score_home": elapsed // 20, "score_away": elapsed // 25, "sequence": elapsed}
        result: dict[str, Any] = await self._http.post(f"/games/{game_id}/scores", update)
        return result


async def crossings(port: int, scores: Scores, games: int) -> list[float]:
    """Seconds from posting the update that crosses 6:00 to the prediction at one watcher."""
    waits = []
    watcher = await connect(port, "?type=prediction")
    for _ in range(games):
        game_id = await scores.register()
        for elapsed in range(0, 1080, 30):
            await scores.post(game_id, elapsed)
        known = len(watcher.told)
        begun = time.perf_counter()
        await scores.post(game_id, 1080)
        await until(lambda known=known: len(watcher.told) > known)  # type: ignore[misc]
        waits.append(watcher.came[watcher.told[known][1]] - begun)
    if watcher.transport:
        watcher.transport.abort()
    return waits


async def parts(http: PlainHttp, scores: Scores, rounds: int) -> dict[str, list[float]]:
    """Seconds of requests that each do a part of what a crossing does, taken in turns."""
    game_id = await scores.register()
    asked = {"pattern": [0.0] * 18, "home_team": "BOS", "away_team": "LAL"}
    requests: dict[str, Callable[[int], Awaitable[Any]]] = {
        "GET /health: HTTP alone, ms": lambda _: http.get("/health"),
        "GET of a game: and a call to its shard, ms": lambda _: http.get(f"/games/{game_id}"),
        "POST of a score: and a commit, ms": lambda number: scores.post(game_id, number),
        "POST /predict: HTTP and a forecast, ms": lambda _: http.post("/predict", asked),
    }
    waits: dict[str, list[float]] = {what: [] for what in requests}
    for number in range(rounds):
        for what, ask in requests.items():
            begun = time.perf_counter()
            await ask(number)
            waits[what].append(time.perf_counter() - begun)
    return waits


async def broadcasts(
    listeners: list[Listener], crowd: Crowd, scores: Scores, messages: int
) -> tuple[list[float], list[float], int]:
    """For each message seconds to each client, from its POST and from the first; clients lost."""
    from_post, spread = [], []
    game_id = await scores.register()
    for number in range(messages):
        known = [len(listener.told) for listener in listeners]
        begun = time.perf_counter()
        wanted = crowd.told + len(listeners)
        await scores.post(game_id, number)
        await until(lambda wanted=wanted: crowd.told >= wanted - crowd.lost)  # type: ignore[misc]
        came = [
            listener.came[listener.told[count][1]]
            for listener, count in zip(listeners, known, strict=True)
            if not listener.lost
        ]
        from_post += [at - begun for at in came]
        spread += [at - min(came) for at in came]
        await asyncio.sleep(0.2)  # each broadcast alone
    return from_post, spread, sum(listener.lost for listener in listeners)


async def reconnects(port: int, scores: Scores, clients: int, count: int) -> tuple[int, int]:
    """Messages and faults where clients leave and come back with `since` while games are posted."""
    chance = random.Random(1)  # noqa: S311 - no secret
    enough = asyncio.Event()

    async def play() -> None:
        while not enough.is_set():
            game_id = await scores.register()
            for elapsed in range(0, 1080, 5):
                if enough.is_set():
                    return
                await scores.post(game_id, elapsed)

    async def come_and_go() -> list[int]:
        seen = [(await connect(port)).told[0][1]]
        for _ in range(count // clients):
            listener = await connect(port, f"?since={seen[-1]}")
            wanted = chance.randrange(1, 6)
            await until(lambda: len(listener.told) > wanted)  # noqa: B023 - awaited in its turn
            if listener.told[0] != ("resumed", seen[-1]):
                raise RuntimeError(f"expected to go on from {seen[-1]}; got {listener.told[0]}")
            seen += [seq for _, seq in listener.told[1:]]
            if listener.transport:
                listener.transport.abort()
        return seen

    posting = asyncio.create_task(play())
    heard = await asyncio.gather(*(come_and_go() for _ in range(clients)))
    enough.set()
    await posting
    faults = sum(
        later != earlier + 1 for seen in heard for earlier, later in itertools.pairwise(seen)
    )
    return sum(len(seen) - 1 for seen in heard), faults


def resident(service: ServiceProcess) -> int:
    """Bytes of memory of the processes that hold the watchers' connections."""
    pages = 0
    for pid, title in service.titles().items():
        if title.startswith(FEED) or PROXY in title.split("\0")[0]:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def config_for(watchers: int, folder: Path) -> Path:
    """The fused config with room for so many watchers."""
    content = yaml.safe_load((ROOT / "configs" / "fused.yaml").read_text(encoding="utf-8"))
    for application in content["applications"]:
        application["args"] = {**application["args"], "max_watchers": watchers + 100}
        for deployment in application["deployments"]:
            if deployment["name"] == "LiveFeed":
                deployment["max_ongoing_requests"] = watchers + 100
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


async def measure(options: argparse.Namespace, folder: Path) -> Table:
    """All of it, as a table."""
    port = free_port()
    os.environ.setdefault("RAY_SERVE_HAPROXY_MAXCONN", str(max(options.watchers) + 1_000))
    table = Table("what", "p50", "p99", "of")
    config = config_for(max(options.watchers), folder)
    with ServiceProcess.of_config(config, port, folder) as service:
        await service.ready()
        with closing(PlainHttp(port)) as http:
            scores = Scores(http)
            waits = await crossings(port, scores, options.games)
            _row(table, "POST that crosses 6:00 to its watcher, ms", waits, f"{len(waits)} games")
            for what, took in (await parts(http, scores, 2 * options.games)).items():
                _row(table, what, took, f"{len(took)} requests")
            before, listeners, crowd = resident(service), list[Listener](), Crowd()
            for count in sorted(options.watchers):
                listeners += await connect_many(port, count - len(listeners), crowd)
                held = (resident(service) - before) / len(listeners) / 1024
                table.add_row("memory of an idle watcher, KiB", f"{held:.0f}", "", f"{count:,}")
                from_post, spread, lost = await broadcasts(
                    listeners, crowd, scores, options.messages
                )
                what = f"{options.messages} messages, {lost} clients lost"
                _row(table, f"a broadcast to {count:,}, first to each client, ms", spread, what)
                _row(table, "the same, from its POST, ms", from_post, what)
            for listener in listeners:
                if listener.transport:
                    listener.transport.abort()
            got, faults = await reconnects(port, scores, options.clients, options.reconnects)
            table.add_row(
                f"{options.reconnects:,} reconnects with since",
                "",
                "",
                f"{got:,} messages, {faults} lost or doubled",
            )
    return table


def _row(table: Table, what: str, seconds: list[float], of: str) -> None:
    table.add_row(what, f"{percentile(seconds, 0.5):.1f}", f"{percentile(seconds, 0.99):.1f}", of)


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=50, help="games that cross 6:00")
    parser.add_argument("--watchers", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--messages", type=int, default=20, help="broadcasts to each number")
    parser.add_argument("--clients", type=int, default=50, help="clients that come and go")
    parser.add_argument("--reconnects", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halftime-push-") as folder:
        Console(width=110).print(asyncio.run(measure(options, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(until_stopped(main))
