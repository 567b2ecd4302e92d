import asyncio
import os
import socket
import sys
import textwrap
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from serve_app.process.environment import free_port
from serve_app.process.service_process import ServiceProcess, ServiceProcessError, expect_free
from serve_app.process.session import session_members
from serve_app.replay.demo import DemoOptions, run_demo
from serve_app.replay.errors import ReplayError

SERVICE = """
import http.server, signal, subprocess, sys

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/ws/live" and "silent" in sys.argv:
            signal.pause()
        self.send_response(200 if self.path in ("/ready", "/ws/asyncapi.json") else 404)
        self.send_header("content-length", "0")
        self.end_headers()

if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    child = subprocess.Popen(command, start_new_session=True)
    print("child", child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "service.py"
    path.write_text(textwrap.dedent(SERVICE), encoding="utf-8")
    return path


@pytest.fixture
def service(script: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    port = free_port()
    process = ServiceProcess([sys.executable, str(script), str(port)], port, tmp_path / "log")
    yield process
    process.stop(seconds=5.0)


@pytest.fixture
def silent(script: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Takes a WebSocket and never says a word."""
    port = free_port()
    command = [sys.executable, str(script), str(port), "silent"]
    process = ServiceProcess(command, port, tmp_path / "log")
    yield process
    process.stop(seconds=5.0)


@pytest.fixture
def stubborn(script: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Ignores SIGTERM, and has a child in a session of its own."""
    port = free_port()
    command = [sys.executable, str(script), str(port), "stubborn"]
    process = ServiceProcess(command, port, tmp_path / "log")
    yield process
    process.stop(seconds=0.0)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        try:
            stat = (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
    return False


def test_it_is_ready_and_stops(service: ServiceProcess) -> None:
    service.start()
    asyncio.run(service.ready(30.0))
    service.expect_running()
    service.stop(10.0)
    expect_free(int(service.url.rpartition(":")[2]))
    service.stop()


def test_one_that_ignores_the_signal_is_killed_with_all_it_started(
    stubborn: ServiceProcess, tmp_path: Path
) -> None:
    stubborn.start()
    asyncio.run(stubborn.ready(30.0))
    child = int((tmp_path / "log").read_text(encoding="utf-8").split()[1])
    assert os.getsid(child) == child
    stubborn.stop(0.2)
    assert gone(child)
    assert session_members(child) == []
    expect_free(int(stubborn.url.rpartition(":")[2]))


def test_one_that_ends_says_its_last_words(tmp_path: Path) -> None:
    words = "import sys; sys.exit('no such bundle')"
    service = ServiceProcess([sys.executable, "-c", words], free_port(), tmp_path / "log")
    service.start()
    with pytest.raises(ServiceProcessError, match=r"status 1[^$]*no such bundle"):
        asyncio.run(service.ready(30.0))
    service.stop()


def test_one_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    service = ServiceProcess(command, free_port(), tmp_path / "log")
    service.start()
    with pytest.raises(ServiceProcessError, match=r"within 0\.5 s; got ConnectError"):
        asyncio.run(service.ready(0.5))
    service.stop(10.0)


def test_a_port_in_use_says_what_to_do(script: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        service = ServiceProcess([sys.executable, str(script)], port, tmp_path / "log")
        with pytest.raises(ServiceProcessError, match=rf"port {port}.*PORT="):
            service.start()


def run(service: ServiceProcess, console: Console, *, stop_at: str | None = None) -> int | None:
    """Run the demo; `stop_at` cancels it once this text was printed."""

    async def running() -> int | None:
        demo = asyncio.create_task(run_demo(service, DemoOptions(exits=True), console))
        while stop_at is not None and stop_at not in printed(console):
            await asyncio.wait({demo}, timeout=0.02)
        if stop_at is not None:
            demo.cancel()
        try:
            return await demo
        except asyncio.CancelledError:
            return None

    return asyncio.run(running())


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("moment", ["Starting the service", "It is ready"])
def test_a_demo_that_is_stopped_leaves_no_process(silent: ServiceProcess, moment: str) -> None:
    console = Console(file=StringIO(), width=100)
    assert run(silent, console, stop_at=moment) is None
    assert "Stopping the service" in printed(console)
    with pytest.raises(ServiceProcessError, match="not running"):
        silent.expect_running()
    expect_free(int(silent.url.rpartition(":")[2]))


def test_a_demo_without_a_live_feed_fails_and_stops_the_service(service: ServiceProcess) -> None:
    """The stand-in knows no WebSocket: the demo ends with an error, not by waiting for ever."""
    console = Console(file=StringIO(), width=100)
    with pytest.raises(ReplayError, match="/ws/live"):
        run(service, console)
    expect_free(int(service.url.rpartition(":")[2]))


@pytest.mark.parametrize("port", [0, 80_000])
def test_what_is_no_port_is_refused(port: int):
    with pytest.raises(ServiceProcessError, match=f"A_PORT: expected a port from 1 .*got {port}"):
        expect_free(port, setting="A_PORT")
