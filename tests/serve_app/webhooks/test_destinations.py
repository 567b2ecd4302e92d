"""Which addresses webhooks may go to."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from serve_app.settings import Settings
from serve_app.webhooks.destinations import (
    RESOLVING_THREADS,
    Destinations,
    is_public,
    resolver,
)
from serve_app.webhooks.errors import RefusedAddressError, UnknownHostError
from serve_app.webhooks.registry import MOST_WEBHOOKS
from tests.serve_app.live.served_feed import until

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
OTHERS = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - not bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.7",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


def destinations(*found: str, private: bool = False, hosts: Sequence[str] = ()) -> Destinations:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if not found:
            raise socket.gaierror(f"{host}:{port} is not known")
        return found

    settings = Settings(webhook_private_addresses=private, webhook_hosts=tuple(hosts))
    return Destinations.of(settings, resolve)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address(text: str):
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", OTHERS)
def test_an_address_that_is_not_public(text: str):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", [*OTHERS, "2130706433", "0x7f.1", "0177.0.0.1", "127.1"])
async def test_neither_as_it_stands_nor_behind_a_name_is_it_called(text: str):
    """In the odd forms an address is a name to us, and the resolver tells what it means."""
    literal = f"[{text}]" if ":" in text else text
    behind = destinations(text if "." in text or ":" in text else "127.0.0.1")
    if text in OTHERS:
        with pytest.raises(RefusedAddressError, match="public"):
            behind.expect_allowed(f"https://{literal.replace('%', '%25')}/hook")
        with pytest.raises(RefusedAddressError, match="public"):
            await behind.addresses("rebound.example", 443)
    else:
        behind = Destinations(False, frozenset(), resolver())  # as the machine itself reads it
        with pytest.raises(RefusedAddressError, match="public"):
            await behind.expect_reachable(f"https://{text}/hook")


async def test_one_address_that_is_not_public_is_enough():
    mixed = destinations("1.1.1.1", "10.0.0.1")
    with pytest.raises(RefusedAddressError):
        await mixed.addresses("receiver.example", 443)
    with pytest.raises(RefusedAddressError):
        await mixed.expect_reachable("https://receiver.example/hook")


async def test_public_addresses_are_called_in_the_order_of_the_resolver():
    found = destinations("1.1.1.1", "2606:4700::1111")
    assert await found.addresses("receiver.example", 443) == ["1.1.1.1", "2606:4700::1111"]
    assert await found.addresses("8.8.8.8", 443) == ["8.8.8.8"]
    await found.expect_reachable("https://receiver.example:8443/hook?a=1")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://receiver.example/", "expected https://"),
        ("ftp://receiver.example/", "expected https://"),
        ("receiver.example/", "expected https://"),
        ("https://", "expected https://"),
        ("https://user@receiver.example/", "neither a user"),
        ("https://:geheim@receiver.example/", "neither a user"),
        ("https://receiver.example/#part", "fragment"),
        ("https://receiver.example:99999/", "the URL of a receiver"),
        ("https://[::g]/", "the URL of a receiver"),
    ],
)
def test_an_url_that_is_not_taken(url: str, message: str):
    with pytest.raises(RefusedAddressError, match=message) as refused:
        destinations("1.1.1.1").expect_allowed(url)
    assert "geheim" not in str(refused.value)


async def test_with_the_setting_every_address_is_called_and_http_too():
    found = destinations("127.0.0.1", private=True)
    await found.expect_reachable("http://127.0.0.1:9000/")
    await found.expect_reachable("https://[::1]/")
    assert await found.addresses("receiver.example", 80) == ["127.0.0.1"]
    with pytest.raises(RefusedAddressError, match="https or http"):
        found.expect_allowed("ftp://127.0.0.1/")


def test_where_hosts_are_named_no_other_is_called():
    named = destinations("1.1.1.1", hosts=["Hooks.example.com"])
    named.expect_allowed("https://hooks.EXAMPLE.com/a")
    for url in ("https://example.com/", "https://a.hooks.example.com/", "https://1.1.1.1/"):
        with pytest.raises(RefusedAddressError, match="webhook_hosts"):
            named.expect_allowed(url)


async def test_a_name_that_does_not_resolve_is_registered_but_not_called():
    nowhere = destinations()
    await nowhere.expect_reachable("https://receiver.example/")
    with pytest.raises(UnknownHostError, match="does not resolve"):
        await nowhere.addresses("receiver.example", 443)


async def test_the_name_server_is_never_asked_for_what_cannot_be():
    with pytest.raises(UnknownHostError, match=r"\.invalid"):
        await destinations("1.1.1.1").addresses("receiver.invalid", 443)


async def test_registering_does_not_wait_for_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serve_app.webhooks.destinations.PATIENCE_SECONDS", 0.01)

    async def hang(_: str, __: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    await Destinations(False, frozenset(), hang).expect_reachable("https://receiver.example/")


# --- the resolver ----------------------------------------------------------------------------


class NameServer:
    """Answers for one host, and for those that are slow once it is released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released = threading.Event()
        self.failure: OSError | None = None

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host.startswith("slow"):
            self.released.wait(15)
        if self.failure is not None:
            raise self.failure
        return ["1.1.1.1"]


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.released.set()


async def test_of_a_host_it_is_asked_once_at_a_time(name_server: NameServer):
    resolve = resolver(name_server)
    waiting = [
        asyncio.ensure_future(resolve("slow.example", port))
        for port in (443, 8443)
        for _ in range(40)
    ]
    await until(lambda: bool(name_server.asked))
    assert await resolve("quick.example", 443) == ["1.1.1.1"]
    waiting.pop().cancel()  # one that gives up takes the answer from nobody
    name_server.released.set()
    assert await asyncio.gather(*waiting) == [["1.1.1.1"]] * 79
    assert sorted(name_server.asked) == ["quick.example", "slow.example"]
    assert await resolve("slow.example", 443) == ["1.1.1.1"]
    assert name_server.asked.count("slow.example") == 2


async def test_a_slow_name_server_does_not_hold_up_other_names(name_server: NameServer):
    """Though every webhook that there may be has a name of its own at it."""
    resolve = resolver(name_server)
    hosts = [f"slow{number}.example" for number in range(MOST_WEBHOOKS)]
    waiting = [asyncio.ensure_future(resolve(host, 443)) for host in hosts]
    await until(lambda: len(name_server.asked) == MOST_WEBHOOKS < RESOLVING_THREADS)
    assert await resolve("quick.example", 443) == ["1.1.1.1"]
    name_server.released.set()
    await asyncio.gather(*waiting)


async def test_all_who_wait_for_one_that_fails_hear_so_and_nobody_later(name_server: NameServer):
    resolve = resolver(name_server)
    name_server.failure = socket.gaierror("not known")
    waiting = [asyncio.ensure_future(resolve("slow.example", 443)) for _ in range(2)]
    await until(lambda: bool(name_server.asked))
    name_server.released.set()
    for one in waiting:
        with pytest.raises(socket.gaierror, match="not known"):
            await one
    name_server.failure = None
    assert await resolve("slow.example", 443) == ["1.1.1.1"]
