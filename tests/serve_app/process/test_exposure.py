import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from serve_app.process.exposure import Listener, asks_for_token, exposure_warnings, listeners_of

TOKEN = {"RAY_AUTH_MODE": "token"}


def listener(address: str, port: int = 1) -> Listener:
    return Listener(ip_address(address), port, 42, "raylet")


def says(*, refuses: bool | None):
    return lambda _: refuses


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.1")]
)  # fmt: skip
def test_what_this_process_listens_on_is_found(family: socket.AddressFamily, address: str):
    with socket.socket(family) as opened:
        try:
            opened.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        before = listeners_of([os.getpid()])
        opened.listen()
        (found,) = (one for one in listeners_of([os.getpid()]) if one not in before)
        assert str(found.address) == address.removeprefix("::ffff:")
        assert found.port == opened.getsockname()[1]
        assert found.is_loopback
        assert found.pid == os.getpid()
        assert found.title


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["/usr/bin/python3.11", "-u", "/opt/ray/dashboard.py", "--host=x"], "dashboard.py"),
        (["/opt/ray/raylet", "--port=0"], "raylet"),
        (["ray::ServeReplica:forecaster:Ingress", "", ""], "ray::ServeReplica:forecaster:Ingress"),
        (["python"], "python"),
    ],
)
def test_a_process_is_called_by_what_it_runs(command: list[str], title: str, tmp_path: Path):
    """A copy of what the kernel tells, with one process that listens on 10.0.0.7 and [::]."""
    process = tmp_path / "7"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "3").symlink_to("socket:[11]")
    (process / "fd" / "4").symlink_to("socket:[12]")
    (process / "fd" / "5").symlink_to("/dev/null")
    (process / "cmdline").write_text("\0".join([*command, ""]))
    (tmp_path / "net").mkdir()
    end = "00000000:00000000 00:00000000 00000000 0 0"
    here = socket.htonl(int(ip_address("10.0.0.7")))
    (tmp_path / "net" / "tcp").write_text(
        f"head\n 0: {here:08X}:1F90 00000000:0000 0A {end} 11\n"
        f" 1: {here:08X}:1F91 00000000:0000 01 {end} 12\n"
    )
    (tmp_path / "net" / "tcp6").write_text(f"head\n 0: {'0' * 32}:0050 {'0' * 32}:0 0A {end} 12\n")
    found = listeners_of([7], tmp_path)
    assert [(str(one.address), one.port) for one in found] == [("::", 80), ("10.0.0.7", 8080)]
    assert {one.title for one in found} == {title}


def test_a_process_that_is_gone_listens_on_nothing():
    assert listeners_of([2**22 + 1]) == []


def test_loopback_and_tokens_need_no_warning():
    ports = [listener("127.0.0.1"), listener("::1")]
    assert exposure_warnings(TOKEN, ports, says(refuses=False)) == []
    open_ports = [listener("0.0.0.0"), listener("::")]  # noqa: S104
    assert exposure_warnings(TOKEN, open_ports, says(refuses=True)) == []
    assert exposure_warnings(TOKEN, open_ports, says(refuses=None)) == []


def test_a_port_that_others_reach_and_that_asks_for_no_token_is_named():
    (told,) = exposure_warnings(TOKEN, [listener("::", 8265)], says(refuses=False))
    assert "raylet (process 42) on :: port 8265" in told
    assert "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" in told


@pytest.mark.parametrize("environment", [{}, {"RAY_AUTH_MODE": "disabled"}])
def test_without_token_authentication_every_port_that_others_reach_is_named(
    environment: dict[str, str],
):
    ports = [listener("::", 1), listener("127.0.0.1", 2), listener("192.0.2.1", 3)]
    off, first, second = exposure_warnings(environment, ports, says(refuses=None))
    assert "token authentication is off" in off
    assert "port 1:" in first
    assert "port 3:" in second


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Refusal(Answer):
    status = 401


class Nothing(Answer):
    status = 404


class Feed(Answer):
    """A replica of the live feed, of a service that has keys."""

    def do_GET(self) -> None:
        self.status = 401 if self.path.startswith("/ws/") else 404
        super().do_GET()


class Broken(Answer):
    """Speaks HTTP, and says nothing of the live feed."""

    def do_GET(self) -> None:
        self.status = 404
        if self.path == "/metrics":
            super().do_GET()


@pytest.mark.parametrize(
    ("handler", "refuses"),
    [(Answer, False), (Refusal, True), (Nothing, False), (Feed, True), (Broken, False)],
)
def test_a_port_is_tried_without_credentials(handler: type[Answer], *, refuses: bool):
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert asks_for_token(listener("127.0.0.1", server.server_port)) is refuses
        finally:
            server.shutdown()
            thread.join(10)


def test_a_port_that_speaks_no_http_does_not_tell():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"\0\0\0")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert asks_for_token(listener("127.0.0.1", server.getsockname()[1])) is None
        thread.join(10)
