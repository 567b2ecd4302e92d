"""Requests that arrive: repeated while the service is away or busy, up to a deadline, and timed.

Everything a replay sends is safe to repeat: the service knows an update it has seen.
"""

import asyncio
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from serve_app.replay.errors import DeliveryError

# 500 too: a replica that dies with a request in hand may answer so. All are counted by reason.
REPEATABLE = frozenset({429, 500, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
JSON_HEADERS = {"content-type": "application/json"}


class Clock(Protocol):
    """Time as the replay sees it; tests pass their own."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class DeliveryLog:
    """What the requests took: latencies in seconds (answered ones), repeats by reason."""

    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    repeats: Counter[str] = field(default_factory=Counter)


class Delivery:
    """Posts and gets with repeats; `deadline_seconds` bounds one request with all its repeats.

    Where the service does not say how long to wait, no pause before a repeat is longer than
    `longest_pause_seconds`.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        deadline_seconds: float = 60.0,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._deadline = deadline_seconds
        self._longest_pause = longest_pause_seconds
        self._clock = clock or SystemClock()
        self.log = DeliveryLog()

    async def post(self, path: str, content: bytes = b"") -> httpx.Response:
        """Post JSON; an answer with any status but the repeatable ones. Raises DeliveryError."""
        return await self._send("POST", path, content)

    async def get(self, path: str) -> httpx.Response:
        """As `post`, for reading."""
        return await self._send("GET", path, None)

    def patience(self) -> "Patience":
        """Pauses that grow, until the deadline, for something that is to be tried again."""
        return Patience(self._clock, self._deadline, self._longest_pause)

    async def _send(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        patience = self.patience()
        headers = JSON_HEADERS if content else None
        while True:
            begun = self._clock.now()
            retry_after: str | None = None
            try:
                answer = await self._client.request(method, path, content=content, headers=headers)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if answer.status_code not in REPEATABLE:
                    if method == "POST":
                        self.log.latencies.append(self._clock.now() - begun)
                    return answer
                reason = f"status {answer.status_code}"
                retry_after = answer.headers.get("retry-after")
            self.log.repeats[reason] += 1
            await patience.pause(f"{method} {path}: {reason}", retry_after)


class Patience:
    """Pauses that double from 50 ms to the longest, or last as long as the service asks for."""

    def __init__(
        self, clock: Clock, seconds: float, longest_pause: float = LONGEST_PAUSE_SECONDS
    ) -> None:
        self._clock = clock
        self._longest_pause = longest_pause
        self._seconds = seconds
        self._until = clock.now() + seconds
        self._next = FIRST_PAUSE_SECONDS

    async def pause(self, reason: str, retry_after: str | None = None) -> None:
        """Wait before the next try; raises DeliveryError where that would pass the deadline."""
        asked = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
        pause = asked or self._next
        self._next = min(self._next * 2, self._longest_pause)
        if self._clock.now() + pause > self._until:
            raise DeliveryError(
                f"{reason}; expected an answer within {self._seconds:g} s of trying"
            )
        await self._clock.sleep(pause)
