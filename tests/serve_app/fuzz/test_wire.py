import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

from serve_app.fuzz import wire


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose application takes any body, so that what is refused is HTTP itself."""
    app = FastAPI()

    @app.post("/predict")
    async def predict() -> str:
        return "taken"

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def test_what_is_no_http_is_refused_or_ends(port: int):
    good = f"{wire.HEAD}{wire.LENGTH}\r\n{wire.BODY}"
    assert await asyncio.to_thread(wire.answers, port, good) == [200]
    assert await asyncio.to_thread(wire.answers, port, good + good) == [200, 200]
    for name in ("a length that is no number", "two lengths", "no HTTP at all"):
        statuses = await asyncio.to_thread(wire.answers, port, wire.REQUESTS[name])
        assert statuses == [400], name
    torn = wire.REQUESTS["half a request line"]
    assert await asyncio.to_thread(wire.answers, port, torn, 0.2) == []
