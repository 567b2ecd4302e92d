"""What is sent when, what becomes of it, and that no crash loses an event."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from serve_app.schemas import WebhookChange
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.storage.webhooks import WebhookRecord
from serve_app.webhooks.dispatcher import (
    DEAD_KEPT_SECONDS,
    DELIVERED_KEPT_SECONDS,
    FORGET_ROWS,
    HELD_EACH,
    LONGEST_ERROR,
    SENDINGS_EACH,
    Dispatcher,
)
from serve_app.webhooks.errors import NoAnswerError, WebhookError
from serve_app.webhooks.registry import BOTH_SIGN_SECONDS, Registry
from serve_app.webhooks.schedule import DELAYS_SECONDS, MOST_ATTEMPTS
from serve_app.webhooks.sender import ReceiverAnswer
from serve_app.webhooks.signature import SignatureError, verify
from tests.serve_app.live.served_feed import until
from tests.serve_app.webhooks.conftest import (
    URL,
    Clock,
    FakeReceiver,
    dispatch,
    dispatcher_of,
    play,
    registered,
)

SLOW = "https://receiver.invalid/slow"
FAILURES: list[ReceiverAnswer | WebhookError] = [
    ReceiverAnswer(500, excerpt="oops"),
    ReceiverAnswer(404),
    ReceiverAnswer(302),
    ReceiverAnswer(199),
    NoAnswerError("no answer within 15 s"),
]


class SlowReceiver(FakeReceiver):
    """Does not answer at one URL before it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.released = asyncio.Event()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        if url == SLOW:
            self.waiting += 1
            await self.released.wait()
        return await super().post(url, headers, body)


async def test_an_event_arrives_signed_with_the_live_message_in_it(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    play(store, clock)
    await dispatch(dispatcher)
    (posted,) = receiver.posted
    assert posted.url == URL
    assert posted.headers["Content-Type"] == "application/json"
    assert verify(hook.secret, posted.headers, posted.body, now=clock()) == posted.id
    event = json.loads(posted.body)
    (row,) = [row for row in store.journal.all_after() if row.type == "prediction"]
    assert (event["type"], event["data"]["seq"]) == ("prediction", row.seq)
    assert event["data"]["prediction"]["point_forecast"] == 7.0
    (told,) = registry.deliveries(hook.id, None, 10)
    assert (told.state, told.attempts, told.last_status) == ("delivered", 1, 200)
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_what_fails_is_sent_again_by_the_schedule_and_then_given_up(
    failure: ReceiverAnswer | WebhookError,
    store: Store,
    registry: Registry,
    receiver: FakeReceiver,
    clock: Clock,
):
    dispatcher = dispatcher_of(store, receiver, clock)
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: failure
    play(store, clock)
    for number, delay in enumerate([*DELAYS_SECONDS, 0], start=1):
        await dispatch(dispatcher)
        assert len(receiver.posted) == number
        clock.seconds += delay * 0.79
        await dispatch(dispatcher)
        assert len(receiver.posted) == number
        clock.seconds += delay * 0.42
    clock.seconds += 1e6
    await dispatch(dispatcher)
    assert receiver.ids == receiver.ids[:1] * MOST_ATTEMPTS
    (told,) = registry.deliveries(hook.id, "dead", 10)
    assert (told.attempts, told.next_attempt_at) == (MOST_ATTEMPTS, None)
    assert told.last_error
    assert registry.deliveries(hook.id, "pending", 10) == []
    assert [one.outcome for one in receiver.attempts] == ["failed"] * (MOST_ATTEMPTS - 1) + ["dead"]
    assert {one.event_type for one in receiver.attempts} == {"prediction"}


async def test_each_attempt_is_signed_anew(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(store, clock)
    await dispatch(dispatcher)
    clock.seconds += 10
    await dispatch(dispatcher)
    first, second = receiver.posted
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 10
    assert verify(hook.secret, second.headers, second.body, now=clock()) == first.id


async def test_a_busy_receiver_is_not_asked_before_it_wants_to_be(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(429, retry_after=600.0)
    play(store, clock)
    await dispatch(dispatcher)
    clock.seconds += 599
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1
    clock.seconds += 122
    await dispatch(dispatcher)
    assert len(receiver.posted) == 2


async def test_retry_after_of_another_status_is_not_heard(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500, retry_after=600.0)
    play(store, clock)
    await dispatch(dispatcher)
    clock.seconds += 6.1
    await dispatch(dispatcher)
    assert len(receiver.posted) == 2


async def test_a_receiver_that_is_gone_is_sent_nothing_more(
    store: Store,
    registry: Registry,
    dispatcher: Dispatcher,
    receiver: FakeReceiver,
    clock: Clock,
):
    hook = registered(registry, "prediction", "outcome")
    receiver.answer = lambda _: ReceiverAnswer(410, excerpt="gone")
    play(store, clock)
    await dispatch(dispatcher)
    view = registry.get(hook.id)
    assert (view.enabled, view.disabled_because) == (False, "gone")
    # The other one was held already, and waits.
    states = [one.state for one in registry.deliveries(hook.id, None, 10)]
    assert sorted(states) == ["dead", "pending"]
    assert [one.outcome for one in receiver.attempts] == ["dead"]
    clock.seconds += 1e6
    play(store, clock, "g2")
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1
    registry.change(hook.id, WebhookChange(enabled=True))
    receiver.answer = lambda _: ReceiverAnswer(200)
    play(store, clock, "g3")
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1 + 1 + 2


async def test_what_waits_for_a_disabled_webhook_is_sent_once_it_is_enabled(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(store, clock)
    await dispatch(dispatcher)
    registry.change(hook.id, WebhookChange(enabled=False))
    clock.seconds += 60
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1
    receiver.answer = lambda _: ReceiverAnswer(200)
    registry.change(hook.id, WebhookChange(enabled=True, url="https://elsewhere.invalid/"))
    await dispatch(dispatcher)
    assert [one.url for one in receiver.posted] == [URL, "https://elsewhere.invalid/"]
    assert len(set(receiver.ids)) == 1


async def test_a_dead_letter_is_sent_again_under_its_id(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(store, clock)
    for _ in range(MOST_ATTEMPTS):
        await dispatch(dispatcher)
        clock.seconds += 1e6
    (dead,) = registry.deliveries(hook.id, "dead", 10)
    receiver.answer = lambda _: ReceiverAnswer(200)
    again = registry.resend(hook.id, dead.id)
    assert (again.state, again.attempts) == ("pending", 0)
    await dispatch(dispatcher)
    assert set(receiver.ids) == {dead.id}
    (told,) = registry.deliveries(hook.id, None, 10)
    assert (told.state, told.attempts, told.last_error) == ("delivered", 1, None)


async def test_what_is_kept_of_an_error_is_short(
    store: Store, registry: Registry, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction", "outcome")
    answers: list[ReceiverAnswer | WebhookError] = [
        NoAnswerError("x" * 70_000),
        ReceiverAnswer(500, excerpt="y" * 1_000),
    ]
    receiver.answer = lambda _: answers.pop()
    play(store, clock)
    await dispatch(dispatcher_of(store, receiver, clock))
    errors = [one.last_error or "" for one in registry.deliveries(hook.id, "pending", 10)]
    assert [len(error) for error in errors] == [LONGEST_ERROR] * 2


# --- what changes meanwhile --------------------------------------------------------------------


async def test_what_is_sent_again_while_it_is_being_sent_is_sent_again(
    any_store: Store, clock: Clock
):
    """Whatever comes of the attempt that was running: it tells of the one before."""
    registry, receiver = Registry(any_store, clock), SlowReceiver()
    hook = registered(registry, "prediction", url=SLOW)
    play(any_store, clock)
    dispatcher = dispatcher_of(any_store, receiver, clock)
    await dispatcher.look()
    await until(lambda: receiver.waiting == 1)
    (running,) = registry.deliveries(hook.id, None, 10)
    registry.resend(hook.id, running.id)
    receiver.released.set()
    await dispatcher.settle()
    (told,) = registry.deliveries(hook.id, None, 10)
    assert (told.state, told.attempts) == ("pending", 0)
    await dispatch(dispatcher)
    assert receiver.ids == [running.id] * 2
    (told,) = registry.deliveries(hook.id, None, 10)
    assert (told.state, told.attempts) == ("delivered", 1)


@pytest.mark.parametrize("late", [ReceiverAnswer(500), ReceiverAnswer(410)], ids=str)
async def test_of_two_dispatchers_the_later_one_changes_nothing(
    late: ReceiverAnswer, any_store: Store, receiver: FakeReceiver, clock: Clock
):
    registry, slow = Registry(any_store, clock), SlowReceiver()
    slow.answer = lambda _: late
    hook = registered(registry, "prediction", url=SLOW)
    play(any_store, clock)
    first, second = (dispatcher_of(any_store, one, clock) for one in (slow, receiver))
    await first.look()
    await until(lambda: slow.waiting == 1)
    await dispatch(second)
    before = registry.deliveries(hook.id, None, 10)
    assert before[0].state == "delivered"
    clock.seconds += 5
    slow.released.set()
    await first.settle()
    assert slow.ids == receiver.ids
    assert registry.deliveries(hook.id, None, 10) == before


async def held(store: Store, dispatcher: Dispatcher, receiver: SlowReceiver) -> None:
    """So many as may be are being sent, and others are held behind them."""
    await dispatcher.look()
    await until(lambda: receiver.waiting == SENDINGS_EACH)
    assert store.webhooks.pending_count() > HELD_EACH > SENDINGS_EACH


@pytest.mark.parametrize("how", ["disabled", "deleted", "gone"])
async def test_what_is_held_is_not_sent_once_nothing_is_to_be(
    how: str, store: Store, registry: Registry, clock: Clock
):
    receiver = SlowReceiver()
    hook = registered(registry, "score", url=SLOW)
    play(store, clock)
    dispatcher = dispatcher_of(store, receiver, clock)
    await held(store, dispatcher, receiver)
    if how == "disabled":
        registry.change(hook.id, WebhookChange(enabled=False))
    elif how == "deleted":
        registry.delete(hook.id)
    else:
        receiver.answer = lambda _: ReceiverAnswer(410)
    receiver.released.set()
    await dispatcher.settle()
    assert len(receiver.posted) == SENDINGS_EACH
    await dispatch(dispatcher)
    assert len(receiver.posted) == SENDINGS_EACH


async def test_what_is_held_waits_for_a_webhook_that_is_switched_off_and_on(
    store: Store, registry: Registry, clock: Clock
):
    receiver = SlowReceiver()
    hook = registered(registry, "score", url=SLOW)
    play(store, clock)
    dispatcher = dispatcher_of(store, receiver, clock)
    await held(store, dispatcher, receiver)
    registry.change(hook.id, WebhookChange(enabled=False))
    receiver.released.set()
    await dispatcher.settle()
    registry.change(hook.id, WebhookChange(enabled=True))
    for _ in range(2):
        await dispatch(dispatcher)
    assert len(receiver.ids) == len(set(receiver.ids)) == 50


async def test_what_is_held_goes_to_the_new_url_signed_with_the_new_secret(
    store: Store, registry: Registry, clock: Clock
):
    receiver = SlowReceiver()
    hook = registered(registry, "score", url=SLOW)
    play(store, clock)
    dispatcher = dispatcher_of(store, receiver, clock)
    await held(store, dispatcher, receiver)
    registry.change(hook.id, WebhookChange(url=URL))
    new = registry.rotate(hook.id)
    receiver.released.set()
    await dispatcher.settle()
    later = [one for one in receiver.posted if one.url == URL]
    assert len(later) == HELD_EACH - SENDINGS_EACH
    for one in later:
        assert verify(new.secret, one.headers, one.body, now=clock()) == one.id


async def test_one_that_has_moved_is_not_gone_for_its_old_url_says_so(
    store: Store, registry: Registry, clock: Clock
):
    receiver = SlowReceiver()
    receiver.answer = lambda url: ReceiverAnswer(410 if url == SLOW else 200)
    hook = registered(registry, "score", url=SLOW)
    play(store, clock)
    dispatcher = dispatcher_of(store, receiver, clock)
    await held(store, dispatcher, receiver)
    registry.change(hook.id, WebhookChange(url=URL))
    receiver.released.set()
    await dispatcher.settle()
    for _ in range(2):
        await dispatch(dispatcher)
    assert registry.get(hook.id).enabled
    assert len(registry.deliveries(hook.id, "dead", 100)) == SENDINGS_EACH
    assert len(registry.deliveries(hook.id, "delivered", 100)) == 50 - SENDINGS_EACH


async def test_a_webhook_that_cannot_be_read_at_its_turn_waits(
    store: Store,
    registry: Registry,
    dispatcher: Dispatcher,
    receiver: FakeReceiver,
    clock: Clock,
):
    hook = registered(registry, "prediction")
    play(store, clock)

    def fail(_: str) -> WebhookRecord:
        raise StoreUnavailableError("away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.webhooks, "get", fail)
        await dispatch(dispatcher)
    assert receiver.posted == []
    await dispatch(dispatcher)
    assert [one.state for one in registry.deliveries(hook.id, None, 10)] == ["delivered"]


# --- crashes ---------------------------------------------------------------------------------


async def test_a_crash_between_sending_and_writing_repeats_with_the_same_id(
    store: Store, registry: Registry, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction", "outcome")
    play(store, clock)
    dying = dispatcher_of(store, receiver, clock)
    await dying.look()
    await until(lambda: len(receiver.posted) == 2)  # and it is never heard of again
    assert {one.state for one in registry.deliveries(hook.id, None, 10)} == {"pending"}
    await dispatch(dispatcher_of(store, receiver, clock))
    assert receiver.ids[2:] == receiver.ids[:2]
    assert receiver.posted[0].body == receiver.posted[2].body
    assert {one.state for one in registry.deliveries(hook.id, None, 10)} == {"delivered"}
    await dispatch(dispatcher_of(store, receiver, clock))
    assert len(receiver.posted) == 4


async def test_a_store_that_is_away_after_the_sending_is_told_later(
    store: Store,
    registry: Registry,
    dispatcher: Dispatcher,
    receiver: FakeReceiver,
    clock: Clock,
):
    hook = registered(registry, "prediction")
    play(store, clock)
    await dispatcher.look()
    await until(lambda: len(receiver.posted) == 1)

    def fail(_: object) -> None:
        raise StoreUnavailableError("away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.deliveries, "record", fail)
        for _ in range(3):
            with pytest.raises(StoreUnavailableError):
                await dispatcher.look()
    await dispatch(dispatcher)
    assert len(receiver.posted) == 1
    assert registry.deliveries(hook.id, None, 1)[0].state == "delivered"


async def test_what_cannot_be_taken_does_not_hold_up_what_was(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver
):
    hook = registered(registry, "prediction")
    sent = registry.test(hook.id)

    def fail(seq: int, limit: int) -> list[JournalRow]:
        raise StoreUnavailableError("the journal is away")

    store.journal.after = fail  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError, match="journal"):
        await dispatcher.look()
    await dispatcher.settle()
    assert receiver.ids == [sent.id]


async def test_it_runs_through_failures_and_looks_when_it_is_woken(
    store: Store,
    registry: Registry,
    receiver: FakeReceiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
):
    failing = iter([StoreUnavailableError("away"), RuntimeError("a defect")])
    enabled = store.webhooks.enabled

    def fail_twice() -> Sequence[WebhookRecord]:
        if (error := next(failing, None)) is not None:
            raise error
        return enabled()

    monkeypatch.setattr(store.webhooks, "enabled", fail_twice)
    dispatcher = dispatcher_of(store, receiver, clock)
    running = asyncio.create_task(dispatcher.run())
    registered(registry, "prediction")
    play(store, clock)
    async with asyncio.timeout(15):
        while not receiver.posted:
            dispatcher.wake()
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert dispatcher.is_heard


async def test_a_defect_of_the_sender_is_tried_again_and_told_to_nobody(
    store: Store, registry: Registry, clock: Clock, caplog: pytest.LogCaptureFixture
):
    async def broken(_: str, __: Mapping[str, str], ___: bytes) -> ReceiverAnswer:
        raise ZeroDivisionError("of the service")

    hook = registered(registry, "prediction")
    play(store, clock)
    dispatcher = Dispatcher(store, broken, now=clock)
    await dispatch(dispatcher)
    (told,) = registry.deliveries(hook.id, "pending", 10)
    assert told.last_error == "a defect of the service; its log says more"
    assert "ZeroDivisionError" in caplog.text
    assert hook.secret not in caplog.text


# --- many --------------------------------------------------------------------------------------


async def test_one_that_is_slow_holds_up_nobody_else(
    store: Store, registry: Registry, clock: Clock
):
    receiver = SlowReceiver()
    slow = registered(registry, "score", url=SLOW)
    quick = registered(registry, "score", url="https://receiver.invalid/quick")
    play(store, clock)
    dispatcher = dispatcher_of(store, receiver, clock)
    running = asyncio.create_task(dispatcher.run())
    await until(lambda: len(receiver.posted) == 50 and receiver.waiting == SENDINGS_EACH)
    assert {one.url for one in receiver.posted} == {quick.url}
    assert len(receiver.verified(quick.secret, clock())) == 50
    receiver.released.set()
    await until(lambda: len(receiver.posted) == 100)
    assert len(set(receiver.ids)) == 100
    await until(lambda: not store.webhooks.pending_count())
    running.cancel()
    assert len(registry.deliveries(slow.id, "delivered", 100)) == 50


async def test_they_begin_in_the_order_of_the_journal(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    registered(registry, "score")
    play(store, clock)
    await dispatch(dispatcher)
    numbers = [json.loads(posted.body)["data"]["seq"] for posted in receiver.posted]
    assert len(numbers) == HELD_EACH
    assert numbers == sorted(numbers)


# --- secrets -----------------------------------------------------------------------------------


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    new = registry.rotate(hook.id)
    assert new.secret != hook.secret
    play(store, clock)
    await dispatch(dispatcher)
    (posted,) = receiver.posted
    for secret in (hook.secret, new.secret):
        assert verify(secret, posted.headers, posted.body, now=clock()) == posted.id
    clock.seconds += BOTH_SIGN_SECONDS
    assert registry.get(hook.id).previous_secret_until is None
    play(store, clock, "g2")
    await dispatch(dispatcher)
    later = receiver.posted[1]
    assert verify(new.secret, later.headers, later.body, now=clock()) == later.id
    with pytest.raises(SignatureError):
        verify(hook.secret, later.headers, later.body, now=clock())


# --- what is kept --------------------------------------------------------------------------------


async def test_what_was_delivered_long_ago_is_forgotten(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    play(store, clock)
    await dispatch(dispatcher)
    clock.seconds += DELIVERED_KEPT_SECONDS - 1
    await dispatch(dispatcher)
    assert len(registry.deliveries(hook.id, None, 10)) == 1
    clock.seconds += 3_602
    await dispatch(dispatcher)
    assert registry.deliveries(hook.id, None, 10) == []
    assert len(receiver.posted) == 1


async def test_what_is_dead_is_kept_for_longer(
    any_store: Store, receiver: FakeReceiver, clock: Clock
):
    registry = Registry(any_store, clock)
    dispatcher = dispatcher_of(any_store, receiver, clock)
    hook = registered(registry, "prediction", "outcome")
    answers = iter([ReceiverAnswer(200)])
    receiver.answer = lambda _: next(answers, ReceiverAnswer(500))
    play(any_store, clock)
    begun = clock()
    for _ in range(MOST_ATTEMPTS):
        await dispatch(dispatcher)
        clock.seconds += 1.1e5  # beyond the longest delay
    clock.seconds = begun + DEAD_KEPT_SECONDS - 1
    await dispatch(dispatcher)
    assert [one.state for one in registry.deliveries(hook.id, None, 10)] == ["dead"]
    clock.seconds += 3_602
    await dispatch(dispatcher)
    assert registry.deliveries(hook.id, None, 10) == []


async def test_what_waits_for_a_disabled_webhook_is_forgotten_with_the_dead(
    any_store: Store, receiver: FakeReceiver, clock: Clock
):
    registry = Registry(any_store, clock)
    dispatcher = dispatcher_of(any_store, receiver, clock)
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(any_store, clock)
    await dispatch(dispatcher)
    registry.change(hook.id, WebhookChange(enabled=False))
    clock.seconds += DEAD_KEPT_SECONDS - 1
    await dispatch(dispatcher)
    assert len(registry.deliveries(hook.id, "pending", 10)) == 1
    clock.seconds += 3_602
    await dispatch(dispatcher)
    assert registry.deliveries(hook.id, None, 10) == []


async def test_what_is_restarted_as_it_is_about_to_be_forgotten_stays(
    any_store: Store, receiver: FakeReceiver, clock: Clock
):
    registry = Registry(any_store, clock)
    hook = registered(registry, "prediction", "outcome")
    play(any_store, clock)
    await dispatch(dispatcher_of(any_store, receiver, clock))
    later = clock() + DEAD_KEPT_SECONDS
    found = any_store.deliveries.forgettable(later, later, 10)
    assert sorted(found) == sorted(receiver.ids)
    registry.resend(hook.id, found[0])
    with any_store.writing():
        any_store.deliveries.forget(found)
    assert [one.id for one in registry.deliveries(hook.id, None, 10)] == found[:1]


async def test_what_is_to_be_forgotten_is_searched_before_others_have_to_wait(
    store: Store, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
):
    search = store.deliveries.forgettable
    searched: list[int] = []

    def outside(delivered_before: float, before: float, limit: int) -> list[str]:
        with pytest.raises(RuntimeError, match="inside `writing`"):
            store.database.transaction  # noqa: B018
        searched.append(limit)
        return search(delivered_before, before, limit)

    monkeypatch.setattr(store.deliveries, "forgettable", outside)
    await dispatch(dispatcher)
    assert searched == [FORGET_ROWS]


def test_each_part_of_that_search_has_an_index(store: Store):
    said: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        said.append((statement, parameters))

    store.deliveries.position()  # opens the store
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        store.deliveries.forgettable(1.0, 1.0, FORGET_ROWS)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    statement, parameters = said[-1]
    with store.database.reading() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = "\n".join(step[3] for step in steps)
    for index in ("by_webhook", "delivered", "dead"):
        assert f"webhook_deliveries_{index} (webhook_id=? AND created_at<?)" in plan, plan
    assert "webhook_deliveries_by_webhook (webhook_id=?)" in plan, plan
    assert "SCAN webhook_deliveries" not in plan, plan


async def test_what_waits_is_never_forgotten(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "prediction")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(store, clock)
    await dispatch(dispatcher)
    clock.seconds += DEAD_KEPT_SECONDS + 3_602
    await dispatch(dispatcher)
    assert [one.attempts for one in registry.deliveries(hook.id, "pending", 10)] == [2]


async def test_a_deleted_webhook_goes_with_its_deliveries(
    store: Store, registry: Registry, dispatcher: Dispatcher, receiver: FakeReceiver, clock: Clock
):
    hook = registered(registry, "score")
    receiver.answer = lambda _: ReceiverAnswer(500)
    play(store, clock)
    await dispatch(dispatcher)
    assert store.webhooks.pending_count() == 50
    registry.delete(hook.id)
    assert store.webhooks.pending_count() == 0
    sent = len(receiver.posted)
    clock.seconds += 3_602
    await dispatch(dispatcher)
    assert len(receiver.posted) == sent
    assert store.deliveries.newest(hook.id, None, 10) == []
