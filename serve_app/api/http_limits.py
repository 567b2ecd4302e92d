"""Limits that hold for every HTTP request, as ASGI middleware: body size and answer time."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import BodyTooLarge, TimedOut


class BodyLimit:
    """Refuses a body over `max_bytes`, declared or streamed, before it is held in memory."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then call the application with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > self._max_bytes:
            await self._refuse(declared, scope, receive, send)
            return
        received = 0
        messages: list[Message] = []
        while True:
            message = await receive()
            messages.append(message)
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                await self._refuse(f"{received} or more", scope, receive, send)
                return
            if message["type"] != "http.request" or not message.get("more_body", False):
                break

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _refuse(self, got: str, scope: Scope, receive: Receive, send: Send) -> None:
        problem = BodyTooLarge(
            f"the body: expected at most {self._max_bytes} bytes; got {got}",
            max_bytes=self._max_bytes,
        )
        await problem_response(problem)(scope, receive, send)


class TimeLimit:
    """Answers with a problem where an answer has not begun after `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, but not for longer than the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = asyncio.timeout(self._seconds)

        async def begin(message: Message) -> None:
            limit.reschedule(None)  # An answer that has begun may take its time.
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive, begin)
        except TimeoutError:
            if not limit.expired():
                raise
            problem = TimedOut(f"expected an answer within {self._seconds:g} s; it took longer")
            await problem_response(problem)(scope, receive, send)
