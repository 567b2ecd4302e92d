"""The port of the metrics: the known one where it can be had, and what an operator asks for."""

import socket

import pytest

from serve_app.process import environment as module
from serve_app.process.environment import free_port, service_environment
from serve_app.process.server import metrics_port_of
from serve_app.settings import SettingsError

PORT = "HALFTIME_METRICS_PORT"


@pytest.fixture(autouse=True)
def known_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Another port for the known one, which a service of this machine may have."""
    monkeypatch.delenv(PORT, raising=False)
    port = free_port()
    monkeypatch.setattr(module, "METRICS_PORT", port)
    return port


def test_it_is_the_known_one_also_where_a_connection_to_it_was_just_closed(known_port: int):
    with socket.create_server(("127.0.0.1", known_port)) as server:
        client = socket.create_connection(("127.0.0.1", known_port))
        accepted, _ = server.accept()
        accepted.close()  # whoever closes first keeps the port busy for a minute
        client.close()
    with service_environment() as environment:
        assert environment[PORT] == str(known_port)


def test_a_second_service_gets_another(known_port: int):
    with socket.create_server(("127.0.0.1", known_port)), service_environment() as environment:
        assert environment[PORT] != str(known_port)
        assert metrics_port_of(environment) in module.FREE_PORTS


def test_what_the_operator_sets_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PORT, "12345")
    with service_environment() as environment:
        assert metrics_port_of(environment) == 12_345


@pytest.mark.parametrize("text", ["", "0", "80", "70000", "metrics", "-1", "٣٠٠٠"])
def test_what_is_no_port_is_refused(text: str):
    with pytest.raises(SettingsError, match=r"HALFTIME_METRICS_PORT: expected a port from 1024 on"):
        metrics_port_of({PORT: text})
