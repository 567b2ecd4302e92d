"""The service as a child process: started, waited for, and stopped by its own handle."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from serve_app.process.environment import LOOPBACK, free_port
from serve_app.process.session import kill_session, session_members

ROOT = Path(__file__).parents[2]
READY_SECONDS = 180.0
STOP_SECONDS = 30.0
READY_PATHS = ("/ready", "/ws/asyncapi.json")
POLL_SECONDS = 0.2
TAIL_LINES = 15
LAST_PORT = 65_535


class ServiceProcessError(RuntimeError):
    """A service that was started did not come up, or ended; says what it said last."""


class ServiceProcess:
    """A service process in a session of its own; `stop` leaves nothing of it behind.

    Its output is added to `log`, which so tells also of a service that was killed.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.live_url = f"ws://{LOOPBACK}:{port}/ws/live"
        self._metrics_port = os.environ.get("HALFTIME_METRICS_PORT") or str(free_port())
        self.metrics_url = f"http://{LOOPBACK}:{self._metrics_port}/metrics"
        self._port = port
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def of_config(cls, config: Path, port: int, data_dir: Path) -> "ServiceProcess":
        """The service of a config file on `port`, its store in `data_dir`."""
        command = [
            *(sys.executable, str(ROOT / "scripts" / "serve.py")),
            *("--config", str(config), "--port", str(port), "--data-dir", str(data_dir)),
        ]
        return cls(command, port, data_dir / "service.log")

    def start(self) -> None:
        """Start it; raises ServiceProcessError where something listens on the port already."""
        expect_free(self._port)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HALFTIME_METRICS_PORT": self._metrics_port},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        """Start it; it is not ready yet."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and all it started."""
        self.stop()

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it can predict and tell.

        Raises ServiceProcessError where it ends or takes longer.
        """
        deadline = time.monotonic() + seconds
        seen = "no answer"
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            while time.monotonic() < deadline:
                self.expect_running()
                try:
                    answers = [await client.get(path) for path in READY_PATHS]
                except httpx.TransportError as error:
                    seen = type(error).__name__
                else:
                    statuses = [answer.status_code for answer in answers]
                    if set(statuses) == {httpx.codes.OK}:
                        return
                    seen = f"status {statuses}"
                await asyncio.sleep(POLL_SECONDS)
        raise ServiceProcessError(
            f"the service: expected GET {' and '.join(READY_PATHS)} to say 200 within "
            f"{seconds:g} s; got {seen}. Its last words:\n{self._tail()}"
        )

    def expect_running(self) -> None:
        """Raise ServiceProcessError, with its last words, where the process has ended."""
        if self._process is None:
            raise ServiceProcessError("the service: expected it to be started; it is not running")
        status = self._process.poll()
        if status is not None:
            raise ServiceProcessError(
                f"the service ended with status {status}. Its last words:\n{self._tail()}"
            )

    def members(self, title: str = "") -> list[int]:
        """The processes that it started and whose title begins so."""
        return [member for member, its in self.titles().items() if its.startswith(title)]

    def titles(self) -> dict[int, str]:
        """The processes that it started, each with its title (its command line)."""
        if self._process is None:
            return {}
        sessions = _sessions_below(self._process.pid) - {self._process.pid}
        return {member: _title(member) for one in sessions for member in session_members(one)}

    def crash(self) -> list[int]:
        """Kill every process of it at once; returns which.

        Nothing is told to stop and nothing is cleaned up. `start` starts it again.
        """
        process, self._process = self._process, None
        if process is None:
            return []
        sessions = _sessions_below(process.pid) | {process.pid}
        victims = [member for session in sessions for member in session_members(session)]
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        for session in sessions:  # what was born meanwhile
            kill_session(session)
        process.wait()
        return victims

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Ask it to stop, wait at most `seconds`, then kill whatever is left of it.

        Returns its exit status, None where it did not run.
        """
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        sessions = {process.pid}
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            # What it started may lead sessions of their own; found while the tree still stands.
            sessions |= _sessions_below(process.pid)
        for session in sessions:
            kill_session(session)
        return process.wait()

    def _tail(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


def expect_free(port: int, host: str = LOOPBACK, setting: str = "PORT") -> None:
    """Raise ServiceProcessError where `port` is none, or something listens on it already."""
    if not 0 < port <= LAST_PORT:
        raise ServiceProcessError(f"{setting}: expected a port from 1 to {LAST_PORT}; got {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceProcessError(
                f"port {port} on {host}: expected a free one; {error.strerror}. "
                f"Choose another with {setting}=..., or stop what listens there"
            ) from None


def _sessions_below(root: int) -> set[int]:
    """The sessions of all living descendants of a process."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return {session for pid in family if (session := _session(pid)) is not None}


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
