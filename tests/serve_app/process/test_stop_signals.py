import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serve_app.process.stop_signals import STOP_SIGNALS, STOPPED

PROGRAM = """
import asyncio, contextlib, signal, sys, threading
from serve_app.process.stop_signals import until_stopped

signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for a background job
if "nohup" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

@contextlib.contextmanager
def stopping():
    try:
        yield
    finally:
        print("stopping", flush=True)
        sys.stdin.readline()  # another signal comes meanwhile
        print("stopped", flush=True)

async def wait():
    with stopping():
        print("started", flush=True)
        await asyncio.Event().wait()

def block():
    with stopping():
        print("started", flush=True)
        threading.Event().wait()

def main():
    asyncio.run(wait()) if "asyncio" in sys.argv else block()
    return 0

sys.exit(until_stopped(main))
"""


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "started\n"
        yield program
        program.kill()


@pytest.mark.parametrize("kind", ["asyncio", "plain"])
@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_has_everything_stopped_and_the_next_does_not_disturb_it(
    kind: str, number: signal.Signals
):
    with running(kind) as program:
        assert program.stdout is not None
        program.send_signal(number)
        assert program.stdout.readline() == "stopping\n"
        program.send_signal(number)
        rest, said = program.communicate("go on\n", timeout=60)
    assert (rest, said, program.returncode) == ("stopped\n", "", STOPPED)


def test_what_nohup_keeps_running_runs_on():
    with running("plain", "nohup") as program:
        program.send_signal(signal.SIGHUP)
        program.send_signal(signal.SIGTERM)
        rest, _ = program.communicate("go on\n", timeout=60)
    assert (rest, program.returncode) == ("stopping\nstopped\n", STOPPED)
