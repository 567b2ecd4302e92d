"""Limits that hold for every HTTP request, as ASGI middleware: number, body size, answer time.

Beyond a limit the answer is a problem, and nothing more of the request is kept.
"""

import asyncio
import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.api.body_form import form_problem
from serve_app.api.connection import abort_connection
from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import BodyTooLarge, Overloaded, ServiceProblem, SlowBody, TimedOut

logger = logging.getLogger(__name__)

# Answered however much there is to do: whoever asks it restarts what does not answer.
ALWAYS_ADMITTED = frozenset({"/health"})
# Set in the scope of a request once its body is here.
BODY_READ = "halftime.body_read"


class Admission:
    """Refuses a request while `max_requests` others are under way, before its body is read."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._max_requests = max_requests
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application where there is room for one more request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_ADMITTED:
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._max_requests:
            problem = Overloaded(
                f"expected at most {self._max_requests} requests at once; this is one more",
                max_requests=self._max_requests,
            )
            await problem_response(problem)(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


class BodyLimit:
    """Refuses a body over `max_bytes`, declared or streamed, before it is held in memory.

    All bodies that are held at once may have `max_held_bytes`: one that goes beyond is refused.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_held_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then call the application with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and _above(declared, self._max_bytes):
            await problem_response(self._too_large(declared))(scope, receive, send)
            return
        body = bytearray()  # not its messages: one of a single byte takes hundreds
        held = 0
        try:
            while True:
                message = await receive()
                part = message.get("body", b"")
                held += len(part)
                self._held_bytes += len(part)
                problem = self._problem(held)
                if problem is not None:
                    body.clear()
                    await problem_response(problem)(scope, receive, send)
                    return
                body += part
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
            scope[BODY_READ] = True
            if message["type"] == "http.request":
                message = {"type": "http.request", "body": bytes(body), "more_body": False}
            body.clear()
            problem = form_problem(headers, message.get("body", b""))
            if problem is not None:
                await problem_response(problem)(scope, receive, send)
                return
            await self._app(scope, _once(message, receive), send)
        finally:
            self._held_bytes -= held

    def _problem(self, received: int) -> ServiceProblem | None:
        """What is wrong with a body of so many bytes so far."""
        if received > self._max_bytes:
            return self._too_large(f"{received} or more")
        if self._held_bytes > self._max_held_bytes:
            return Overloaded(
                f"all bodies at once: expected at most {self._max_held_bytes} bytes; this is more",
                max_held_bytes=self._max_held_bytes,
            )
        return None

    def _too_large(self, got: str) -> ServiceProblem:
        return BodyTooLarge(
            f"the body: expected at most {self._max_bytes} bytes; got {got[:20]}",
            max_bytes=self._max_bytes,
        )


def _once(message: Message, receive: Receive) -> Receive:
    """Gives this message first, and then what comes."""
    messages = [message]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _above(digits: str, limit: int) -> bool:
    """Whether a number is above a limit, however many digits it has."""
    digits = digits.lstrip("0")
    return len(digits) > len(str(limit)) or int(digits or "0") > limit


class TimeLimit:
    """Answers with a problem where an answer has not begun after `seconds`.

    One that has begun may take its time, but its reader may not: each part is taken within
    `seconds`, or the connection ends.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, but not for longer than the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = asyncio.timeout(self._seconds)
        begun = False

        async def timed_send(message: Message) -> None:
            nonlocal begun
            begun = True
            limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
            await send(message)
            limit.reschedule(None)

        try:
            async with limit:
                await self._app(scope, receive, timed_send)
        except TimeoutError:
            if not limit.expired():
                raise
            if begun:
                logger.warning("%s %s: its reader is too slow", scope["method"], scope["path"])
                abort_connection(scope)
                return
            await problem_response(self._problem(scope))(scope, receive, send)

    def _problem(self, scope: Scope) -> ServiceProblem:
        if BODY_READ in scope:
            return TimedOut(f"expected an answer within {self._seconds:g} s; it took longer")
        return SlowBody(f"the body: expected all of it within {self._seconds:g} s; it took longer")
