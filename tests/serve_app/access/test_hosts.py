import pytest

from serve_app.access.hosts import Hosts, is_loopback
from serve_app.api.problems import ForbiddenHost, ForbiddenOrigin

HOSTS = Hosts.of(["Scores.example.com"], ["https://Board.example.org"])


@pytest.mark.parametrize(
    "header",
    [
        *("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"),
        *("scores.example.com", "SCORES.example.com:443", "10.0.0.7:8000", "[2001:db8::1]"),
        "a.localhost",
    ],
)
def test_the_service_answers_for_its_names_and_for_addresses(header: str):
    HOSTS.check_host(header)


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "rebound.example.net", "rebound.example.net:8000", "127.0.0.1.example.net"),
        *("localhost.example.net", "notlocalhost", "x@localhost", "localhost/x", "localhost:x"),
        *("[::1", "localhost, evil.example.net", "scores.example.com.", "localhost#x", "a b"),
    ],
)
def test_no_other_name_is_answered_for(header: str | None):
    with pytest.raises(ForbiddenHost, match="allowed_hosts"):
        HOSTS.check_host(header)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost:80", "localhost"),
        ("https://scores.example.com", "scores.example.com"),
        ("https://scores.example.com", "scores.example.com:443"),
        ("https://board.example.org", "scores.example.com"),
    ],
)
def test_the_own_page_and_allowed_sites_may_ask(origin: str, host: str):
    HOSTS.check_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example.net", "scores.example.com"),
        ("null", "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("file://", "127.0.0.1:8000"),
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),
        ("http://localhost:8000", "127.0.0.1:8000"),
        ("http://board.example.org", "scores.example.com"),
        ("https://board.example.org.evil.net", "scores.example.com"),
        ("chrome-extension://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000, http://evil.example.net", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", None),
    ],
)
def test_no_other_page_may(origin: str, host: str | None):
    with pytest.raises(ForbiddenOrigin, match="allowed_origins"):
        HOSTS.check_origin(origin, host)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("myhost", False)),  # noqa: S104
    ],
)
def test_what_only_this_machine_can_reach(host: str, *, loopback: bool):
    assert is_loopback(host) is loopback
