"""The real service posts events to a receiver, while the process that sends them is killed."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from scripts.webhook_receiver import Receiver
from serve_app.process.service_process import ServiceProcess
from serve_app.webhooks.signature import new_secret
from tests.end_to_end.conftest import log_folder, register, scores

DISPATCHER = "ray::WebhookDispatcher"
PATIENCE_SECONDS = 60.0


class Told:
    """What the receiver was told; while `holding` it keeps the answer to an outcome back."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.holding = True
        self.released = threading.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if self.holding and " outcome " in line:
            self.released.wait(PATIENCE_SECONDS)

    def of(self, kind: str) -> list[str]:
        return [line for line in self.lines if f" {kind} " in line]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def receiver(told: Told) -> Iterator[Receiver]:
    with Receiver(("127.0.0.1", 0), new_secret(), told) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        told.released.set()
        server.shutdown()
        thread.join()


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "expected it within a minute"
        time.sleep(0.02)


def kill_dispatcher(service: ServiceProcess) -> None:
    (process,) = service.members(DISPATCHER)
    os.kill(process, signal.SIGKILL)
    eventually(lambda: process not in service.members(DISPATCHER))


def test_each_event_arrives_signed_though_its_sender_is_killed(
    fused: ServiceProcess, receiver: Receiver, told: Told
):
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    with httpx.Client(base_url=fused.url, timeout=30, trust_env=False) as http:
        wanted = {"url": url, "events": ["prediction", "outcome"]}
        made = http.post("/webhooks", json=wanted).json()
        receiver.secret = made["secret"]
        hook = f"/webhooks/{made['id']}"
        http.post(f"{hook}/test")
        eventually(lambda: told.of("ping"))

        kill_dispatcher(fused)
        register(http, "hooked")
        http.post("/scores", json=scores("hooked", range(1, 19)))
        eventually(lambda: told.of("prediction"))
        event = json.loads(told.of("prediction")[0].partition(" hooked ")[2])
        stored = http.get("/games/hooked/prediction").json()
        assert event["prediction"]["point_forecast"] == stored["point_forecast"]
        assert event["game_id"] == "hooked"

        # Killed between the sending and the writing of what came of it: sent again, the same.
        eventually(lambda: fused.members(DISPATCHER))
        http.post("/scores", json=scores("hooked", range(19, 26)))
        eventually(lambda: told.of("outcome"))
        kill_dispatcher(fused)
        told.holding = False
        eventually(lambda: len(told.of("outcome")) == 2)
        told.released.set()
        first, again = told.of("outcome")
        assert again == first.replace(" outcome", " (again) outcome", 1)

        def states() -> dict[str, str]:
            found: list[dict[str, Any]] = http.get(f"{hook}/deliveries").json()
            return {delivery["type"]: delivery["state"] for delivery in found}

        everything = dict.fromkeys(("ping", "prediction", "outcome"), "delivered")
        eventually(lambda: states() == everything)
        assert not [line for line in told.lines if line.startswith("refused")]
        assert len(told.of("prediction")) == 1
    logs = [path for path in log_folder(fused).rglob("*") if path.is_file()]
    assert any(path.name.startswith("serve") for path in log_folder(fused).rglob("*"))
    assert not [path for path in logs if made["secret"].encode() in path.read_bytes()]
