"""The model deployments of the composed placement, as functions that are asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ray import serve
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from serve_app.api.problems import Unavailable

APPLICATION = "forecaster"
Asks = Callable[[list[Any]], Awaitable[Any]]


def asks(handle: DeploymentHandle[Any], name: str) -> Asks:
    """A deployment as a function; where it cannot answer the problem says so."""

    async def ask(questions: list[Any]) -> Any:  # noqa: ANN401 - Ray types no deployment's answer
        try:
            return await handle.forecast.remote(questions)
        except (RayActorError, RayTaskError, RayServeException) as error:
            raise Unavailable(f"the {name} deployment does not answer: {error}") from error

    return ask


def asks_by_name(name: str) -> Asks:
    """As `asks`, outside of the application: looked for in it when it is first asked."""
    found: list[Asks] = []

    async def ask(questions: list[Any]) -> Any:  # noqa: ANN401 - Ray types no deployment's answer
        if not found:
            try:
                handle = await asyncio.to_thread(serve.get_deployment_handle, name, APPLICATION)
            except (KeyError, RayActorError, RayServeException) as error:
                raise Unavailable(f"there is no {name} deployment yet: {error}") from error
            found.append(asks(handle, name))
        try:
            return await found[0](questions)
        except Unavailable:
            found.clear()  # it may have been deployed anew
            raise

    return ask
