"""The live hub: the actor that knows how the whole service is doing.

Every process reports to it, and it counts what comes to the journal.
"""

import asyncio
import logging
from typing import Any

from serve_app.schemas import System
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.system.hub_watch import HubWatch
from serve_app.system.lasting_actor import lasting_actor
from serve_app.system.logs import redact_secrets
from serve_app.system.ray_metrics import RayMetrics
from serve_app.system.reporting import Reporting, start
from serve_app.system.reports import Report

logger = logging.getLogger(__name__)

HUB_NAME = "live-hub"
POLL_SECONDS = 1.0
READ_ROWS = 2_000


class LiveHub:
    """Takes reports, and answers how the service is doing."""

    def __init__(self, settings: Settings) -> None:
        redact_secrets()
        self._store = Store.at(settings.data_dir, settings.store_url)
        self._watch = HubWatch(self._store, settings.shards)
        self._reporting = start(Reporting(self._watch, RayMetrics("hub").record))
        self._reader = asyncio.create_task(self._read_forever())

    async def take_report(self, sender: str, report: Report) -> None:
        """Take what a process tells of how it does; its next report replaces it."""
        self._watch.take(sender, report)

    async def system(self) -> System:
        """How the whole service is doing; raises Unavailable while that is not known."""
        return await self._watch.system()

    async def _read_forever(self) -> None:
        """Count what is written from now on."""
        last_seq: int | None = None
        while True:
            try:
                if last_seq is None:
                    last_seq = await asyncio.to_thread(self._store.journal.last_seq)
                while rows := await asyncio.to_thread(
                    self._store.journal.after, last_seq, READ_ROWS
                ):
                    self._watch.read(rows)
                    last_seq = rows[-1].seq
            except Exception:
                logger.exception("the journal could not be read; trying again")
            await asyncio.sleep(POLL_SECONDS)


def connect_hub(settings: Settings) -> Any:  # noqa: ANN401 - Ray types no actor handle
    """The one hub of this cluster, started where it does not run yet."""
    return lasting_actor(LiveHub, HUB_NAME, settings)
