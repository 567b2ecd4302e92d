"""Keys in memory, a clock that tests move, and the real routes behind the gate."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from models.training.bundle import Bundle
from serve_app.access.access import Access
from serve_app.access.hosts import Hosts
from serve_app.access.key_ring import KeyRing
from serve_app.access.keys import KeyRecord, new_key
from serve_app.access.rates import RequestRates
from serve_app.access.tickets import Tickets
from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.settings import Settings
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store


class Clock:
    """Seconds since the epoch, as far as tests let them go by."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


class MemoryStore:
    """Keys and tickets in memory; fails while told to. `reads` counts the reading of keys."""

    def __init__(self) -> None:
        self.records: dict[str, KeyRecord] = {}
        self.tickets: dict[str, tuple[str, float]] = {}
        self.failing = False
        self.reads = 0

    def _answer(self) -> None:
        if self.failing:
            raise StoreError("the store is away")

    def all(self) -> Sequence[KeyRecord]:
        self.reads += 1
        self._answer()
        return list(self.records.values())

    def add(self, ticket_hash: str, key_id: str, *, now: float, expires_at: float) -> None:
        self._answer()
        self.tickets[ticket_hash] = (key_id, expires_at)

    def take(self, ticket_hash: str, now: float) -> str | None:
        self._answer()
        key_id, expires_at = self.tickets.pop(ticket_hash, ("", 0.0))
        return key_id if now < expires_at else None

    def make(self, *scopes: str, now: float, expires_at: float | None = None) -> str:
        made = new_key("a test", scopes, now=now, expires_at=expires_at)
        self.records[made.record.key_id] = made.record
        return made.text

    def revoke(self, text: str, now: float) -> None:
        key_id = text.partition("_")[0]
        self.records[key_id] = replace(self.records[key_id], revoked_at=now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def ring(keys: MemoryStore, clock: Clock) -> KeyRing:
    return KeyRing(keys, clock=clock, now=clock)


def access_of(
    keys: MemoryStore,
    clock: Clock,
    *,
    keyless: bool = True,
    hosts: Hosts | None = None,
    per_key: int = 1_000,
    keyless_rate: int = 1_000,
) -> Access:
    return Access(
        KeyRing(keys, clock=clock, now=clock),
        Tickets(keys, now=clock),
        hosts or Hosts(),
        RequestRates(per_key=per_key, keyless=keyless_rate, clock=clock),
        keyless=keyless,
        check_seconds=0.01,
    )


@pytest.fixture
def access(keys: MemoryStore, clock: Clock) -> Access:
    return access_of(keys, clock)


@pytest.fixture
def api(access: Access, service: LiveService, store: Store, bundle: Bundle) -> FastAPI:
    """The real routes behind the gate."""
    settings = Settings()
    return build_api(settings, service, store, ServedModel(settings, store), access)


@pytest.fixture
async def http(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real routes."""
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client
