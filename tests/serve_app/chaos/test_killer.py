import asyncio
import contextlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serve_app.chaos import killer as killer_module
from serve_app.chaos.errors import ChaosError
from serve_app.chaos.kill_kind import INGRESS_REPLICA, KINDS, WHOLE_SERVICE
from serve_app.chaos.kill_plan import PlannedKill
from serve_app.chaos.killer import Killer
from serve_app.chaos.outages import Kill
from serve_app.process.environment import free_port
from serve_app.process.service_process import ServiceProcess
from serve_app.replay.delivery import SystemClock

# Stands in for Ray: keeps a process with the title of each given kind, in a session of its own. One
# that starts in the moment in which the service is crashed ends by itself, for it waits for it.
SERVICE = """
import http.server, itertools, json, os, subprocess, sys, threading

instances = itertools.cycle(sys.argv[2].split(","))

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"instance": next(instances)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

def keep(title):
    script = f"exec -a {title} tail --pid={os.getpid()} -f /dev/null"
    while True:
        subprocess.run(["bash", "-c", script], start_new_session=True)

for title in sys.argv[3:]:
    threading.Thread(target=keep, args=[title], daemon=True).start()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
SHARD = next(kind for kind in KINDS if kind.name == "shard")
WHOLE = next(kind for kind in KINDS if kind.name == WHOLE_SERVICE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Starts the service with replicas that answer by turns, and processes of these titles."""
    script = tmp_path / "service.py"
    script.write_text(textwrap.dedent(SERVICE), encoding="utf-8")
    with contextlib.ExitStack() as started:

        def make(instances: str, *titles: str) -> ServiceProcess:
            port = free_port()
            command = [sys.executable, str(script), str(port), instances, *titles]
            process = started.enter_context(ServiceProcess(command, port, tmp_path / "log"))
            started.callback(process.crash)
            return process

        yield make


@pytest.fixture
def service(start: Callable[..., ServiceProcess]) -> ServiceProcess:
    return start("a", "ray::ShardActor", "ray::ShardActor", "ray::LiveHub")


def planned(kind: object, choice: float = 0.0) -> PlannedKill:
    return PlannedKill(kind=kind, pause_seconds=0.0, choice=choice)  # type: ignore[arg-type]


def test_each_kill_is_of_a_process_that_was_found_and_comes_when_all_are_back(
    service: ServiceProcess,
):
    told: list[Kill] = []

    async def killing() -> list[Kill]:
        killer = Killer(service, clock=SystemClock(), watching=lambda: True)
        found = await killer.learn_roster({"shard": 2, "live hub": 1})
        assert [kind.name for kind in found] == ["shard", "live hub", WHOLE_SERVICE]
        plan = [planned(SHARD), planned(WHOLE), planned(SHARD, 0.9)]
        return await killer.carry_out(plan, told.append)

    kills = asyncio.run(killing())
    assert kills == told
    assert [kill.kind.name for kill in kills] == ["shard", WHOLE_SERVICE, "shard"]
    assert [len(kill.processes) > 1 for kill in kills] == [False, True, False]
    assert all(kill.at < kill.whole_at for kill in kills)
    assert len(service.members("ray::ShardActor")) == 2
    assert not set(service.members()) & {pid for kill in kills for pid in kill.processes}


@pytest.mark.parametrize(("instances", "whole"), [("a,a,b", True), ("a", False)])
def test_it_is_whole_once_each_ingress_replica_has_answered(
    start: Callable[..., ServiceProcess],
    monkeypatch: pytest.MonkeyPatch,
    instances: str,
    *,
    whole: bool,
):
    monkeypatch.setattr(killer_module, "RECOVERY_SECONDS", 30.0 if whole else 1.0)
    title = "ray::ServeReplica:forecaster:Ingress"
    killer = Killer(start(instances, title, title), clock=SystemClock(), watching=lambda: True)
    learning = killer.learn_roster({INGRESS_REPLICA: 2})
    if whole:
        assert INGRESS_REPLICA in [kind.name for kind in asyncio.run(learning)]
    else:
        with pytest.raises(ChaosError, match="expected a service that is whole"):
            asyncio.run(learning)


def test_a_kind_that_is_not_there_cannot_be_killed(service: ServiceProcess):
    proxy = next(kind for kind in KINDS if kind.name == "proxy actor")

    async def killing() -> None:
        killer = Killer(service, clock=SystemClock(), watching=lambda: True)
        await killer.learn_roster({"shard": 2})
        await killer.carry_out([planned(proxy)], lambda _: None)

    with pytest.raises(ChaosError, match="expected a process of kind 'proxy actor' to kill"):
        asyncio.run(killing())
