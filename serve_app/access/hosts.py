"""Hosts and origins: a page of another site can neither use this service nor pretend to be it.

A browser sends `Origin` with every WebSocket handshake and every request that may change
something, and scripts cannot forge it. `Host` guards against DNS rebinding, where the attacker's
own name is made to point here: a name has to be known. An address may always stand there, for no
name was resolved to reach it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from serve_app.api.problems import ForbiddenHost, ForbiddenOrigin

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Hosts:
    """Which hosts the service answers for, and which other sites may use it.

    `names` are host names without a port, `origins` are as browsers send them:
    `https://scores.example.com`.
    """

    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Collection[str], origins: Collection[str]) -> "Hosts":
        """Both in lower case, as they are compared."""
        return cls(frozenset(map(str.lower, names)), frozenset(map(str.lower, origins)))

    def check_host(self, header: str | None) -> None:
        """Raise ForbiddenHost where the service does not answer for this `Host`."""
        if header is None or not _is_ours(header, self.names):
            raise ForbiddenHost(
                "Host: expected localhost, an IP address or a name of the setting allowed_hosts; "
                f"got {_shown(header)}"
            )

    def check_origin(self, origin: str, host: str | None) -> None:
        """Raise ForbiddenOrigin unless the page is the service's own or of an allowed site."""
        if origin.lower() in self.origins:
            return
        page = _split(origin)
        own = _split(f"{page.scheme}://{host}") if page and host else None
        if page is None or own is None or page.scheme not in DEFAULT_PORTS or _at(page) != _at(own):
            raise ForbiddenOrigin(
                "Origin: expected the service's own page or one of the setting allowed_origins; "
                f"got {_shown(origin)}"
            )


# Nearly all requests of a service name the same few hosts.
@lru_cache(maxsize=256)
def _is_ours(header: str, names: frozenset[str]) -> bool:
    split = _split(f"//{header}")
    if split is None or split.username is not None or split.path or split.query or split.fragment:
        return False
    name = split.hostname or ""
    return name in names or is_loopback_name(name) or is_address(name)


def is_loopback_name(name: str) -> bool:
    """Whether a name means this machine wherever it is resolved (RFC 6761, section 6.3)."""
    return name == "localhost" or name.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a server that binds `host` can be reached from this machine alone."""
    return ip_address(host).is_loopback if is_address(host) else is_loopback_name(host)


def is_address(name: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _split(address: str) -> SplitResult | None:
    """An address in its parts; None where it is none."""
    try:
        split = urlsplit(address)
        _ = split.port
    except ValueError:
        return None
    return split if split.hostname else None


def _at(split: SplitResult) -> tuple[str | None, int | None]:
    return split.hostname, split.port or DEFAULT_PORTS.get(split.scheme)


def _shown(header: str | None) -> str:
    return "none" if header is None else repr(header[:LONGEST_SHOWN])
