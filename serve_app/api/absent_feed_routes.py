"""What is said below `/ws` for as long as the live feed is not deployed: come again."""

from fastapi import FastAPI, WebSocket
from starlette.routing import WebSocketRoute

from serve_app.api.problems import Unavailable
from serve_app.live.socket_stream import deny

PATHS = "/ws/{path:path}"
DETAIL = "the live feed is not there yet"


def add_absent_feed_routes(api: FastAPI) -> None:
    """Add them to the application.

    The feed is an application of its own, deployed after this one. Until then the proxy sends its
    requests here, where a 404 would tell a client to give up.
    """

    @api.get(PATHS, include_in_schema=False)
    async def absent_feed() -> None:
        raise Unavailable(DETAIL)

    async def absent_socket(socket: WebSocket) -> None:
        await deny(socket, Unavailable(DETAIL))

    api.router.routes.append(WebSocketRoute(PATHS, absent_socket))
