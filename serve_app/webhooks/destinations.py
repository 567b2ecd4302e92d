"""Destinations: which addresses webhooks may go to.

Whoever may register a webhook could have the service call what only it can reach: other programs
of its machine, its network, the metadata of its cloud. So only public addresses are called, over
https. A name is judged by the addresses that it has at the moment of each call, and the very
address that was judged is then called (`sender`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Self
from urllib.parse import SplitResult, urlsplit

from serve_app.settings import Settings
from serve_app.webhooks.errors import RefusedAddressError, UnknownHostError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Address = IPv4Address | IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
PATIENCE_SECONDS = 3.0
# A name that takes long to resolve holds one thread, which nothing else needs; there are more than
# webhooks may be registered, and they are started as they are needed.
RESOLVING_THREADS = 128

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Destinations:
    """What may be called: `hosts` alone where some are named, and with `private` any address.

    `resolve` finds the addresses of a name; raises OSError where there are none.
    """

    private: bool
    hosts: frozenset[str]
    resolve: Resolve

    @classmethod
    def of(cls, settings: Settings, resolve: Resolve | None = None) -> Self:
        """Those that the settings allow."""
        return cls(
            settings.webhook_private_addresses,
            frozenset(map(str.lower, settings.webhook_hosts)),
            resolve or resolver(),
        )

    def expect_allowed(self, url: str) -> SplitResult:
        """An URL in its parts; raises RefusedAddressError where it may not be called, as it stands.

        A name passes: what it resolves to is judged by `addresses`.
        """
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise RefusedAddressError(f"url: expected the URL of a receiver; {error}") from None
        schemes = ("https", "http") if self.private else ("https",)
        if parts.scheme not in schemes or not host:
            raise RefusedAddressError(
                f"url: expected {' or '.join(schemes)}://; http is taken only with the setting "
                "webhook_private_addresses"
            )
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise RefusedAddressError("url: expected neither a user, a password nor a fragment")
        if self.hosts and host not in self.hosts:
            raise RefusedAddressError("url: expected a host of the setting webhook_hosts")
        if (literal := _address(host)) is not None:
            self._expect_public([literal])
        return parts

    async def expect_reachable(self, url: str) -> None:
        """As `expect_allowed`, and a name that resolves now resolves to what may be called.

        One that does not resolve yet passes: it is judged again whenever it is to be called.
        """
        parts = self.expect_allowed(url)
        if self.private:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.addresses(parts.hostname or "", port_of(parts))
        except (UnknownHostError, TimeoutError):
            return

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of which may be called.

        Raises RefusedAddressError where one may not, UnknownHostError where there is none.
        """
        literal = _address(host)
        if literal is not None:
            found = [literal]
        else:
            found = [
                address for text in await self._resolved(host, port) if (address := _address(text))
            ]
            if not found:
                raise UnknownHostError("the receiver's name has no address")
        self._expect_public(found)
        return [str(address) for address in found]

    async def _resolved(self, host: str, port: int) -> Sequence[str]:
        if host == "invalid" or host.endswith(".invalid"):  # never asked for (RFC 6761, 6.4)
            raise UnknownHostError("the receiver's name ends in .invalid and has no address")
        try:
            return await self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UnknownHostError(f"the receiver's name does not resolve: {error}") from None

    def _expect_public(self, addresses: Collection[Address]) -> None:
        # One that is not public is enough: who answers with both means the other one.
        if not self.private and not all(map(is_public, addresses)):
            raise RefusedAddressError(
                "expected a receiver with public addresses alone; others are called only with the "
                "setting webhook_private_addresses"
            )


def port_of(parts: SplitResult) -> int:
    """The port of an URL, its scheme's where it names none."""
    return parts.port or DEFAULT_PORTS[parts.scheme]


def is_public(address: Address) -> bool:
    """Whether an address is one host's of the public internet.

    One of IPv6 that stands for one of IPv4 (mapped, or behind NAT64) is judged by that one; other
    tunnels (6to4, Teredo) are not public.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast


def look_up(host: str) -> list[str]:
    """The addresses that the machine's own resolver knows of a name; blocks, raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolver(ask: Callable[[str], Sequence[str]] = look_up) -> Resolve:
    """Asks in threads of its own, of each host once at a time; `ask` blocks.

    Whoever asks meanwhile waits for the same answer, so a slow name server holds one thread a name,
    however much there is to be sent.
    """
    threads = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="resolve")
    running: dict[str, asyncio.Future[Sequence[str]]] = {}

    def ended(host: str, lookup: asyncio.Future[Sequence[str]]) -> None:
        del running[host]
        if not lookup.cancelled():
            lookup.exception()  # is looked at even where nobody waits for it any more

    async def resolve(host: str, _: int) -> Sequence[str]:
        lookup = running.get(host)
        if lookup is None:
            lookup = asyncio.get_running_loop().run_in_executor(threads, ask, host)
            running[host] = lookup
            lookup.add_done_callback(partial(ended, host))
        # One that stops waiting stops nobody else, nor the thread.
        return await asyncio.shield(lookup)

    return resolve


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
