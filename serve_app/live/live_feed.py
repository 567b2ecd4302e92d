"""The live feed over HTTP: as a WebSocket and as server-sent events, the same messages.

A client that does not keep up is dropped, never waited for: it comes back and goes on from the
last message that it took.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from starlette.routing import WebSocketRoute

from serve_app.access.access import Access
from serve_app.access.guarded_api import GuardedAPI
from serve_app.api.problem_answers import answer_problems
from serve_app.api.problems import ServiceProblem
from serve_app.live.asyncapi import asyncapi
from serve_app.live.broadcast import Broadcast
from serve_app.live.event_stream import EventStream
from serve_app.live.socket_stream import deny, stream_to
from serve_app.live.subscription import subscription_of

# How long one message may wait for a client to take what was sent before.
PATIENCE_SECONDS = 20.0


def build_feed(
    broadcast: Broadcast,
    access: Access | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> FastAPI:
    """The application of the feed: its routes are below the route prefix of its deployment.

    Nothing guards it without `access`; what is `beside` runs for as long as the feed does.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(run()) for run in (broadcast.run, *beside)]
        yield
        for task in tasks:
            task.cancel()
        broadcast.finish()

    feed = GuardedAPI(
        access=access, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    answer_problems(feed)

    async def live(socket: WebSocket) -> None:
        try:
            subscription = subscription_of(socket.query_params)
            async with broadcast.watch(subscription) as watcher:
                await stream_to(socket, watcher, patience_seconds)
        except ServiceProblem as problem:
            await deny(socket, problem)

    # Starlette's own route: FastAPI's keeps some 4 KiB more for as long as a watcher stays.
    feed.router.routes.append(WebSocketRoute("/live", live))

    @feed.get("/events")
    async def events(request: Request) -> Response:
        subscription = subscription_of(request.query_params, request.headers.get("last-event-id"))
        return EventStream(lambda: broadcast.watch(subscription), patience_seconds)

    @feed.get("/asyncapi.json")
    async def description() -> dict[str, Any]:
        return asyncapi()

    return feed
