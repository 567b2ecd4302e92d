"""News of the system: every five seconds to those watchers that ask for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from serve_app.schemas import System
from serve_app.system.reports import REPORT_SECONDS

logger = logging.getLogger(__name__)


class TellsSystem(Protocol):
    """The broadcast, as far as it is used here."""

    @property
    def wants_system(self) -> bool: ...  # noqa: D102
    def tell_system(self, body: str) -> None: ...  # noqa: D102


class SystemNews:
    """Asks how the system is doing while somebody wants to know, and tells it."""

    def __init__(
        self,
        broadcast: TellsSystem,
        system: Callable[[], Awaitable[System]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._broadcast = broadcast
        self._system = system
        self._sleep = sleep

    async def run(self) -> None:
        """Tell it until cancelled; what cannot be known is not told."""
        while True:
            await self._sleep(REPORT_SECONDS)
            if not self._broadcast.wants_system:
                continue
            try:
                system = await self._system()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round asks again
                logger.warning("the live hub does not tell how the system is doing: %s", error)
                continue
            self._broadcast.tell_system(system.model_dump_json())
