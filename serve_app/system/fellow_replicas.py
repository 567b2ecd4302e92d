"""The fellows of a replica: those of the same deployment that take requests while it starts."""

import asyncio
import logging

from ray import serve
from ray.serve.schema import ServeStatus

logger = logging.getLogger(__name__)

RUNNING = "RUNNING"
# A controller that is away is not waited for.
PATIENCE_SECONDS = 2.0


async def fellows_answer() -> bool:
    """Whether another replica takes requests; where Serve does not tell, it is taken for alone."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = await asyncio.to_thread(serve.status)
    except Exception as error:  # noqa: BLE001 - whatever it is, this replica starts
        logger.warning("Serve does not tell which replicas run: %r", error)
        return False
    context = serve.get_replica_context()
    return running(status, context.app_name, context.deployment) > 0


def running(status: ServeStatus, application: str, deployment: str) -> int:
    """How many replicas of a deployment take requests; one that starts is not among them."""
    applications = status.applications
    deployments = applications[application].deployments if application in applications else {}
    states = deployments[deployment].replica_states if deployment in deployments else {}
    return sum(count for state, count in states.items() if state == RUNNING)
