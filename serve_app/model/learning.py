"""Learning: each finished game moves the ratings and the calibration, once, kept in the store."""

import asyncio
import datetime
import json
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context

from models.calibration.learned_game import LearnedGame
from serve_app.game.ended_game import EndedGame
from serve_app.storage.store import Store

logger = logging.getLogger(__name__)

Learn = Callable[[EndedGame], Awaitable[LearnedGame]]


class Learning:
    """Learns what the store has of ended games and the model version has not learned yet.

    `learn` makes the forecasts of every minute of one game and their errors. Games up to the day
    `known_until` are in the model itself. A game that cannot be learned is logged and tried again
    the next time; several processes may learn the same game, the first to come is kept.
    """

    def __init__(
        self,
        store: Store,
        learn: Learn,
        model_version: str,
        *,
        known_until: datetime.date | None = None,
    ) -> None:
        self._store = store
        self._learn = learn
        self._model_version = model_version
        self._known_until = known_until
        self._again = self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """A game has ended, or the service starts: learn what there is; returns at once."""
        self._again = not self._stopped
        if self._task is None and self._again:
            # In a context of its own: in the caller's, Serve would take it back when that caller
            # hangs up.
            self._task = asyncio.create_task(self._learn_all(), context=Context())

    def stop(self) -> None:
        """Learn no more: another model is in service. The game under way is finished."""
        self._again, self._stopped = False, True

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _learn_all(self) -> None:
        try:
            while self._again:
                self._again = False
                for ended in await asyncio.to_thread(
                    self._store.lessons.unlearned_games, self._model_version, self._known_until
                ):
                    if self._stopped:
                        return
                    await self._learn_one(ended)
        except Exception:
            logger.exception("finished games could not be read; the next one's end tries again")
        finally:
            self._task = None

    async def _learn_one(self, ended: EndedGame) -> None:
        try:
            learned = await self._learn(ended)
            await asyncio.to_thread(
                self._store.lessons.add,
                self._model_version,
                learned.game_id,
                learned.date,
                json.dumps(learned.to_payload()),
            )
        except Exception:
            logger.exception(
                "game %s is not learned yet; tried again later",
                ended.game_id,
                extra={"game_id": ended.game_id},
            )
