"""A service started as a child of this process, for the demo, the benchmark and the tests."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from serve_app.process_environment import LOOPBACK
from serve_app.session import STOP_SECONDS, session_members

ROOT = Path(__file__).parent.parent
READY_SECONDS = 120.0
POLL_SECONDS = 0.25


class ServiceFailedError(RuntimeError):
    """The service did not come up; says what it said."""


class ServiceProcess:
    """`scripts/serve.py` as a child: started on entry, stopped on exit with all it started.

    Its output goes to `log` in the data folder.
    """

    def __init__(self, config: Path, *, port: int, data_dir: Path) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.live_url = f"ws://{LOOPBACK}:{port}/ws/live"
        self.log = data_dir / "service.log"
        self._command = [
            sys.executable,
            str(ROOT / "scripts" / "serve.py"),
            f"--config={config}",
            f"--port={port}",
            f"--data-dir={data_dir}",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the service; it is not ready yet."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self.log.open("ab")
        # A session of its own, so that a Ctrl-C at the terminal reaches this process alone.
        self._process = subprocess.Popen(  # noqa: S603
            self._command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until `GET /ready` says so; raises ServiceFailedError with the service's words."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None:
                raise ServiceFailedError(f"the service ended: {self.words()}")
            if time.monotonic() > deadline:
                raise ServiceFailedError(f"not ready within {seconds:g} s: {self.words()}")
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=10).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def words(self) -> str:
        """What the service has printed so far."""
        return self.log.read_text(errors="replace").strip() if self.log.exists() else ""

    def stop(self) -> int | None:
        """Stop the service and all it started; the exit status, None where none ran."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS + 10)
        finally:
            self._process.kill()
            self._process = None
            if self._output is not None:
                self._output.close()

    def processes(self, title: str = "") -> list[int]:
        """The processes of the running service whose title begins so, the supervisor left out."""
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        members = [
            pid for child in children.read_text().split() for pid in session_members(int(child))
        ]
        return [pid for pid in members if _title(pid).startswith(title)]


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
