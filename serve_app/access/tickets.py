"""Tickets: a browser cannot put a header on a WebSocket, so it shows one of these instead.

A ticket is asked for with the key, good for one handshake within 30 seconds, and travels as a
WebSocket subprotocol: `Sec-WebSocket-Protocol: halftime.v1, ticket.<value>`, so in no URL.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from serve_app.access.keys import secret_hash
from serve_app.api.problems import Unauthorized, Unavailable
from serve_app.storage.errors import StoreError

SUBPROTOCOL = "halftime.v1"
TICKET_PREFIX = "ticket."
TICKET_SECONDS = 30
TICKET_BYTES = 32


class TicketStore(Protocol):
    """Where tickets wait to be used; every method raises StoreError."""

    def add(self, ticket_hash: str, key_id: str, *, now: float, expires_at: float) -> None:
        """Keep a ticket; those that expired before `now` may go."""
        ...

    def take(self, ticket_hash: str, now: float) -> str | None:
        """Remove a ticket; the id of its key, None where there is none that is good.

        Of several calls with one ticket a single one gets the id.
        """
        ...


class Tickets:
    """Issues tickets and takes them back, each once; only their hashes are kept."""

    def __init__(self, store: TicketStore, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    async def issue(self, key_id: str) -> str:
        """A new ticket for the holder of a key; raises Unavailable."""
        value = secrets.token_urlsafe(TICKET_BYTES)
        now = self._now()
        try:
            await asyncio.to_thread(
                self._store.add,
                secret_hash(value),
                key_id,
                now=now,
                expires_at=now + TICKET_SECONDS,
            )
        except StoreError:
            raise Unavailable("no ticket can be issued: the store does not answer") from None
        return value

    async def redeem(self, value: str) -> str:
        """The id of the key behind a ticket, which is then used up; raises Unauthorized."""
        try:
            key_id = await asyncio.to_thread(self._store.take, secret_hash(value), self._now())
        except StoreError:
            raise Unavailable("the ticket cannot be checked: the store does not answer") from None
        if key_id is None:
            raise Unauthorized(
                f"the ticket is unknown, used or older than {TICKET_SECONDS} s; "
                "get one: POST /tickets"
            )
        return key_id


def offered_ticket(subprotocols: Sequence[str]) -> str | None:
    """The ticket among the subprotocols that a client offers."""
    offered = (one for one in subprotocols if one.startswith(TICKET_PREFIX))
    ticket = next(offered, None)
    return None if ticket is None else ticket.removeprefix(TICKET_PREFIX)
