"""A watcher of the live feed that comes back whenever it is cut off, and keeps what it saw."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import websockets
from pydantic import TypeAdapter

from serve_app.chaos.ledger import Ledger, Span
from serve_app.schemas import GameView, Prediction

RETRY_SECONDS = 0.1
OPEN_SECONDS = 5.0
GAME_VIEWS = TypeAdapter(list[GameView])

# A connection that breaks off is what is expected here; the library would log each with a trace.
_silent = logging.getLogger("serve_app.chaos.feed")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class FeedWatcher:
    """Writes every prediction that the feed shows into the ledger.

    `gaps` are the times in which it had lost the feed: from the break to the next snapshot.
    """

    def __init__(self, url: str, ledger: Ledger, now: Callable[[], float]) -> None:
        self._url = url
        self._ledger = ledger
        self._now = now
        self._lost_at: float | None = now()
        self.gaps: list[Span] = []
        self.messages = 0

    @property
    def watching(self) -> bool:
        """Whether it has the feed, as far as it knows."""
        return self._lost_at is None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while inside."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError, websockets.WebSocketException):
                async with websockets.connect(
                    self._url,
                    max_size=None,
                    proxy=None,
                    open_timeout=OPEN_SECONDS,
                    logger=_silent,
                ) as socket:
                    async for text in socket:
                        self.take(text)
            if self._lost_at is None:
                self._lost_at = self._now()
            await asyncio.sleep(RETRY_SECONDS)

    def take(self, text: str | bytes) -> None:
        """Take one message of the feed."""
        message = json.loads(text)
        self.messages += 1
        if message["type"] == "snapshot":
            if self._lost_at is not None:
                self.gaps.append(Span(self._lost_at, self._now()))
                self._lost_at = None
            for view in GAME_VIEWS.validate_python(message["games"]):
                if view.prediction is not None:
                    self._ledger.saw(view.prediction)
        elif message["type"] == "prediction":
            prediction = Prediction.model_validate(message["prediction"])
            self._ledger.saw(prediction, message["seq"])
