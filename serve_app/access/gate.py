"""The gate: ASGI middleware before everything that reads a request's body or answers it."""

import asyncio
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.access.access import Access, Asked, Caller
from serve_app.access.scopes import ROUTE_SCOPES, STREAMED_ROUTES, UNCOUNTED_ROUTES
from serve_app.access.tickets import SUBPROTOCOL, offered_ticket
from serve_app.api.connection import abort_connection
from serve_app.api.problem_answers import problem_response
from serve_app.api.problems import ServiceProblem, TooManyRequests

CALLER = "halftime.caller"
DENIAL = "websocket.http.response"
CLOSE_SECONDS = 5.0


class Gate:
    """Lets through what `Access` admits, and closes WebSockets whose key is good no longer.

    `routes` are those of the application: the very routing that will answer a request decides
    which scope it needs, so that no spelling of a path can slip between the two.
    """

    def __init__(self, app: ASGIApp, *, access: Access, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._access = access
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with what is admitted; answer the rest with its problem."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        asked = self._asked(scope)
        try:
            caller = await self._access.admit(asked)
        except ServiceProblem as problem:
            await _refuse(problem, scope, receive, send)
            return
        if asked.is_stream:
            await self._watched(caller, scope, receive, send)
        else:
            await self._app({**scope, CALLER: caller}, receive, send)

    def _asked(self, scope: Scope) -> Asked:
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        headers = Headers(scope=scope)
        ticket = offered_ticket(scope["subprotocols"]) if method == "WEBSOCKET" else None
        path, query = scope["path"], scope.get("query_string", b"")
        declared = self._declared_path(scope)
        if declared is None:  # the application says that there is no such route, to who has a key
            return Asked(method, headers, path, query, None, ticket=ticket)
        route = ("GET" if method == "HEAD" else method, declared)
        needs = ROUTE_SCOPES.get(route, "admin")
        counted = route not in UNCOUNTED_ROUTES
        is_stream = route in STREAMED_ROUTES
        return Asked(method, headers, path, query, needs, needs is None, counted, ticket, is_stream)

    def _declared_path(self, scope: Scope) -> str | None:
        """The path, as declared, of the route that will answer; None where there is none."""
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return str(getattr(route, "path", ""))
        return None

    async def _watched(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a WebSocket or a stream of events until it ends or its key does."""
        offered = scope.get("subprotocols", ())

        async def accept(message: Message) -> None:
            if message["type"] == "websocket.accept" and SUBPROTOCOL in offered:
                message = {**message, "subprotocol": SUBPROTOCOL}
            await send(message)

        admission = self._access.enter(caller)
        try:
            async with admission:
                await self._app(scope, receive, accept)
            return
        except TimeoutError:
            if not admission.expired():
                raise
        finally:
            self._access.leave(admission)
        if scope["type"] == "http":
            abort_connection(scope)
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})
        except TimeoutError:
            abort_connection(scope)
        except RuntimeError:
            pass  # it has gone by itself


def caller_of(request: Request) -> Caller:
    """Who sent a request that came through the gate."""
    caller: Caller = request.scope[CALLER]
    return caller


async def _refuse(problem: ServiceProblem, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(problem)
    if isinstance(problem, TooManyRequests):
        # draft-ietf-httpapi-ratelimit-headers: q requests in w seconds; none is left.
        limit = problem.members["limit"]
        response.headers["RateLimit-Policy"] = f'"requests";q={limit};w=1'
        response.headers["RateLimit"] = '"requests";r=0;t=1'
    if scope["type"] == "websocket" and DENIAL not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})
        return
    await response(scope, receive, send)
