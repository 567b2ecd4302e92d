"""The keys as a replica knows them: read from the store, held for a few seconds."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from serve_app.access.keys import KeyRecord, PresentedKey, matches, presented
from serve_app.api.problems import Unauthorized, Unavailable
from serve_app.storage.errors import StoreError

logger = logging.getLogger(__name__)

HOLD_SECONDS = 5.0
"""How long keys are held: a revoked key is refused, and the first key closes an open service,
after this at the latest."""
UNKNOWN_HOLD_SECONDS = 1.0
"""A key that is not among those held makes them be read anew, but not more often than this."""
PATIENCE_SECONDS = 2.0


class KeyStore(Protocol):
    """Where the keys are kept."""

    def all(self) -> Sequence[KeyRecord]:
        """Every key that was ever made, revoked ones too; raises StoreError."""
        ...


class KeyRing:
    """Checks keys against the store's, which are read as a whole and held `hold_seconds`.

    Operators make keys by hand, so there are few; and who guesses at ids never reaches the store.
    While it does not answer, the keys that were read last stay in force.

    Args:
        store: where the keys are.
        hold_seconds: how long what was read is believed.
        clock: seconds that never go back.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        hold_seconds: float = HOLD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._hold_seconds = hold_seconds
        self._clock = clock
        self._now = now
        self._keys: dict[str, KeyRecord] | None = None
        self._tried_at = float("-inf")
        self._failing = False
        self._reading: asyncio.Task[Sequence[KeyRecord]] | None = None

    async def exists(self) -> bool:
        """Whether there has ever been a key; raises Unavailable where that was never read.

        Keys are revoked, never deleted: once true, it stays so.
        """
        return bool(await self._held(self._hold_seconds))

    async def check(self, text: str) -> KeyRecord:
        """The record of a key; raises Unauthorized, or Unavailable where it cannot be known."""
        key = presented(text)
        if key is None:
            raise Unauthorized("expected an API key of the form htf..._...; got something else")
        held = await self._held(self._hold_seconds)
        if key.key_id not in held:
            held = await self._held(min(self._hold_seconds, UNKNOWN_HOLD_SECONDS))
            if key.key_id not in held and self._failing:
                raise Unavailable("the key cannot be checked: the store does not answer")
        return self._checked(held.get(key.key_id), key)

    async def holds(self, key_id: str) -> bool:
        """Whether a key that was good is so still."""
        record = (await self._held(self._hold_seconds)).get(key_id)
        return record is not None and record.valid_at(self._now())

    async def record(self, key_id: str) -> KeyRecord:
        """The record of a good key by its id; raises Unauthorized, Unavailable."""
        if not await self.holds(key_id):
            raise Unauthorized("the key behind this ticket is no longer good")
        return (await self._held(self._hold_seconds))[key_id]

    def _checked(self, record: KeyRecord | None, key: PresentedKey) -> KeyRecord:
        if not matches(record, key) or record is None:
            raise Unauthorized("the API key is unknown; an operator makes one: scripts/keys.py")
        if not record.valid_at(self._now()):
            state = "expired" if record.revoked_at is None else "was revoked"
            raise Unauthorized(f"the API key {record.key_id} {state}")
        return record

    async def _held(self, seconds: float) -> dict[str, KeyRecord]:
        """The keys, read anew where they were read longer ago than `seconds`."""
        if self._clock() - self._tried_at >= seconds:
            await self._read()
        if self._keys is None:
            raise Unavailable("the keys cannot be read: the store does not answer")
        return self._keys

    async def _read(self) -> None:
        # Never cancelled: a thread cannot be, and a second one would wait behind the first.
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._store.all))
        reading = self._reading
        done, _ = await asyncio.wait({reading}, timeout=PATIENCE_SECONDS)
        if self._reading is not reading:
            return  # somebody who waited for the same has taken it
        self._tried_at = self._clock()
        if not done:
            self._failing = True
            return
        self._reading = None
        try:
            self._keys = {record.key_id: record for record in reading.result()}
        except StoreError:
            if not self._failing:
                logger.exception("the keys cannot be read; those that are known stay in force")
            self._failing = True
        else:
            self._failing = False
