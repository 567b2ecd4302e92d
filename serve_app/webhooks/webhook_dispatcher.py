"""The dispatcher of webhooks as a Ray actor, beside the live hub, which wakes it."""

import asyncio
import logging
import os
from typing import Any

import ray
from ray.exceptions import RayError

from serve_app.live.live_hub import NAMESPACE, connect_hub
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.system.logs import redact_secrets
from serve_app.system.reporting import reporting, start
from serve_app.system.webhook_watch import WebhookWatch
from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.dispatcher import POLL_SECONDS, Dispatcher
from serve_app.webhooks.sender import Sender

logger = logging.getLogger(__name__)

DISPATCHER_NAME = "webhook-dispatcher"
LONG_POLL_SECONDS = 10.0


class WebhookDispatcher:
    """Runs for as long as the service does; what it knows is in the store."""

    def __init__(self, settings: Settings) -> None:
        redact_secrets()
        self._hub = connect_hub(settings)
        store = Store.at(settings.data_dir, settings.store_url)
        watch = WebhookWatch(store.webhooks.pending_count)
        self._dispatcher = Dispatcher(
            store,
            Sender(Destinations.of(settings)).post,
            observe=lambda attempt: watch.attempted(attempt.outcome),
        )
        self._reporting = start(reporting(self._hub, watch, "webhooks", DISPATCHER_NAME))
        self._tasks = [
            asyncio.create_task(self._dispatcher.run()),
            asyncio.create_task(self._follow_hub()),
        ]

    async def process_id(self) -> int:
        """The process of this actor, which also shows that it answers."""
        return os.getpid()

    async def _follow_hub(self) -> None:
        """Have the dispatcher look when the journal grows, while a webhook hears of it."""
        seq = 0
        while True:
            try:
                if not self._dispatcher.is_heard:
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                seq = await self._hub.newest_after.remote(seq, LONG_POLL_SECONDS)
            except RayError:
                logger.warning("the live hub does not answer; webhooks are looked at each second")
                await asyncio.sleep(POLL_SECONDS)
                continue
            self._dispatcher.wake()


def connect_dispatcher(settings: Settings) -> Any:  # noqa: ANN401 - Ray types no actor handle
    """The one dispatcher of this cluster, started where it does not run yet."""
    return (
        ray.remote(WebhookDispatcher)
        .options(
            name=DISPATCHER_NAME,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=-1,
        )
        .remote(settings)
    )
