"""The journal becomes deliveries: each event once for each webhook, whatever is cut short."""

from dataclasses import replace

import pytest

from serve_app.schemas import WebhookChange
from serve_app.storage.deliveries import Deliveries
from serve_app.storage.errors import StaleWriteError
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.webhooks.intake import STORE_SECONDS, Intake
from serve_app.webhooks.registry import Registry
from tests.serve_app.webhooks.conftest import Clock, play, registered, wanted

ALL = ("game", "score", "prediction", "outcome")


def told(store: Store, webhook_id: str) -> list[str]:
    """The types of what a webhook is to be told, in the order of the journal."""
    found = store.deliveries.newest(webhook_id, None, 1_000)
    return [record.type for record in sorted(found, key=lambda record: record.seq or 0)]


def take_all(intake: Intake) -> None:
    while intake.take():
        pass


def test_it_writes_what_webhooks_hear_and_moves_on(any_store: Store, clock: Clock):
    registry = Registry(any_store, clock)
    some = registered(registry, "prediction", "outcome")
    everything = registered(registry, *ALL)
    play(any_store, clock)
    take_all(Intake(any_store, now=clock, page=7))
    assert told(any_store, some.id) == ["prediction", "outcome"]
    kinds = told(any_store, everything.id)
    assert kinds == [row.type for row in any_store.journal.all_after()]
    assert any_store.deliveries.position() == any_store.journal.last_seq()
    take_all(Intake(any_store, now=clock))
    assert told(any_store, everything.id) == kinds


def test_it_hears_what_comes_after_its_registration(store: Store, registry: Registry, clock: Clock):
    intake = Intake(store, now=clock)
    early = registered(registry, "game")
    play(store, clock, "g1")
    late = registered(registry, "game", "outcome")
    play(store, clock, "g2")
    take_all(intake)
    assert told(store, early.id) == ["game", "game"]
    assert told(store, late.id) == ["game", "outcome"]


def test_what_was_not_taken_when_it_was_switched_off_is_passed_over(
    store: Store, registry: Registry, clock: Clock
):
    intake = Intake(store, now=clock)
    hook = registered(registry, "game")
    play(store, clock, "taken")
    take_all(intake)
    play(store, clock, "missed")
    registry.change(hook.id, WebhookChange(enabled=False))
    take_all(intake)
    registry.change(hook.id, WebhookChange(enabled=True))
    take_all(intake)
    (waiting,) = store.deliveries.newest(hook.id, "pending", 10)
    assert waiting.game_id == "taken"


def test_what_happens_while_it_is_disabled_it_never_hears(
    store: Store, registry: Registry, clock: Clock
):
    intake = Intake(store, now=clock)
    other = registered(registry, "outcome")
    hook = registered(registry, "game")
    registry.change(hook.id, WebhookChange(enabled=False))
    play(store, clock, "g1")
    registry.change(hook.id, WebhookChange(enabled=True))
    play(store, clock, "g2")
    take_all(intake)
    assert [one.game_id for one in registry.deliveries(hook.id, None, 9)] == ["g2"]
    assert told(store, other.id) == ["outcome", "outcome"]


def test_rules_decide_at_the_moment_of_the_event(store: Store, registry: Registry, clock: Clock):
    large = registry.register(wanted("prediction", min_abs_forecast=10.0))
    small = registry.register(wanted("prediction", min_abs_forecast=5.0))
    play(store, clock, point=7.0)
    take_all(Intake(store, now=clock))
    assert told(store, large.id) == []
    assert told(store, small.id) == ["prediction"]


class DyingDeliveries(Deliveries):
    """Dies in the middle of a commit."""

    dies = True

    def move(self, before: int, after: int) -> None:
        super().move(before, after)
        if self.dies:
            raise KeyboardInterrupt


def test_cut_short_in_the_middle_it_begins_again(any_store: Store, clock: Clock):
    registry = Registry(any_store, clock)
    hook = registered(registry, "prediction", "outcome")
    play(any_store, clock)
    dying = DyingDeliveries(any_store.database)
    any_store.deliveries = dying
    with pytest.raises(KeyboardInterrupt):
        Intake(any_store, now=clock).take()
    assert told(any_store, hook.id) == []
    assert any_store.deliveries.position() == 0
    dying.dies = False
    take_all(Intake(any_store, now=clock))
    assert told(any_store, hook.id) == ["prediction", "outcome"]


def test_of_two_at_once_each_event_is_written_once(any_store: Store, clock: Clock):
    registry = Registry(any_store, clock)
    hook = registered(registry, *ALL)
    first, second = Intake(any_store, now=clock), Intake(any_store, now=clock)
    play(any_store, clock, "g1")
    take_all(first)
    play(any_store, clock, "g2")
    take_all(second)
    play(any_store, clock, "g3")
    with pytest.raises(StaleWriteError, match="expected to go on after row"):
        first.take()
    take_all(first)
    assert told(any_store, hook.id) == [row.type for row in any_store.journal.all_after()]


def test_what_nobody_hears_of_costs_no_commit_but_is_noted_after_a_while(
    store: Store, registry: Registry, clock: Clock
):
    intake = Intake(store, now=clock)
    registered(registry, "ended")
    play(store, clock)
    take_all(intake)
    assert store.deliveries.position() == 0
    clock.seconds += STORE_SECONDS
    take_all(intake)
    assert store.deliveries.position() == store.journal.last_seq()


def test_without_a_webhook_nothing_is_read(store: Store, clock: Clock):
    play(store, clock)
    intake = Intake(store, now=clock, page=1)
    assert not intake.take()
    assert not intake.is_heard


def test_a_webhook_that_comes_between_the_rows_and_their_commit_misses_nothing(
    store: Store, registry: Registry, clock: Clock
):
    """The rows are read first, and who is registered after that hears what comes after them."""
    first = registered(registry, "game")
    play(store, clock, "g1")
    read = store.journal.after

    def read_then_register(seq: int, limit: int) -> list[JournalRow]:
        rows = read(seq, limit)
        if not late:
            late.append(registered(registry, "game", "score").id)
        return rows

    late: list[str] = []
    store.journal.after = read_then_register  # type: ignore[method-assign]
    intake = Intake(store, now=clock)
    take_all(intake)
    play(store, clock, "g2")
    take_all(intake)
    assert told(store, first.id) == ["game", "game"]
    assert told(store, late[0]).count("game") == 1


def test_a_changed_record_is_read_back_as_it_is(store: Store, registry: Registry):
    made = registry.register(wanted("revision", "game", forecast_above=2.5))
    record = store.webhooks.get(made.id)
    assert record is not None
    assert record.events == ("game", "revision")
    assert "whsec_" not in repr(record)
    with store.writing():
        store.webhooks.update(replace(record, description="Δ", previous_until=5.0))
    assert store.webhooks.get(made.id) == replace(record, description="Δ", previous_until=5.0)
