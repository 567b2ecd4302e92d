"""Attack the fused service in every way there is and say whether it held.

Its OpenAPI description is tested by schemathesis, its routes get malformed bodies, its port broken
HTTP, and its live feed hostile watchers. Everything is generated from one seed. The exit status is
1 where anything was answered with a 5xx or not as described, or memory grew.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import yaml

from serve_app.access.keys import new_key
from serve_app.fuzz import wire
from serve_app.fuzz.bombardment import bombard
from serve_app.fuzz.contract import check_contract
from serve_app.fuzz.malformed import GAME, attacks
from serve_app.fuzz.memory import ALLOWED_GROWTH, growth, resident_bytes
from serve_app.fuzz.siege import besiege
from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess
from serve_app.process.stop_signals import until_stopped
from serve_app.schemas import EXAMPLE_URL
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.store import Store

CONFIG = ROOT / "configs" / "fused.yaml"
SAMPLES = 40
REPLICAS = "ray::ServeReplica:forecaster"
# Small, so that a watcher that reads nothing is dropped within the run. Of the receivers that are
# made up none is called or looked up, and the name in the description's example never resolves.
SETTINGS = {
    "feed_queue_messages": 200,
    "forecast_interval_seconds": 0.0,
    "webhook_hosts": [str(urlsplit(EXAMPLE_URL).hostname)],
}


@dataclass(frozen=True, slots=True)
class Attacked:
    """The service under attack, and the key that opens all of it."""

    service: ServiceProcess
    port: int
    headers: Mapping[str, str]


def contract(attacked: Attacked, seed: int, examples: int, seconds: int) -> list[str]:
    """Hold the description against the service; what was wrong."""
    report = check_contract(
        attacked.service.url,
        seed=seed,
        examples=examples,
        seconds=seconds,
        headers=attacked.headers,
    )
    phases = ", ".join(f"{phase} {count}" for phase, count in report.cases.items())
    operations = {operation for operation, _ in report.answers}
    _tell(
        f"contract: {report.cases.total()} cases over {len(operations)} operations ({phases}); "
        f"{report.server_errors} answers of 5xx, {len(report.failures)} failures"
    )
    wrong = [f"{what}\n{how}" for what, how in report.failures.items()] + report.errors
    if report.server_errors and not wrong:
        wrong.append(f"{report.server_errors} answers of 5xx")
    return wrong


def bodies(attacked: Attacked, seed: int, count: int) -> list[str]:
    """Send malformed bodies and watch the replicas' memory; what was wrong."""
    replicas = attacked.service.members(REPLICAS)
    samples: list[int] = []

    def sample(sent: int) -> None:
        if sent % max(1, count // SAMPLES) == 0:
            samples.append(resident_bytes(replicas))

    async def send() -> list[str]:
        limits = httpx.Limits(max_connections=4)
        async with httpx.AsyncClient(
            base_url=attacked.service.url,
            headers=attacked.headers,
            timeout=60,
            limits=limits,
            trust_env=False,
        ) as http:
            game = {"game_id": GAME, "home_team": "BOS", "away_team": "LAL"}
            (await http.post("/games", json=game)).raise_for_status()
            done = await bombard(http, attacks(seed, count), after_each=sample)
        statuses = sorted({status for _, status in done.answers})
        _tell(
            f"bodies: {done.sent} malformed, answered with {statuses}, at most "
            f"{done.longest_answer} bytes; {len(done.complaints)} not as they should be"
        )
        return done.complaints

    wrong = asyncio.run(send())
    grown = growth(samples)
    shown = ", ".join(f"{sample / 1e6:.1f}" for sample in samples[:: max(1, SAMPLES // 8)])
    _tell(f"memory: {grown / 1e6:+.2f} MB from the second to the last quarter ({shown} MB)")
    if grown > ALLOWED_GROWTH:
        wrong.append(f"memory: expected at most {ALLOWED_GROWTH} bytes of growth; got {grown:.0f}")
    return wrong


def broken_http(attacked: Attacked) -> list[str]:
    """Send what is no HTTP; what was wrong."""
    wrong, counts = [], {"4xx": 0, "ended": 0}
    for name, request in wire.REQUESTS.items():
        statuses = wire.answers(attacked.port, request)
        counts["4xx" if statuses else "ended"] += 1
        wrong += [f"{name}: expected no 5xx; got {s}" for s in statuses if s >= 500]
    alive = httpx.get(f"{attacked.service.url}/health", trust_env=False).status_code
    if alive != httpx.codes.OK:
        wrong.append(f"GET /health: expected 200 afterwards; got {alive}")
    _tell(f"wire: {len(wire.REQUESTS)} broken requests, {counts}, {len(wrong)} not as they should")
    return wrong


def watchers(attacked: Attacked, seed: int, hostile: int) -> list[str]:
    """Surround listeners with hostile watchers; what was wrong."""
    feeds = attacked.service.members("ray::ServeReplica:live-feed")
    before = resident_bytes(feeds)
    done = asyncio.run(besiege(attacked.port, attacked.headers, seed=seed, hostile=hostile))
    grown = resident_bytes(feeds) - before
    _tell(
        f"watchers: {done.listeners} listeners got {done.messages} messages in order among "
        f"{done.hostile} hostile and {done.silent} silent ones; {len(done.complaints)} complaints; "
        f"{grown / 1e6:+.1f} MB in the feed's replica"
    )
    return done.complaints


def main() -> int:
    """0 where the service held, 1 where it did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20_240_105)
    parser.add_argument("--examples", type=int, default=100, help="requests per operation")
    parser.add_argument("--seconds", type=int, default=600, help="most for the description")
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--hostile", type=int, default=200, help="watchers that misbehave")
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        headers = {"X-API-Key": _key(folder)}
        with ServiceProcess.of_config(_config(folder), port, folder) as service:
            asyncio.run(service.ready())
            attacked = Attacked(service, port, headers)
            wrong = [
                *contract(attacked, given.seed, given.examples, given.seconds),
                *bodies(attacked, given.seed, given.bodies),
                *broken_http(attacked),
                *watchers(attacked, given.seed, given.hostile),
            ]
    for item in wrong[:20]:
        print(f"\nNOT AS IT SHOULD BE: {item}")
    verdict = f"{len(wrong)} things are wrong" if wrong else "the service held"
    print(f"\nseed {given.seed}, {time.monotonic() - begun:.0f} s: {verdict}")
    return 1 if wrong else 0


def _tell(line: str) -> None:
    """A line at once, also where the output goes into a file."""
    print(line, flush=True)


def _config(folder: Path) -> Path:
    content = yaml.safe_load(CONFIG.read_text())
    for application in content["applications"]:
        application["args"] = {**application["args"], **SETTINGS}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    return config


def _key(folder: Path) -> str:
    """A key for everything, in the store of the service that is to be started."""
    store = Store.at(folder)
    made = new_key("fuzz", ["admin"], now=time.time(), expires_at=None)
    ApiKeys(store.database).add(made.record)
    store.close()
    return made.text


if __name__ == "__main__":
    sys.exit(until_stopped(main))
