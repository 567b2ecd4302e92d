"""The route that tells how the service itself is doing."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI

from serve_app.api.problems import Unavailable
from serve_app.schemas import System

AsksSystem = Callable[[], Awaitable[System]]


async def no_system() -> System:
    """What is known of the system where no live hub runs: nothing."""
    raise Unavailable("no live hub runs here, which is what knows how the service is doing")


def add_system_routes(api: FastAPI, ask: AsksSystem) -> None:
    """Add it to the application; `ask` raises Unavailable where the hub does not answer."""

    @api.get("/system")
    async def system() -> System:
        """How the service is doing: games, rates, feed lag, replicas, watchers, versions."""
        return await ask()
