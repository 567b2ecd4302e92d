import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serve_app.process.environment import free_port

ROOT = Path(__file__).parents[3]
NIGHT = ROOT / "models" / "bundles" / "demo_night"
FILES = ["--games", str(NIGHT / "games.parquet"), "--events", str(NIGHT / "events.parquet")]


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"scripts/{script}", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_replay_without_a_service_says_what_to_do() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = run("replay.py", *FILES, "--date", "2024-04-14", "--url", url)
    assert done.returncode == 2
    assert url in done.stderr
    assert "make serve" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--date", "2024-04-15"], "at least one game of date 2024-04-15"),
        (["--date", "2024-04-14", "--season", "2023"], "not allowed with argument"),
        ([], "one of the arguments --date --season --game-ids is required"),
        (["--season", "2023", "--speed", "0"], "expected max or a number above 0; got 0"),
        (["--season", "2023", "--list-size", "0"], "expected a number from 1; got 0"),
    ],
)
def test_a_replay_that_was_asked_wrongly_says_so(arguments: list[str], words: str) -> None:
    done = run("replay.py", *FILES, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_on_a_port_in_use_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("demo.py", PORT=str(port), DEMO_EXIT="1")
    assert done.returncode == 2
    assert f"port {port}" in done.stdout
    assert "PORT=" in done.stdout
    assert "Traceback" not in done.stderr
