"""A watcher that is told on until it has gone, or nothing more is to be told."""

import asyncio
import logging
from typing import NoReturn

import pytest

from serve_app.live.presence import send_while_present
from serve_app.live.subscription import Subscription
from serve_app.live.watcher import Watcher


@pytest.fixture
def watcher() -> Watcher:
    return Watcher(Subscription(), 1, 15.0, lambda: 0)


async def forever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def after(event: asyncio.Event, said: str) -> str:
    await event.wait()
    return said


async def fail(error: Exception) -> NoReturn:
    await asyncio.sleep(0)
    raise error


async def test_what_ends_first_ends_the_other(watcher: Watcher):
    now = asyncio.Event()
    now.set()
    async with asyncio.timeout(10):
        assert await send_while_present(watcher, after(now, "sent"), forever()) == ("sent", None)
        sent, read = await send_while_present(watcher, forever(), after(now, "gone"))
    assert isinstance(sent, asyncio.CancelledError)
    assert read == "gone"


async def test_both_may_end_in_the_same_turn(watcher: Watcher):
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    end = asyncio.Event()
    both = asyncio.ensure_future(
        send_while_present(watcher, after(end, "sent"), after(end, "gone"))
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    end.set()
    async with asyncio.timeout(10):
        _, read = await both
    assert read == "gone"
    assert troubles == []


async def test_an_error_of_sending_is_told_and_one_of_the_connection_logged(
    watcher: Watcher, caplog: pytest.LogCaptureFixture
):
    error = ValueError("no frame")
    async with asyncio.timeout(10):
        assert await send_while_present(watcher, fail(error), forever()) == (error, None)
        assert caplog.records == []
        with caplog.at_level(logging.WARNING):
            sent, read = await send_while_present(watcher, forever(), fail(OSError("reset")))
    assert isinstance(sent, asyncio.CancelledError)
    assert read is None
    assert "reset" in caplog.text


async def test_whoever_waits_for_it_can_be_cancelled(watcher: Watcher):
    ended = asyncio.Event()

    async def send() -> None:
        try:
            await forever()
        finally:
            ended.set()

    task = asyncio.create_task(send_while_present(watcher, send(), forever()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
