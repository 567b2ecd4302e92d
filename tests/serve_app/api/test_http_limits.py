"""The limits by themselves: an application behind them that a test holds back."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import ASGIApp

from serve_app.api.http_limits import Admission, BodyLimit, TimeLimit


class Held:
    """Answers with the length of the body once `release` is set; `entered` counts requests."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.entered = 0
        self.app = FastAPI()
        self.app.post("/held")(self._answer)
        self.app.get("/health")(self._health)

    async def _answer(self, request: Request) -> int:
        self.entered += 1
        await self.release.wait()
        return len(await request.body())

    async def _health(self) -> str:
        return "ok"

    async def entering(self, requests: int) -> None:
        async with asyncio.timeout(10):
            while self.entered < requests:
                await asyncio.sleep(0)


@pytest.fixture
async def held() -> Held:
    return Held()


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def expect_overloaded(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:problem:overloaded"


async def test_one_request_too_many_is_refused_until_there_is_room(held: Held):
    async with client(Admission(held.app, max_requests=2)) as http:
        under_way = [asyncio.create_task(http.post("/held")) for _ in range(2)]
        await held.entering(2)
        expect_overloaded(await http.post("/held"))
        assert (await http.get("/health")).json() == "ok"
        held.release.set()
        assert [(await task).status_code for task in under_way] == [200, 200]
        assert (await http.post("/held")).status_code == 200
        assert held.entered == 3


async def test_a_request_that_is_given_up_makes_room(held: Held):
    async with client(Admission(held.app, max_requests=1)) as http:
        gone = asyncio.create_task(http.post("/held"))
        await held.entering(1)
        gone.cancel()
        await asyncio.wait({gone})
        held.release.set()
        assert (await http.post("/held")).status_code == 200


async def test_a_refused_request_is_not_read(held: Held):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000
            await asyncio.sleep(0)

    async with client(Admission(held.app, max_requests=1)) as http:
        under_way = asyncio.create_task(http.post("/held"))
        await held.entering(1)
        async with asyncio.timeout(10):
            expect_overloaded(await http.post("/held", content=endless()))
        held.release.set()
        await under_way


async def test_all_bodies_together_are_bounded(held: Held):
    limited = BodyLimit(held.app, max_bytes=1_000, max_held_bytes=2_500)
    async with client(limited) as http:
        holding = [asyncio.create_task(http.post("/held", content=b"x" * 1_000)) for _ in range(2)]
        await held.entering(2)
        expect_overloaded(await http.post("/held", content=b"x" * 501))
        held.release.set()
        assert [(await task).json() for task in holding] == [1_000, 1_000]
        assert (await http.post("/held", content=b"x" * 1_000)).json() == 1_000


@pytest.mark.parametrize("declared", ["1001", "9" * 5_000, "0001001"])
async def test_a_declared_length_over_the_limit_is_refused_at_once(held: Held, declared: str):
    async with client(BodyLimit(held.app, max_bytes=1_000, max_held_bytes=2_500)) as http:
        answer = await http.post("/held", content=b"x", headers={"content-length": declared})
        assert answer.json()["type"] == "urn:problem:payload_too_large"
        assert len(answer.content) < 500
        assert held.entered == 0


async def test_a_body_in_the_smallest_parts_takes_little_more_than_its_bytes():
    length = 20_000
    sent = 0
    peak = 0
    bodies: list[bytes] = []

    async def receive() -> dict[str, object]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b"x", "more_body": sent < length}

    async def app(_: object, receive: object, __: object) -> None:
        nonlocal peak
        assert callable(receive)
        peak = tracemalloc.get_traced_memory()[1]
        message = await receive()
        assert not message["more_body"]
        bodies.append(message["body"])

    async def send(_: object) -> None:
        raise AssertionError

    limited = BodyLimit(app, max_bytes=length, max_held_bytes=length)
    tracemalloc.start()
    try:
        await limited({"type": "http", "path": "/x", "headers": []}, receive, send)
    finally:
        tracemalloc.stop()
    assert bodies == [b"x" * length]
    assert peak < 10 * length


async def test_who_leaves_in_the_middle_of_a_body_is_reported_as_gone():
    coming = parts(
        {"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}
    )
    heard: list[object] = []

    async def receive() -> dict[str, object]:
        return next(iter(coming))

    async def app(_: object, receive: object, __: object) -> None:
        assert callable(receive)
        heard.append(await receive())

    async def send(_: object) -> None:
        raise AssertionError

    scope = {"type": "http", "path": "/x", "headers": []}
    await BodyLimit(app, max_bytes=10, max_held_bytes=10)(scope, receive, send)
    assert heard == [{"type": "http.disconnect"}]


def parts(*messages: dict[str, object]) -> Iterable[dict[str, object]]:
    return iter(messages)


async def test_a_body_that_never_comes_is_the_callers_fault_and_not_read_for_ever(held: Held):
    limited = TimeLimit(BodyLimit(held.app, max_bytes=1_000, max_held_bytes=2_500), seconds=0.05)
    sent: list[dict[str, object]] = []
    coming = parts({"type": "http.request", "body": b"[", "more_body": True})

    async def receive() -> dict[str, object]:
        for message in coming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/held", "headers": []}
    async with asyncio.timeout(10):
        await limited(scope, receive, send)
    assert sent[0]["status"] == 408
    assert b"urn:problem:slow_body" in sent[1]["body"]  # type: ignore[operator]


async def test_an_answer_that_nobody_takes_ends(held: Held):
    """The slot of a request is not held by a client that reads nothing of a long answer."""

    async def endless(_: object, __: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    taken = 0

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        nonlocal taken
        taken += 1
        if taken > 5:
            await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    async with asyncio.timeout(10):
        await TimeLimit(endless, seconds=0.05)(scope, receive, send)
    assert taken == 6
