"""How the other processes ask the live hub how the service is doing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ray.exceptions import RayActorError, RayTaskError

from serve_app.api.problems import ServiceProblem, Unavailable
from serve_app.schemas import System

# A hub that is away is not waited for: who looks at the system wants to see that.
PATIENCE_SECONDS = 2.0


def asking(hub: Any) -> Callable[[], Awaitable[System]]:  # noqa: ANN401 - Ray types no actor handle
    """The hub as a function; it raises Unavailable where the hub does not answer or know."""
    ask = hub.system.options(max_task_retries=0)

    async def system() -> System:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer: System = await ask.remote()
        except RayTaskError as error:
            if isinstance(error.cause, ServiceProblem):
                raise error.cause from None
            raise Unavailable("the live hub failed; its log says more") from error
        except (RayActorError, TimeoutError) as error:
            raise Unavailable("the live hub does not answer; it restarts by itself") from error
        return answer

    return system
