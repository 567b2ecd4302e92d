"""The decision about one request: who asks, and whether they may."""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers

from serve_app.access.credentials import expect_no_key, header_key
from serve_app.access.hosts import Hosts
from serve_app.access.key_ring import KeyRing, KeyStore
from serve_app.access.keys import KeyRecord
from serve_app.access.rates import RequestRates
from serve_app.access.scopes import Scope, grants
from serve_app.access.tickets import Tickets, TicketStore
from serve_app.api.problems import Forbidden, TooManyRequests, Unauthorized
from serve_app.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = ""
"""The id under which requests are counted while no key exists."""
CHECK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    `method` is that of HTTP, or WEBSOCKET; `path` is decoded, `query` is not. `needs` is the scope
    of its route; with None any good key will do, or none at all where the route `is_open`. `ticket`
    is the one that it offers. `is_stream` is a request that is answered for as long as it stays.
    """

    method: str
    headers: Headers
    path: str
    query: bytes
    needs: Scope | None
    is_open: bool = False
    is_counted: bool = True
    ticket: str | None = None
    is_stream: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of a key, `OPEN` while none exists, None for nobody on an open route."""

    key_id: str | None


class Access:
    """Admits requests by host, origin, key, rate and scope, in this order.

    Args:
        ring: the keys.
        tickets: issued to browsers for a WebSocket.
        hosts: whom the service answers for.
        rates: how often one may ask.
        keyless: whether it answers without a key as long as there never was one.
        check_seconds: how often the keys behind open streams are looked at.
    """

    def __init__(
        self,
        ring: KeyRing,
        tickets: Tickets,
        hosts: Hosts,
        rates: RequestRates,
        *,
        keyless: bool,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self.tickets = tickets
        self.rates = rates
        self._ring = ring
        self._hosts = hosts
        self._keyless = keyless
        self._check_seconds = check_seconds
        self._streams: dict[asyncio.Timeout, Caller] = {}
        self._checking: asyncio.Task[None] | None = None

    async def admit(self, asked: Asked) -> Caller:
        """Who asks; raises the problem of a request that is refused.

        MisplacedKey, Unauthorized, Forbidden, ForbiddenHost, ForbiddenOrigin, TooManyRequests, or
        Unavailable where the keys cannot be read.
        """
        host, origin = _all_of(asked.headers, "host"), _all_of(asked.headers, "origin")
        self._hosts.check_host(host)
        if origin is not None and (asked.is_stream or asked.method not in SAFE_METHODS):
            self._hosts.check_origin(origin, host)
        expect_no_key(asked.path, asked.query)
        if asked.is_open:
            if asked.is_counted:
                self._count(None)
            return Caller(None)
        if self._keyless and not await self._ring.exists():
            self._count(OPEN)
            return Caller(OPEN)
        record = await self._identify(asked)
        self._count(record.key_id)
        if asked.needs is not None and not grants(record.scopes, asked.needs):
            held = ", ".join(sorted(record.scopes))
            raise Forbidden(
                f"expected a key with the scope {asked.needs}; that of {record.key_id} has {held}",
                scope=asked.needs,
            )
        return Caller(record.key_id)

    async def _identify(self, asked: Asked) -> KeyRecord:
        """The key behind a request; who has none is counted together with all others."""
        try:
            key = header_key(asked.headers)
            if key is not None:
                return await self._ring.check(key)
            if asked.ticket is not None:
                self._count(None)  # a guess costs a look into the store
                return await self._ring.record(await self.tickets.redeem(asked.ticket))
            raise Unauthorized(
                "expected an API key: Authorization: Bearer KEY, or X-API-Key: KEY; an operator "
                "makes one: scripts/keys.py create"
            )
        except Unauthorized:
            self._count(None)
            raise

    def _count(self, key_id: str | None) -> None:
        if not self.rates.take(key_id):
            limit = self.rates.limit(key_id)
            raise TooManyRequests(
                f"expected at most {limit} requests a second; more came", limit=limit
            )

    # --- streams that are open ---------------------------------------------------------------

    def enter(self, caller: Caller) -> asyncio.Timeout:
        """Note an open stream, to be run inside what this returns.

        That expires once its caller may no longer watch.
        """
        admission = asyncio.timeout(None)
        self._streams[admission] = caller
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_streams())
        return admission

    def leave(self, admission: asyncio.Timeout) -> None:
        """The stream has ended."""
        self._streams.pop(admission, None)

    async def _check_streams(self) -> None:
        while self._streams:
            await asyncio.sleep(self._check_seconds)
            for admission, caller in list(self._streams.items()):
                if not await self._still(caller) and admission in self._streams:
                    del self._streams[admission]
                    admission.reschedule(asyncio.get_running_loop().time())

    async def _still(self, caller: Caller) -> bool:
        if caller.key_id == OPEN:
            return not await self._ring.exists()
        return caller.key_id is not None and await self._ring.holds(caller.key_id)


def _all_of(headers: Headers, name: str) -> str | None:
    """A header that stands once; several are joined to a value that no check lets through."""
    return ", ".join(headers.getlist(name)) or None


def access_of(settings: Settings, keys: KeyStore, tickets: TicketStore) -> Access:
    """The access that the settings choose, over the keys and tickets of a store."""
    return Access(
        KeyRing(keys),
        Tickets(tickets),
        Hosts.of(settings.allowed_hosts, settings.allowed_origins),
        RequestRates(
            per_key=settings.requests_per_second, keyless=settings.keyless_requests_per_second
        ),
        keyless=settings.keyless,
    )
