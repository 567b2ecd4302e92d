"""What the live hub knows: the state of the service, the journal's changes, the newest skill."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence

from serve_app.api.problems import Unavailable
from serve_app.schemas import System
from serve_app.storage.errors import StoreError
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.system.metrics import (
    CARRIED_MINUTES,
    CHANGES,
    CHANGES_TOLD,
    COVERAGE_TARGET,
    FEED_LAG,
    FEED_REPLICAS,
    GAMES_LIVE,
    GAMES_MONITORED,
    INGRESS_REPLICAS,
    ROLLING_COVERAGE,
    ROLLING_MAE,
    ROLLING_PREDICTIONS,
    SHARDS,
    SHARDS_EXPECTED,
)
from serve_app.system.reports import Report
from serve_app.system.rolling_skill import NEWEST, rolling_skill
from serve_app.system.system_state import SystemState
from serve_app.system.tally import Tally

logger = logging.getLogger(__name__)

KNOWN = frozenset(CHANGES)


class HubWatch:
    """Takes the reports of all processes and the journal's rows, each once."""

    def __init__(self, store: Store, shards_expected: int) -> None:
        self.tally = Tally()
        self._store = store
        self._state = SystemState(shards_expected)
        self._skill_is_old = True

    def take(self, sender: str, report: Report) -> None:
        """Take the report of a process."""
        self._state.take(sender, report)

    def read(self, rows: Sequence[JournalRow]) -> None:
        """Take note of new rows of the journal."""
        for row in rows:
            if row.type in KNOWN:
                self.tally.count(CHANGES_TOLD, row.type)
            if row.type == "prediction":
                carried = json.loads(row.payload)["prediction"]["minutes_carried_forward"]
                if carried:
                    self.tally.count(CARRIED_MINUTES, by=carried)
            self._skill_is_old |= row.type == "outcome"

    async def system(self) -> System:
        """How the service is doing; raises Unavailable while not all can have told."""
        if not self._state.is_settled:
            raise Unavailable("the live hub has just begun; its processes report within seconds")
        return self._state.system(await self._games_monitored())

    async def _games_monitored(self) -> int | None:
        try:
            return await asyncio.to_thread(self._store.games.count_monitored, time.time())
        except StoreError:
            logger.warning("the store does not tell how many games are monitored")
            return None

    async def report(self) -> None:
        """Set the gauges, those of the service once it is known; there is nobody to report to."""
        if self._state.is_settled:
            self._set(await self.system())
        if self._skill_is_old:
            await self._measure_skill()

    def _set(self, system: System) -> None:
        lag = system.feed_lag_seconds
        self.tally.set(FEED_LAG, lag.median if lag else None, "median")
        self.tally.set(FEED_LAG, lag.longest if lag else None, "longest")
        self.tally.set(GAMES_MONITORED, system.games_monitored)
        self.tally.set(GAMES_LIVE, system.games_live)
        self.tally.set(INGRESS_REPLICAS, system.ingress_replicas)
        self.tally.set(FEED_REPLICAS, system.feed_replicas)
        self.tally.set(SHARDS, system.shards)
        self.tally.set(SHARDS_EXPECTED, system.shards_expected)

    async def _measure_skill(self) -> None:
        self._skill_is_old = False
        try:
            resolved = await asyncio.to_thread(self._store.predictions.newest_resolved, NEWEST)
        except StoreError:
            self._skill_is_old = True
            raise
        skill = rolling_skill(resolved)
        self.tally.set(ROLLING_PREDICTIONS, skill.predictions if skill else 0)
        if skill is not None:
            self.tally.set(ROLLING_MAE, skill.mae, "ensemble")
            self.tally.set(ROLLING_MAE, skill.persistence_mae, "persistence")
            self.tally.set(ROLLING_COVERAGE, skill.coverage)
            self.tally.set(COVERAGE_TARGET, skill.coverage_target)
