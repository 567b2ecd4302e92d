import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from serve_app.process.stop_signals import STOP_SIGNALS, STOPPED

PROGRAM = """
import asyncio, contextlib, signal, sys, threading
from serve_app.process.stop_signals import exit_on_signals

signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for a background job
exit_on_signals()

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

asyncio.run(wait()) if sys.argv[1] == "asyncio" else block()
"""


@pytest.fixture(params=["asyncio", "plain"])
def program(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_has_everything_stopped_and_the_next_does_not_disturb_it(
    program: "subprocess.Popen[str]", number: signal.Signals
):
    assert program.stdout is not None
    assert program.stdout.readline() == "started\n"
    program.send_signal(number)
    assert program.stdout.readline() == "stopping\n"
    program.send_signal(number)
    rest, _ = program.communicate("go on\n", timeout=60)
    assert rest == "stopped\n"
    assert program.returncode == STOPPED
