"""The intake: new rows of the journal become deliveries of the webhooks that hear of them.

The journal is the outbox: its rows are committed with the state that they tell of. They are read
after a place that is stored, and what is to be sent of them is written in the transaction that
moves the place. Of two that read at once the later one writes nothing and reads again.
"""

import time
from collections.abc import Callable

from serve_app.storage.errors import StaleWriteError
from serve_app.storage.store import Store
from serve_app.webhooks.event import deliveries_of

PAGE = 200  # rows read at a time, and the most that one commit is about
# A place that was moved past rows of which nobody hears is stored this late at most: reading them
# again costs little, and each commit makes others wait.
STORE_SECONDS = 10.0


class Intake:
    """Reads the journal for the webhooks of a store; `is_heard` by one, when it last looked."""

    def __init__(
        self, store: Store, *, now: Callable[[], float] = time.time, page: int = PAGE
    ) -> None:
        self._store = store
        self._now = now
        self._page = page
        self._stored: int | None = None
        self._position = 0
        self._stored_at = 0.0
        self.is_heard = False

    def take(self) -> bool:
        """Take one page of the journal; whether there may be more. Raises StoreError."""
        # With nobody to hear, nothing is read: who is registered hears what comes after.
        webhooks = self._store.webhooks.enabled()
        self.is_heard = bool(webhooks)
        if not webhooks:
            return False
        try:
            return self._take(min(webhook.after_seq for webhook in webhooks))
        except StaleWriteError:
            self._stored = None
            raise

    def _take(self, first_heard: int) -> bool:
        if self._stored is None:
            self._stored = self._position = self._store.deliveries.position()
            self._stored_at = self._now()
        start = max(self._position, first_heard)
        rows = self._store.journal.after(start, self._page)
        last = rows[-1].seq if rows else start
        # After the rows: who is registered or changed later hears what comes after them.
        webhooks = self._store.webhooks.enabled()
        news = [delivery for row in rows for delivery in deliveries_of(row, webhooks)]
        if news or (last > self._stored and self._now() - self._stored_at >= STORE_SECONDS):
            with self._store.writing():
                self._store.deliveries.move(self._stored, last)
                self._store.deliveries.add(news)
            self._stored, self._stored_at = last, self._now()
        self._position = last
        return len(rows) == self._page
