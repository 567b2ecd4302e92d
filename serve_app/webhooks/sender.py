"""The sender: one POST to a receiver, at the very address that was judged.

Names are resolved where the connection is made, below HTTP and TLS: `Host`, SNI and the check of
the certificate stay those of the name, and nothing between the judgement and the connection asks a
name server again. It follows no redirect, knows no proxy and no cookies, and each event has a
connection of its own.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import SplitResult

import httpcore

from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.errors import NoAnswerError, WebhookError

ATTEMPT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
EXCERPT_BYTES = 300
EXCERPT_SECONDS = 2.0
LONGEST_RETRY_AFTER = 40  # characters


class ReceiverAnswer(NamedTuple):
    """What a receiver answered; `excerpt` is how its body begins where the status is no success.

    `retry_after` is what it asked for, in seconds.
    """

    status: int
    retry_after: float | None = None
    excerpt: str = ""


class Sender:
    """Posts to what `destinations` allow; `attempt_seconds` for all of a request."""

    def __init__(
        self,
        destinations: Destinations,
        *,
        attempt_seconds: float = ATTEMPT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._destinations = destinations
        self._attempt_seconds = attempt_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _default_tls(),
            max_connections=None,  # the dispatcher bounds them
            max_keepalive_connections=0,
            network_backend=JudgedNetwork(destinations),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        """Post a body; raises RefusedAddressError, UnknownHostError or NoAnswerError."""
        parts = self._destinations.expect_allowed(url)
        named = {**headers, "Host": parts.netloc, "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self._attempt_seconds),
                self._pool.stream(
                    "POST",
                    _url_of(parts),
                    headers=list(named.items()),
                    content=body,
                    extensions={"timeout": {"connect": CONNECT_SECONDS}},
                ) as response,
            ):
                is_success = 200 <= response.status < 300
                return ReceiverAnswer(
                    response.status,
                    _retry_after(response),
                    "" if is_success else await _excerpt(response),
                )
        except (TimeoutError, httpcore.TimeoutException):
            raise NoAnswerError(f"no answer within {self._attempt_seconds:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise NoAnswerError(f"no answer: {error or type(error).__name__}") from None

    async def close(self) -> None:
        """End all connections."""
        await self._pool.aclose()


class JudgedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the destinations allow, one after the other."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one; raises WebhookError too."""
        failure: Exception = NoAnswerError("no answer: there is no address")
        for address in await self._destinations.addresses(host, port):
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Receivers are called over the network alone."""
        raise WebhookError(f"expected an address; got the socket {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _url_of(parts: SplitResult) -> httpcore.URL:
    """The URL that was judged, in its parts: httpcore would split it anew, and at a `;` too."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(
        scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target
    )


def _default_tls() -> ssl.SSLContext:
    """Trusts what the machine trusts, and what browsers do where it has no list of its own."""
    context: ssl.SSLContext = httpcore.default_ssl_context()
    return context


async def _excerpt(response: httpcore.Response) -> str:
    """How the body begins, printable; what cannot be read in time is left out."""
    taken = bytearray()
    with suppress(
        TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError
    ):
        async with asyncio.timeout(EXCERPT_SECONDS):
            async for part in response.aiter_stream():
                taken += part
                if len(taken) >= EXCERPT_BYTES:
                    break
    text = bytes(taken[:EXCERPT_BYTES]).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _retry_after(response: httpcore.Response) -> float | None:
    """The seconds of `Retry-After`, whichever of its two forms it has; None where it has none."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and len(value) <= LONGEST_RETRY_AFTER:
            return _seconds(value.decode("latin-1").strip())
    return None


def _seconds(text: str) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
