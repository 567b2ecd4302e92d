"""When to send: a background thread that rests between attempts while the service is away."""

import logging
import random
import threading
import time
from collections.abc import Callable

from serve_app.client.errors import ClientError, NotAllowedError, ProblemError
from serve_app.client.exchange import Retry
from serve_app.scraper_integration.score_sender import ScoreSender

log = logging.getLogger(__name__)


class SendingLoop:
    """Calls `ScoreSender.send` while there is something to send.

    Args:
        sender: what sends.
        backoff: the waits while the service is away; `attempts` is not used, there is no last.
        linger_seconds: how long work may gather before it is sent.
        background: whether a daemon thread sends; without it `wait` does.
        on_stop: called when nothing is sent any more.
        uniform: draws from [0, 1) for the jitter.
    """

    def __init__(
        self,
        sender: ScoreSender,
        *,
        backoff: Retry,
        linger_seconds: float,
        background: bool,
        on_stop: Callable[[], None],
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self.failures = 0
        """Failed attempts in a row; 0 while the service answers."""
        self._sender = sender
        self._changed = sender.changed
        self._backoff = backoff
        self._linger_seconds = linger_seconds
        self._on_stop = on_stop
        self._uniform = uniform
        self._asked_seconds: float | None = None
        self._hurry = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        if background:
            self._thread = threading.Thread(target=self._run, name="score-sender", daemon=True)
            self._thread.start()

    def wait(self, done: Callable[[], bool], timeout: float) -> bool:
        """Has an attempt made at once and waits for `done`, at most `timeout` seconds.

        Returns whether it is done. In the sending thread itself it does not wait; without a
        thread it sends, and gives up at the first failed attempt.
        """
        if self._thread is None:
            return self._send_until(done, timeout)
        if threading.current_thread() is self._thread:
            return done()
        with self._changed:
            if not done():
                self._hurry = True
                self._changed.notify_all()
            return self._changed.wait_for(done, timeout)

    def stop(self) -> None:
        """Sends nothing more, once a request under way is over."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is None:
            self._on_stop()

    def _send_until(self, done: Callable[[], bool], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline or not self._attempt():
                return done()
        return True

    def _run(self) -> None:
        while self._gather():
            if not self._attempt():
                self._rest()
        self._on_stop()

    def _gather(self) -> bool:
        """Waits for work, and a little for more of it; False when it is time to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._sender.waiting > 0)
            self._pause(self._linger_seconds)
            return not self._stopping

    def _rest(self) -> None:
        wait = self._backoff.wait_seconds(self.failures, self._asked_seconds, self._uniform())
        with self._changed:
            self._pause(min(wait, self._backoff.longest_wait_seconds))

    def _pause(self, seconds: float) -> None:
        self._changed.wait_for(lambda: self._hurry or self._stopping, seconds)
        self._hurry = False

    def _attempt(self) -> bool:
        """One round of sending; False where the rest has to wait."""
        try:
            self._sender.send()
        except ClientError as error:
            asked = error.retry_after_seconds if isinstance(error, ProblemError) else None
            self._note_failure(asked, error)
            return False
        except Exception as defect:
            log.exception("sending failed by a defect of this program; it goes on")
            self._note_failure(None, defect)
            return False
        with self._changed:
            if self.failures:
                log.info(
                    "the service is back after %d failed attempts; %d things wait",
                    self.failures,
                    self._sender.waiting,
                )
            self.failures = 0
            self._changed.notify_all()
        return True

    def _note_failure(self, asked_seconds: float | None, error: Exception) -> None:
        with self._changed:
            self.failures += 1
            self._asked_seconds = asked_seconds
            refused = isinstance(error, NotAllowedError)
            log.log(
                logging.WARNING if self.failures == 1 else logging.INFO,
                "the service %s (attempt %d failed), %d things wait: %s",
                "refuses the API key; nothing is lost meanwhile" if refused else "is away",
                self.failures,
                self._sender.waiting,
                error,
            )
            self._changed.notify_all()
