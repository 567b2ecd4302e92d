"""The receiver to try webhooks with: what it believes, and what it prints."""

import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest

from scripts.webhook_receiver import LONGEST_BODY, SECRET_VARIABLE, Receiver, main
from serve_app.webhooks.signature import new_secret, signed_headers

BODY = json.dumps({"type": "score", "timestamp": "x", "data": {"game_id": "g1"}}).encode()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def receiver(told: list[str]) -> Iterator[Receiver]:
    with Receiver(("127.0.0.1", 0), new_secret(), told.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(receiver: Receiver, body: bytes, headers: dict[str, str]) -> int:
    url = f"http://127.0.0.1:{receiver.server_port}/"
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


def signed(receiver: Receiver, secret: str | None = None, moment: int | None = None):
    return signed_headers([secret or receiver.secret], "msg_1", moment or int(time.time()), BODY)


def test_it_prints_what_is_genuine_and_marks_a_repeat(receiver: Receiver, told: list[str]):
    headers = signed(receiver)
    assert [post(receiver, BODY, headers) for _ in range(2)] == [204, 204]
    assert told[0].startswith("msg_1 score g1 ")
    assert told[1].startswith("msg_1 (again) score g1 ")
    assert receiver.secret not in "".join(told)


def test_it_refuses_what_is_not(receiver: Receiver, told: list[str]):
    assert post(receiver, BODY, signed(receiver, new_secret())) == 401
    assert post(receiver, BODY + b" ", signed(receiver)) == 401
    assert post(receiver, BODY, signed(receiver, moment=1_600_000_000)) == 401
    assert post(receiver, BODY, {}) == 401
    assert all(line.startswith("refused: ") for line in told)
    assert told


@pytest.mark.parametrize("length", [str(LONGEST_BODY + 1), "-1", "many", "9" * 400])
def test_a_body_that_is_too_large_is_not_read(length: str, receiver: Receiver):
    connection = HTTPConnection("127.0.0.1", receiver.server_port, timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("secret", [None, "", "whsec_???"])
def test_without_a_secret_it_does_not_start(
    secret: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    if secret is not None:
        monkeypatch.setenv(SECRET_VARIABLE, secret)
    assert main([]) == 2
    said = capsys.readouterr().err
    assert SECRET_VARIABLE in said
    assert "???" not in said


def test_a_port_that_it_cannot_have_is_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(SECRET_VARIABLE, new_secret())
    for port in (receiver.server_port, 80_000):
        assert main(["--port", str(port)]) == 2
        assert f"127.0.0.1 port {port}: " in capsys.readouterr().err
