"""Runs a program in a session of its own, and leaves no process of that session behind.

Ray starts dozens of processes; were it stopped in the middle, some would stay. All belong to the
session of the program that was started, which is the handle they are stopped by.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

STOP_SECONDS = 25.0
POLL_SECONDS = 0.05


def run_in_session(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `command` until it ends, or SIGINT or SIGTERM comes; returns its exit status.

    A signal is passed on as SIGTERM to the program alone, which then has `STOP_SECONDS` to stop
    by itself; whatever is left of its session afterwards is killed.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    program = subprocess.Popen(command, env=dict(environment), start_new_session=True)  # noqa: S603
    try:
        return _wait(program, asked)
    finally:
        kill_session(program.pid)
        program.wait()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait(program: "subprocess.Popen[bytes]", asked: Sequence[int]) -> int:
    while program.poll() is None and not asked:
        time.sleep(POLL_SECONDS)
    if program.returncode is None:
        program.terminate()
        try:
            program.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return 1
    return program.returncode


def kill_session(session: int) -> None:
    """Kill every process of a session, until none is left."""
    while members := session_members(session):
        for member in members:
            try:
                os.kill(member, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(POLL_SECONDS)


def session_members(session: int) -> list[int]:
    """The living processes of a session, zombies left out."""
    return [
        int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _session_of(entry) == session
    ]


def _session_of(process: Path) -> int | None:
    try:
        # After the command in parentheses: state, parent, group, session (man 5 proc).
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return None
    return None if state == "Z" else int(session)
