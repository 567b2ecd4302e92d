"""The time a watcher is there: it is told on until it has gone, or nothing more is to be told."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from serve_app.live.watcher import Watcher

logger = logging.getLogger(__name__)

SentT = TypeVar("SentT")
ReadT = TypeVar("ReadT")


async def send_while_present(
    watcher: Watcher, sending: Coroutine[Any, Any, SentT], reading: Coroutine[Any, Any, ReadT]
) -> tuple[SentT | BaseException, ReadT | None]:
    """Send and read until one of them ends, or the watcher is overrun.

    The answer is what sending came to, an error as it is and CancelledError where it was not at its
    end, and what reading did, None where it was not or the connection broke.
    """
    read = None
    # One task beside the caller's own: idle watchers are many, and each task is a KiB or two.
    task = asyncio.create_task(sending)
    watcher.when_overrun(task.cancel)  # it may hang in a send
    try:
        async with asyncio.timeout(None) as present:
            task.add_done_callback(partial(_end, present))
            read = await reading
    except Exception as error:  # noqa: BLE001 - whatever the server raises of a connection
        if not present.expired():
            logger.warning("a watcher's connection broke: %r", error)
    finally:
        task.cancel()
        (sent,) = await asyncio.gather(task, return_exceptions=True)
    return sent, read


def _end(present: asyncio.Timeout, _: "asyncio.Task[Any]") -> None:
    with suppress(RuntimeError):  # reading was at its end first
        present.reschedule(asyncio.get_running_loop().time())
