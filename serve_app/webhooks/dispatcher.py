"""The dispatcher: takes what is new, sends what is due, keeps what came of it.

An event is delivered at least once, always under the same id: whatever dies between the sending and
the writing of its result, the delivery is still pending and is sent again. Each webhook has a few
sendings of its own, so one slow receiver holds up nobody else, and what waits stays in the store.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from random import Random
from typing import Literal

from serve_app.storage.deliveries import AttemptResult, DueDelivery
from serve_app.storage.errors import StaleWriteError, StoreError
from serve_app.storage.store import Store
from serve_app.storage.webhooks import WebhookRecord
from serve_app.webhooks.errors import NoAnswerError, WebhookError
from serve_app.webhooks.intake import Intake
from serve_app.webhooks.schedule import delay_after
from serve_app.webhooks.sender import ReceiverAnswer
from serve_app.webhooks.signature import signed_headers

logger = logging.getLogger(__name__)

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[ReceiverAnswer]]
Outcome = Literal["delivered", "failed", "dead"]

SENDINGS_EACH = 8
HELD_EACH = 32  # deliveries of one webhook in memory: being sent, or next
POLL_SECONDS = 1.0
# What happens within so many seconds is looked at together.
PACE_SECONDS = 0.02
DELIVERED_KEPT_SECONDS = 7 * 86_400.0
DEAD_KEPT_SECONDS = 30 * 86_400.0
FORGET_EVERY_SECONDS = 3_600.0
FORGET_ROWS = 500
LONGEST_ERROR = 300  # characters

GONE = 410
ASKS_TO_WAIT = (429, 503)
AGENT = f"halftime-forecaster/{version('halftime-forecaster')}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, for those who count: `outcome` failed is tried again, dead is not."""

    event_type: str
    outcome: Outcome
    seconds: float
    status: int | None


@dataclass(frozen=True, slots=True)
class Turns:
    """What the deliveries of one webhook wait for, each in its order: to be sent, to be begun."""

    sending: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SENDINGS_EACH))
    beginning: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dispatcher:
    """Sends the events of a store to its webhooks by `post`.

    Args:
        store: where webhooks, journal and deliveries are.
        post: how a body is posted; raises WebhookError.
        observe: is told of every attempt.
        now: seconds since the epoch.
        chance: moves the attempts of what failed together apart.
        poll_seconds: how often it looks by itself; `wake` makes it look at once.
    """

    def __init__(
        self,
        store: Store,
        post: Post,
        *,
        observe: Callable[[Attempt], object] = lambda _: None,
        now: Callable[[], float] = time.time,
        chance: Random | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store = store
        self._post = post
        self._observe = observe
        self._now = now
        self._chance = chance or Random()  # noqa: S311 - no secret
        self._poll_seconds = poll_seconds
        self._intake = Intake(store, now=now)
        self._woken = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._held: Counter[str] = Counter()
        self._turns: dict[str, Turns] = {}
        self._results: list[AttemptResult] = []
        self._gone: set[tuple[str, str]] = set()  # webhooks, and the URLs that said so
        self._forget_at = 0.0

    def wake(self) -> None:
        """Look at once: something happened."""
        self._woken.set()

    @property
    def is_heard(self) -> bool:
        """Whether there is a webhook that events are sent to."""
        return self._intake.is_heard

    async def run(self) -> None:
        """Send until cancelled; outlives a store that is away."""
        try:
            while True:
                try:
                    await self.look()
                except StaleWriteError:
                    self.wake()  # another one has read on: read what it left
                except StoreError:
                    logger.warning("webhooks wait: the store does not answer", exc_info=True)
                except Exception:
                    logger.exception("webhooks wait for a moment")
                await asyncio.sleep(PACE_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            for task in self._sending.values():
                task.cancel()

    async def look(self) -> None:
        """Keep what came of sendings, take what is new, begin to send what is due.

        Raises StoreError; what was not kept then is kept the next time.
        """
        await self._keep_results()
        try:
            if await asyncio.to_thread(self._intake.take):
                self.wake()
        finally:  # what cannot be taken must not hold up what was
            for webhook_id, due in await asyncio.to_thread(self._due):
                for delivery in due:
                    self._begin(webhook_id, delivery)
        if self._now() >= self._forget_at:
            forgotten = await asyncio.to_thread(self._forget)
            if forgotten < FORGET_ROWS:
                self._forget_at = self._now() + FORGET_EVERY_SECONDS
            else:
                self.wake()

    async def settle(self) -> None:
        """Wait until what is being sent is sent, and what came of it is kept."""
        while self._sending or self._results:
            await asyncio.gather(*self._sending.values())
            await self._keep_results()

    # --- in a thread: the store ------------------------------------------------------------

    def _due(self) -> list[tuple[str, list[DueDelivery]]]:
        """What is due, as much of each webhook as may be held, with what is held already."""
        now = self._now()
        with self._store.reading():
            return [
                (webhook_id, self._store.deliveries.due(webhook_id, now, HELD_EACH))
                for webhook_id in self._store.webhooks.with_due(now)
                if self._held[webhook_id] < HELD_EACH
            ]

    def _write(self, results: list[AttemptResult], gone: set[tuple[str, str]]) -> None:
        with self._store.writing():
            self._store.deliveries.record(results)
            for webhook_id, url in gone:
                self._store.webhooks.disable(webhook_id, url, "gone")

    def _forget(self) -> int:
        now = self._now()
        chosen = self._store.deliveries.forgettable(
            now - DELIVERED_KEPT_SECONDS, now - DEAD_KEPT_SECONDS, FORGET_ROWS
        )
        with self._store.writing():  # others wait for it, so nothing is searched in it
            self._store.deliveries.forget(chosen)
        return len(chosen)

    # --- sending ---------------------------------------------------------------------------

    async def _keep_results(self) -> None:
        results, gone = self._results[:], set(self._gone)
        if not results:
            return
        await asyncio.to_thread(self._write, results, gone)
        del self._results[: len(results)]
        self._gone -= gone
        for result in results:
            self._sending.pop(result.delivery_id, None)

    def _begin(self, webhook_id: str, delivery: DueDelivery) -> None:
        # One whose result is not kept yet is still due in the store.
        if delivery.delivery_id in self._sending or self._held[webhook_id] >= HELD_EACH:
            return
        self._held[webhook_id] += 1
        turns = self._turns.setdefault(webhook_id, Turns())
        sending = asyncio.create_task(self._send_in_turn(webhook_id, delivery, turns))
        self._sending[delivery.delivery_id] = sending

    async def _send_in_turn(self, webhook_id: str, delivery: DueDelivery, turns: Turns) -> None:
        try:
            async with turns.sending:
                async with turns.beginning:  # threads would answer in any order
                    webhook = await self._sent_to(webhook_id)
                if webhook is None:  # no result comes; it is due for as long as it waits
                    del self._sending[delivery.delivery_id]
                    return
                await self._send(webhook, delivery)
                self.wake()
        finally:
            self._held[webhook_id] -= 1
            if not self._held[webhook_id]:
                del self._held[webhook_id], self._turns[webhook_id]

    async def _sent_to(self, webhook_id: str) -> WebhookRecord | None:
        """A webhook as it is by now, for a turn may come late; None where it is not sent to."""
        try:
            webhook = await asyncio.to_thread(self._store.webhooks.get, webhook_id)
        except Exception:
            logger.warning("webhook %s waits: it cannot be read", webhook_id, exc_info=True)
            return None
        if webhook is None or webhook.disabled is not None:
            return None
        return None if (webhook_id, webhook.url) in self._gone else webhook

    async def _send(self, webhook: WebhookRecord, delivery: DueDelivery) -> None:
        begun, clock = self._now(), time.monotonic()
        body = delivery.body.encode()
        answer: ReceiverAnswer | WebhookError
        try:
            headers = signed_headers(
                webhook.secrets_at(begun), delivery.delivery_id, int(begun), body
            )
            headers |= {"Content-Type": "application/json", "User-Agent": AGENT}
            answer = await self._post(webhook.url, headers, body)
        except WebhookError as error:
            answer = error
        except Exception:
            logger.exception("webhook %s: a defect of the service", webhook.webhook_id)
            answer = NoAnswerError("a defect of the service; its log says more")
        result = self._result(delivery, answer, begun)
        if result.status == GONE:
            logger.warning("webhook %s is gone (410) and is disabled", webhook.webhook_id)
            self._gone.add((webhook.webhook_id, webhook.url))
        self._results.append(result)
        outcome: Outcome = "failed" if result.state == "pending" else result.state
        self._observe(Attempt(delivery.type, outcome, time.monotonic() - clock, result.status))

    def _result(
        self, delivery: DueDelivery, answer: ReceiverAnswer | WebhookError, begun: float
    ) -> AttemptResult:
        """What is to become of a delivery by the answer to it."""
        attempts, now = delivery.attempts + 1, self._now()
        if isinstance(answer, WebhookError):
            status, asked, error = None, None, str(answer)
        else:
            status = answer.status
            asked = answer.retry_after if status in ASKS_TO_WAIT else None
            error = f"{status} {answer.excerpt}".rstrip()
            if 200 <= status < 300:
                return AttemptResult(
                    delivery.delivery_id,
                    "delivered",
                    attempts,
                    delivery.restarts,
                    begun,
                    now,
                    status,
                    None,
                )
        delay = None if status == GONE else delay_after(attempts, asked, self._chance)
        return AttemptResult(
            delivery.delivery_id,
            "dead" if delay is None else "pending",
            attempts,
            delivery.restarts,
            begun,
            now + (delay or 0.0),
            status,
            error[:LONGEST_ERROR],
        )
