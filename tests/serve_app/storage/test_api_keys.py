from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from serve_app.access.keys import new_key
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store
from serve_app.storage.ticket_rows import TicketRows

NOW = 1_700_000_000.25


def test_a_key_comes_back_as_it_was_put(any_store: Store):
    keys = ApiKeys(any_store.database)
    assert keys.all() == []
    made = [
        new_key("first", ["ingest", "read"], now=NOW).record,
        new_key("second", ["admin"], now=NOW + 1, expires_at=NOW + 2).record,
    ]
    for record in reversed(made):
        keys.add(record)
    assert keys.all() == made


def test_a_key_is_revoked_once_and_stays(any_store: Store):
    keys = ApiKeys(any_store.database)
    kept, gone = (new_key("x", ["read"], now=NOW + number).record for number in range(2))
    for record in (kept, gone):
        keys.add(record)
    assert keys.revoke(gone.key_id, NOW + 5)
    assert not keys.revoke(gone.key_id, NOW + 6)
    assert not keys.revoke("htfnobody", NOW + 6)
    assert keys.all() == [kept, replace(gone, revoked_at=NOW + 5)]


def test_an_id_is_given_once(any_store: Store):
    keys = ApiKeys(any_store.database)
    record = new_key("x", ["read"], now=NOW).record
    keys.add(record)
    with pytest.raises(StoreError):
        keys.add(replace(record, name="another"))
    assert keys.all() == [record]


def test_of_many_who_come_with_one_ticket_one_gets_in(any_store: Store):
    tickets = TicketRows(any_store.database)
    tickets.add("hash", "htfkey", now=NOW, expires_at=NOW + 30)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: tickets.take("hash", NOW + 1), range(8)))
    assert sorted(taken, key=str) == [None] * 7 + ["htfkey"]


def test_a_ticket_is_good_until_it_expires_and_goes_with_the_next(any_store: Store):
    tickets = TicketRows(any_store.database)
    for name in ("early", "late", "old"):
        tickets.add(name, "htfkey", now=NOW, expires_at=NOW + 30)
    assert tickets.take("unknown", NOW) is None
    assert tickets.take("early", NOW + 29.9) == "htfkey"
    assert tickets.take("late", NOW + 30) is None
    tickets.add("new", "htfkey", now=NOW + 30, expires_at=NOW + 60)
    assert tickets.take("old", NOW) is None  # good by that clock, but gone
    assert tickets.take("new", NOW + 31) == "htfkey"
