"""History: the changes of the last hours, for watchers that come back."""

import time
from collections.abc import Callable, Sequence

from serve_app.live.message import Message, change
from serve_app.storage.journal import Journal

MOST_MESSAGES = 50_000  # a night of 15 games posted every five seconds is some 40,000
KEPT_SECONDS = 23 * 3_600.0
PAGE = 1_000


class History:
    """Reads the journal. Bounded: who was away for longer gets a snapshot sooner than its changes.

    Less than a day, because the journals of games whose last update is a day old may go to the
    archive: in what is younger no row is missing.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        most_messages: int = MOST_MESSAGES,
        seconds: float = KEPT_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._most_messages = most_messages
        self._seconds = seconds
        self._now = now

    def reaches(self, since: int) -> bool:
        """Whether every change after `since`, the seq of one or 0, is known."""
        # An empty journal has seq 0; what came after it is known where the first row is.
        begun = self._journal.time_of(max(since, 1))
        if begun is None or begun < self._now() - self._seconds:
            return False
        return self._journal.last_seq() - since <= self._most_messages

    def after(self, since: int) -> Sequence[Message]:
        """The first changes after `since`, in order; none where there is none."""
        return [change(row) for row in self._journal.after(since, PAGE)]
