"""The pool of shard actors: which shard has which game, and how it is asked."""

import asyncio
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Self

import ray
from ray.exceptions import PendingCallsLimitExceeded, RayActorError, RayTaskError

from serve_app.api.problems import Overloaded, ServiceProblem, Unavailable
from serve_app.game.due_forecast import DueForecast
from serve_app.live.live_hub import NAMESPACE, connect_hub
from serve_app.live.running_pace import Wait
from serve_app.schemas import EndResult, Forecast, GameRegistration, GameView, Prediction
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import GroupCommit, read
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.store import Store
from serve_app.system.logs import redact_secrets
from serve_app.system.reporting import reporting, start
from serve_app.system.shard_watch import ShardWatch

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000  # calls that may wait for one shard
AWAY_SECONDS = 10.0  # how long a call goes on asking where all shards that could answer are away
PAUSE_SECONDS = 0.05


def shard_of(game_id: str, shards: int) -> int:
    """The shard of a game: the same in every process, unlike `hash`."""
    return zlib.crc32(game_id.encode()) % shards


class ShardActor:
    """A shard with its own connections, as a Ray actor; calls that come together commit together.

    Commits block the event loop, so no call ever sees what is not on disk yet.
    """

    def __init__(self, settings: Settings, index: int = 0) -> None:
        redact_secrets()
        hub = connect_hub(settings)
        self._shard = GameShard(
            Store.at(settings.data_dir, settings.store_url),
            auto_register=settings.auto_register,
            forecast_interval_seconds=settings.forecast_interval_seconds,
            # A wake-up that is lost is made good; those of a hub that is away must not pile up.
            notify=hub.notify.options(max_task_retries=0).remote,
        )
        # What it stood in for is told of by the shard that owns it.
        self._watch = ShardWatch(
            lambda: self._shard.standings(lambda game: shard_of(game, settings.shards) == index)
        )
        self._commits = GroupCommit(
            self._shard.writing, most_waiting=MOST_WAITING, committed=self._watch.committed
        )
        self._reporting = start(reporting(hub, self._watch, "shard", f"shard-{index}"))

    async def call(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - as GameShard
        """Call a method of the shard, in a commit shared with all that waits."""
        answer = await self._commits.run(lambda: getattr(self._shard, method)(*arguments))
        if method == "apply":
            self._watch.applied(answer)
        return answer

    async def read(self, game_ids: Sequence[str], method: str, *arguments: Any) -> Any:  # noqa: ANN401 - as GameShard
        """Call a method of the shard that writes nothing and is about these games."""

        def answer() -> Any:  # noqa: ANN401 - as GameShard
            self._shard.refresh(game_ids)
            return getattr(self._shard, method)(*arguments)

        return read(answer)

    async def process_id(self) -> int:
        """The process of this shard, which also shows that it answers."""
        return os.getpid()


class ShardPool:
    """Asks the shard that holds a game, and while that one restarts the next one.

    Every call is safe to repeat, and any shard may answer for any game: the store knows all that a
    shard does, refuses the later one of two that write the same game, and tells a shard that reads
    whether what it holds is the newest.
    """

    def __init__(self, shards: Sequence[Any]) -> None:
        self._shards = shards
        self._away: set[int] = set()

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The shards of this cluster, started where they do not run yet."""
        actor = ray.remote(ShardActor)
        return cls(
            [
                actor.options(
                    name=f"game-shard-{index}-of-{settings.shards}",
                    namespace=NAMESPACE,
                    lifetime="detached",
                    get_if_exists=True,
                    num_cpus=0,
                    max_restarts=-1,
                    # Another shard is asked instead; and a call must not outlive who asked.
                    max_task_retries=0,
                    max_pending_calls=MOST_WAITING,
                ).remote(settings, index)
                for index in range(settings.shards)
            ]
        )

    def __len__(self) -> int:
        return len(self._shards)

    async def register(self, registration: GameRegistration) -> GameView:
        """Monitor a game; raises Conflict."""
        view: GameView = await self._of(registration.game_id, "register", registration)
        return view

    async def apply(self, updates: Sequence[Update]) -> list[Applied | ServiceProblem]:
        """Take updates over any games, each shard's share at once; results in order.

        Where a shard fails, its share has the problem and the others' stands.
        """
        shares: dict[int, list[int]] = {}
        for place, update in enumerate(updates):
            shares.setdefault(shard_of(update.game_id, len(self)), []).append(place)
        answers = await asyncio.gather(
            *(self._apply_share([updates[place] for place in places]) for places in shares.values())
        )
        results: dict[int, Applied | ServiceProblem] = {}
        for places, answer in zip(shares.values(), answers, strict=True):
            results.update(zip(places, answer, strict=True))
        return [results[place] for place in range(len(updates))]

    async def _apply_share(self, updates: list[Update]) -> Sequence[Applied | ServiceProblem]:
        game_ids = [update.game_id for update in updates]
        try:
            applied: list[Applied | ServiceProblem] = await self._ask(game_ids, "apply", updates)
        except ServiceProblem as problem:
            return [problem] * len(updates)
        return applied

    async def record(self, due: DueForecast, forecast: Forecast) -> Prediction:
        """Keep a forecast that fell due; the answer is the frozen prediction."""
        prediction: Prediction = await self._of(due.game_id, "record", due, forecast)
        return prediction

    async def running(self, game_ids: Sequence[str]) -> list[DueForecast | Wait]:
        """The running forecasts to be made of games whose wait is over."""
        answers = await asyncio.gather(
            *(self._ask(ids, "running", ids) for ids in self._shares(game_ids))
        )
        return [item for answer in answers for item in answer]

    async def record_running(self, made: Sequence[MadeForecast]) -> None:
        """Keep running forecasts."""
        by_game = {item.due.game_id: item for item in made}
        await asyncio.gather(
            *(
                self._ask(ids, "record_running", [by_game[game_id] for game_id in ids])
                for ids in self._shares(list(by_game))
            )
        )

    async def game(self, game_id: str) -> GameView:
        """What is known of one game; raises UnknownGame."""
        view: GameView = await self._of(game_id, "game", game_id, reads=True)
        return view

    async def games(self, game_ids: Sequence[str]) -> list[GameView]:
        """What is known of these games, in order; those unknown or unreadable are left out."""
        answers = await asyncio.gather(
            *(self._ask(ids, "games", ids, reads=True) for ids in self._shares(game_ids))
        )
        views = {view.game_id: view for answer in answers for view in answer}
        return [views[game_id] for game_id in game_ids if game_id in views]

    async def prediction(self, game_id: str) -> Prediction:
        """The frozen prediction of a game; raises a problem that says why there is none."""
        prediction: Prediction = await self._of(game_id, "prediction", game_id, reads=True)
        return prediction

    async def comparison(self, game_id: str) -> DueForecast:
        """The game as past games are compared with it; raises NothingToCompare."""
        due: DueForecast = await self._of(game_id, "comparison", game_id, reads=True)
        return due

    async def end(self, game_id: str) -> EndResult:
        """Declare a game over."""
        result: EndResult = await self._of(game_id, "end", game_id)
        return result

    async def process_ids(self) -> list[int]:
        """The processes of all shards; waits for one that restarts."""
        calls = [shard.process_id.options(max_task_retries=-1) for shard in self._shards]
        with _problems():
            return list(await asyncio.gather(*(call.remote() for call in calls)))

    def _shares(self, game_ids: Sequence[str]) -> list[list[str]]:
        """The games, those of one shard together."""
        shares: dict[int, list[str]] = {}
        for game_id in game_ids:
            shares.setdefault(shard_of(game_id, len(self)), []).append(game_id)
        return list(shares.values())

    async def _of(self, game_id: str, method: str, *arguments: object, reads: bool = False) -> Any:  # noqa: ANN401 - Ray types no answer
        """What the shard of a game answers."""
        return await self._ask([game_id], method, *arguments, reads=reads)

    async def _ask(
        self, game_ids: Sequence[str], method: str, *arguments: object, reads: bool = False
    ) -> Any:  # noqa: ANN401 - Ray types no answer
        """What the shard of these games answers, or the next one, whichever is there first."""
        own = shard_of(game_ids[0], len(self))
        turns = cycle((own, (own + 1) % len(self)))
        until = asyncio.get_running_loop().time() + AWAY_SECONDS
        with _problems(game_ids):
            while True:
                index = next(turns)
                shard = self._shards[index]
                try:
                    if reads:
                        answer = await shard.read.remote(game_ids, method, *arguments)
                    else:
                        answer = await shard.call.remote(method, *arguments)
                except RayActorError:
                    self._note_away(index)
                    if asyncio.get_running_loop().time() > until:
                        raise
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    self._away.discard(index)
                    return answer

    def _note_away(self, index: int) -> None:
        """Log an absence once."""
        if index not in self._away:
            self._away.add(index)
            logger.warning("shard %d of %d is away; it restarts by itself", index, len(self))


@contextmanager
def _problems(game_ids: Sequence[str] = ()) -> Iterator[None]:
    """The problem of an actor is raised as it is, what Ray says of an actor as a problem."""
    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, ServiceProblem):
            raise error.cause from None
        logger.error("a shard failed", exc_info=error, extra={"game_ids": list(game_ids)})
        raise Unavailable("a shard failed; its log says more") from None
    except PendingCallsLimitExceeded as error:
        raise Overloaded(f"{MOST_WAITING} requests wait for a shard already") from error
    except RayActorError as error:
        raise Unavailable("a shard is down; it restarts by itself") from error
