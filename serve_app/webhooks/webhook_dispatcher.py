"""The dispatcher of webhooks as a Ray actor, which the shards wake."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from serve_app.live.live_hub import connect_hub
from serve_app.live.news import CommittedAfter, follow
from serve_app.settings import Settings
from serve_app.shards.shard_pool import ShardPool
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.system.lasting_actor import lasting_actor
from serve_app.system.logs import redact_secrets
from serve_app.system.reporting import reporting, start
from serve_app.system.webhook_watch import WebhookWatch
from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.dispatcher import POLL_SECONDS, Dispatcher
from serve_app.webhooks.sender import Sender

DISPATCHER_NAME = "webhook-dispatcher"


class WebhookDispatcher:
    """Runs for as long as the service does; what it knows is in the store."""

    def __init__(self, settings: Settings) -> None:
        redact_secrets()
        hub = connect_hub(settings)
        store = Store.at(settings.data_dir, settings.store_url)
        watch = WebhookWatch(store.webhooks.pending_count)
        self._dispatcher = Dispatcher(
            store,
            Sender(Destinations.of(settings)).post,
            observe=lambda attempt: watch.attempted(attempt.outcome),
        )
        self._reporting = start(reporting(hub, watch, "webhooks", DISPATCHER_NAME))
        self._tasks = [
            asyncio.create_task(self._dispatcher.run()),
            *(
                asyncio.create_task(self._follow(committed_after))
                for committed_after in ShardPool.connect(settings).news
            ),
        ]

    async def process_id(self) -> int:
        """The process of this actor, which also shows that it answers."""
        return os.getpid()

    async def _follow(self, committed_after: CommittedAfter) -> None:
        """Have the dispatcher look when this shard commits, while a webhook hears of it."""

        async def while_heard(seq: int, timeout_seconds: float) -> Sequence[JournalRow]:
            while not self._dispatcher.is_heard:
                await asyncio.sleep(POLL_SECONDS)
            return await committed_after(seq, timeout_seconds)

        await follow(while_heard, lambda: 0, lambda _: self._dispatcher.wake())


def connect_dispatcher(settings: Settings) -> Any:  # noqa: ANN401 - Ray types no actor handle
    """The one dispatcher of this cluster, started where it does not run yet."""
    return lasting_actor(WebhookDispatcher, DISPATCHER_NAME, settings)
