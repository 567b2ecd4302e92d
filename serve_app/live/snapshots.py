"""Snapshots: how the games stand, asked once for all watchers that come within a second.

That is of the newest games. Older ones are told of where a watcher names them: a shard may have to
rebuild such a game, so they are asked for a few at a time, each once a snapshot.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field

from serve_app.api.problems import ServiceProblem, Unavailable
from serve_app.live.message import Message, snapshot
from serve_app.schemas import GameView

logger = logging.getLogger(__name__)

# After a deploy all watchers come back at once: those of one second share one snapshot.
SHARED_SECONDS = 1.0
SHARED_MESSAGES = 1_000
OLDER_AT_ONCE = 20

# The games with these ids, or those that were registered last where none are given.
AsksGames = Callable[[Collection[str] | None], Awaitable[Sequence[GameView]]]


@dataclass(slots=True)
class Snapshot:
    """A snapshot that is being made, or was: of when `seq` was the last message carried.

    `newest` are the games registered last, and `whole` the message with them, which most share;
    `older` are others that were named, None where there is no such game.
    """

    newest: "asyncio.Task[Mapping[str, str]]"
    seq: int
    carried: int
    begun: float
    whole: Message | None = None
    older: dict[str, str | None] = field(default_factory=dict)


class Snapshots:
    """Makes snapshots; one is shared while at most `most_messages` were carried since."""

    def __init__(self, games: AsksGames, most_messages: int) -> None:
        self._games = games
        self._most_messages = min(SHARED_MESSAGES, most_messages)
        self._shared: Snapshot | None = None
        self._asking_older = asyncio.Lock()

    def take(self, seq: int, carried: int) -> Snapshot:
        """The snapshot of a moment ago, or a new one where it is too old to be completed.

        `seq` is that of the last message carried, `carried` how many there were.
        """
        now = asyncio.get_running_loop().time()
        shared = self._shared
        if (
            shared is None
            or now - shared.begun > SHARED_SECONDS
            or carried - shared.carried > self._most_messages
            or (shared.newest.done() and shared.newest.exception() is not None)
        ):
            # In a context of its own: in the caller's, Serve would take it back with that caller.
            task = asyncio.create_task(self._ask(), context=Context())
            task.add_done_callback(_seen)
            shared = self._shared = Snapshot(task, seq, carried, now)
        return shared

    async def message(
        self, taken: Snapshot, games: frozenset[str] | None, unknown_since: int | None
    ) -> Message:
        """The message of a snapshot with these games, or the newest where none are named.

        Raises Unavailable where the games do not answer.
        """
        newest = await asyncio.shield(taken.newest)
        if games is not None:
            if older := games - newest.keys():
                await self._ask_older(taken, older)
            views = {**newest, **taken.older}
            told = [view for game, view in views.items() if game in games and view is not None]
            return snapshot(taken.seq, told, unknown_since)
        if unknown_since is not None:
            return snapshot(taken.seq, newest.values(), unknown_since)
        taken.whole = taken.whole or snapshot(taken.seq, newest.values())
        return taken.whole

    async def _ask_older(self, taken: Snapshot, games: frozenset[str]) -> None:
        async with self._asking_older:
            missing = sorted(games - taken.older.keys())
            for start in range(0, len(missing), OLDER_AT_ONCE):
                asked = missing[start : start + OLDER_AT_ONCE]
                told = await self._ask(asked)
                taken.older.update({game: told.get(game) for game in asked})

    async def _ask(self, games: Collection[str] | None = None) -> Mapping[str, str]:
        """Games as JSON text by id, written once for all who share them."""
        try:
            return {view.game_id: view.model_dump_json() for view in await self._games(games)}
        except ServiceProblem:
            raise
        except Exception as error:
            logger.exception("no snapshot")
            raise Unavailable("the games do not answer") from error


def _seen(task: "asyncio.Task[Mapping[str, str]]") -> None:
    """Take note of a failure: those who asked may all have gone."""
    if not task.cancelled():
        task.exception()
