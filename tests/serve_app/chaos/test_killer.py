import asyncio
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve_app.chaos.errors import ChaosError
from serve_app.chaos.kill_kind import KINDS, WHOLE_SERVICE
from serve_app.chaos.kill_plan import PlannedKill
from serve_app.chaos.killer import Killer
from serve_app.chaos.outages import Kill
from serve_app.process.environment import free_port
from serve_app.process.service_process import ServiceProcess
from serve_app.replay.delivery import SystemClock

# Stands in for Ray: keeps a process with the title of each given kind, in a session of its own.
SERVICE = """
import http.server, subprocess, sys, threading, time

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

def keep(title):
    script = "exec -a " + title + " sleep 1000"
    while True:
        subprocess.run(["bash", "-c", script], start_new_session=True)

for title in sys.argv[2:]:
    threading.Thread(target=keep, args=[title], daemon=True).start()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
SHARD = next(kind for kind in KINDS if kind.name == "shard")
WHOLE = next(kind for kind in KINDS if kind.name == WHOLE_SERVICE)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    script = tmp_path / "service.py"
    script.write_text(textwrap.dedent(SERVICE), encoding="utf-8")
    port = free_port()
    titles = ["ray::ShardActor", "ray::ShardActor", "ray::LiveHub"]
    command = [sys.executable, str(script), str(port), *titles]
    process = ServiceProcess(command, port, tmp_path / "log")
    with process:
        yield process
        process.crash()


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


def test_a_kind_that_is_not_there_cannot_be_killed(service: ServiceProcess):
    proxy = next(kind for kind in KINDS if kind.name == "proxy actor")

    async def killing() -> None:
        killer = Killer(service, clock=SystemClock(), watching=lambda: True)
        await killer.learn_roster({"shard": 2})
        await killer.carry_out([planned(proxy)], lambda _: None)

    with pytest.raises(ChaosError, match="expected a process of kind 'proxy actor' to kill"):
        asyncio.run(killing())
