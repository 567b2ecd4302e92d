import pytest

from serve_app.access.tickets import TICKET_SECONDS, Tickets, offered_ticket
from serve_app.api.problems import Unauthorized, Unavailable
from tests.serve_app.access.conftest import Clock, MemoryStore


@pytest.fixture
def tickets(keys: MemoryStore, clock: Clock) -> Tickets:
    return Tickets(keys, now=clock)


async def test_a_ticket_is_good_once(tickets: Tickets, keys: MemoryStore):
    value = await tickets.issue("htfsomebody")
    assert value not in keys.tickets
    assert await tickets.redeem(value) == "htfsomebody"
    with pytest.raises(Unauthorized, match="used"):
        await tickets.redeem(value)


async def test_a_ticket_is_good_for_half_a_minute(tickets: Tickets, clock: Clock):
    early, late = await tickets.issue("k"), await tickets.issue("k")
    clock.seconds += TICKET_SECONDS - 0.1
    assert await tickets.redeem(early) == "k"
    clock.seconds += 0.1
    with pytest.raises(Unauthorized, match="older than 30 s"):
        await tickets.redeem(late)


async def test_a_store_that_is_away_is_said(tickets: Tickets, keys: MemoryStore):
    value = await tickets.issue("k")
    keys.failing = True
    with pytest.raises(Unavailable):
        await tickets.issue("k")
    with pytest.raises(Unavailable):
        await tickets.redeem(value)


def test_the_ticket_is_among_the_subprotocols():
    assert offered_ticket(["halftime.v1", "ticket.abc"]) == "abc"
    assert offered_ticket(["halftime.v1"]) is None
    assert offered_ticket([]) is None
