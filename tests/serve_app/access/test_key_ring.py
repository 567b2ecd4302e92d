import asyncio
import threading
from collections.abc import Sequence

import pytest

from serve_app.access import key_ring
from serve_app.access.key_ring import HOLD_SECONDS, UNKNOWN_HOLD_SECONDS, KeyRing
from serve_app.access.keys import KeyRecord
from serve_app.api.problems import Unauthorized, Unavailable
from tests.serve_app.access.conftest import Clock, MemoryStore


async def test_a_good_key_is_known_with_its_scopes(ring: KeyRing, keys: MemoryStore, clock: Clock):
    text = keys.make("read", "ingest", now=clock())
    assert (await ring.check(text)).scopes == {"read", "ingest"}


async def test_the_store_is_asked_once_for_many_requests(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    text = keys.make("read", now=clock())
    for _ in range(20):
        await ring.check(text)
        assert await ring.exists()
    assert keys.reads == 1


async def test_requests_at_once_share_one_reading(ring: KeyRing, keys: MemoryStore, clock: Clock):
    text = keys.make("read", now=clock())
    await asyncio.gather(*(ring.check(text) for _ in range(20)))
    assert keys.reads == 1


async def test_a_revoked_key_is_refused_after_the_hold_at_the_latest(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    text = keys.make("read", now=clock())
    await ring.check(text)
    keys.revoke(text, clock())
    clock.seconds += HOLD_SECONDS
    with pytest.raises(Unauthorized, match="was revoked"):
        await ring.check(text)
    assert not await ring.holds(text.partition("_")[0])


async def test_a_key_expires_by_the_clock_without_the_store(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    text = keys.make("read", now=clock(), expires_at=clock() + 2)
    await ring.check(text)
    clock.seconds += 2
    with pytest.raises(Unauthorized, match="expired"):
        await ring.check(text)


async def test_a_new_key_is_found_though_the_others_are_held(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    await ring.check(keys.make("read", now=clock()))
    fresh = keys.make("read", now=clock())
    clock.seconds += UNKNOWN_HOLD_SECONDS
    await ring.check(fresh)


async def test_guesses_do_not_reach_the_store(ring: KeyRing, keys: MemoryStore, clock: Clock):
    keys.make("read", now=clock())
    stranger = MemoryStore()
    for _ in range(50):
        with pytest.raises(Unauthorized, match="unknown"):
            await ring.check(stranger.make("admin", now=clock()))
    with pytest.raises(Unauthorized, match="of the form"):
        await ring.check("guess")
    assert keys.reads == 1


async def test_a_refusal_does_not_tell_the_key(ring: KeyRing, keys: MemoryStore, clock: Clock):
    unknown = MemoryStore().make("read", now=clock())
    with pytest.raises(Unauthorized) as refused:
        await ring.check(unknown)
    assert unknown.partition("_")[2] not in refused.value.detail


async def test_once_there_was_a_key_there_always_is(ring: KeyRing, keys: MemoryStore, clock: Clock):
    assert not await ring.exists()
    text = keys.make("read", now=clock())
    clock.seconds += HOLD_SECONDS
    assert await ring.exists()
    keys.revoke(text, clock())
    clock.seconds += HOLD_SECONDS
    assert await ring.exists()


async def test_known_keys_outlive_the_store_and_others_have_to_wait(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    known = keys.make("read", now=clock())
    await ring.check(known)
    later = keys.make("read", now=clock())
    keys.failing = True
    for _ in range(3):
        clock.seconds += HOLD_SECONDS
        assert await ring.check(known)
    with pytest.raises(Unavailable, match="store does not answer"):
        await ring.check(later)
    keys.failing = False
    clock.seconds += UNKNOWN_HOLD_SECONDS
    assert await ring.check(later)


async def test_nobody_gets_in_while_the_keys_were_never_read(
    ring: KeyRing, keys: MemoryStore, clock: Clock
):
    keys.failing = True
    with pytest.raises(Unavailable):
        await ring.exists()
    with pytest.raises(Unavailable):
        await ring.check(keys.make("admin", now=clock()))


async def test_a_store_that_hangs_is_not_waited_for(
    keys: MemoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(key_ring, "PATIENCE_SECONDS", 0.01)
    go_on = threading.Event()

    class Hanging(MemoryStore):
        hangs = False

        def all(self) -> Sequence[KeyRecord]:
            if self.hangs:
                go_on.wait(20)
            return super().all()

    store = Hanging()
    text = store.make("read", now=clock())
    ring = KeyRing(store, clock=clock, now=clock)
    await ring.check(text)
    store.hangs = True
    for _ in range(3):
        clock.seconds += HOLD_SECONDS
        assert await ring.check(text)
    assert store.reads == 1
    go_on.set()
    clock.seconds += HOLD_SECONDS
    async with asyncio.timeout(20):
        while store.reads < 2:
            clock.seconds += HOLD_SECONDS
            await ring.check(text)
