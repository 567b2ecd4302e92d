"""The pool of shard actors: which shard has which game, and how it is asked."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import ray
from ray.exceptions import PendingCallsLimitExceeded, RayActorError, RayTaskError

from serve_app.api.problems import Overloaded, ServiceProblem, Unavailable
from serve_app.game.due_forecast import DueForecast
from serve_app.live.news import CommittedAfter
from serve_app.schemas import EndResult, GameRegistration, GameView, Prediction, ScoreResult
from serve_app.settings import Settings
from serve_app.shards.forecasting_shard import MOST_WAITING
from serve_app.shards.shard_actor import ShardActor, shard_of
from serve_app.shards.shard_messages import Update
from serve_app.system.lasting_actor import NAMESPACE

logger = logging.getLogger(__name__)

AWAY_SECONDS = 10.0  # how long a call goes on asking where all shards that could answer are away
PAUSE_SECONDS = 0.05


class ShardPool:
    """Asks the shard that holds a game, and while that one restarts the next one.

    Every call is safe to repeat, and any shard may answer for any game: the store knows all that a
    shard does, refuses the later one of two that write the same game, and tells a shard that reads
    whether what it holds is the newest.
    """

    def __init__(
        self,
        shards: Sequence[Any],
        bundle: Callable[[], Path],
        request_id: Callable[[], str] = lambda: "",
    ) -> None:
        self._shards = shards
        self._bundle = bundle
        self._request_id = request_id
        self._away: set[int] = set()

    @classmethod
    def connect(
        cls,
        settings: Settings,
        bundle: Callable[[], Path] | None = None,
        request_id: Callable[[], str] = lambda: "",
    ) -> Self:
        """The shards of this cluster, started where they do not run yet.

        `bundle` gives the folder of the bundle in service; without it that of the settings is.
        `request_id` gives that of the request under way, for the logs.
        """
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
            ],
            bundle or (lambda: settings.bundle),
            request_id,
        )

    @property
    def news(self) -> list[CommittedAfter]:
        """What each shard has committed after a row of the journal."""
        return [shard.committed_after.remote for shard in self._shards]

    def __len__(self) -> int:
        return len(self._shards)

    async def register(self, registration: GameRegistration) -> GameView:
        """Monitor a game; raises Conflict."""
        view: GameView = await self._call(registration.game_id, "register", registration)
        return view

    async def post_scores(self, updates: Sequence[Update]) -> list[ScoreResult | ServiceProblem]:
        """Take updates over any games, each shard's share at once; results in order.

        The update that crossed the trigger carries the prediction in its result. Where a shard
        fails, its share has the problem and the others' stands.
        """
        shares: dict[int, list[int]] = {}
        for place, update in enumerate(updates):
            shares.setdefault(shard_of(update.game_id, len(self)), []).append(place)
        answers = await asyncio.gather(
            *(self._post_share([updates[place] for place in places]) for places in shares.values())
        )
        results: dict[int, ScoreResult | ServiceProblem] = {}
        for places, answer in zip(shares.values(), answers, strict=True):
            results.update(zip(places, answer, strict=True))
        return [results[place] for place in range(len(updates))]

    async def _post_share(self, updates: list[Update]) -> Sequence[ScoreResult | ServiceProblem]:
        game_ids = [update.game_id for update in updates]
        try:
            results: list[ScoreResult | ServiceProblem] = await self._ask(
                game_ids, "post_scores", updates, self._bundle(), self._request_id()
            )
        except ServiceProblem as problem:
            return [problem] * len(updates)
        return results

    async def game(self, game_id: str) -> GameView:
        """What is known of one game; raises UnknownGame."""
        view: GameView = await self._read([game_id], "game", game_id)
        return view

    async def games(self, game_ids: Sequence[str]) -> list[GameView]:
        """What is known of these games, in order; those unknown or unreadable are left out."""
        answers = await asyncio.gather(
            *(self._read(ids, "games", ids) for ids in self._shares(game_ids))
        )
        views = {view.game_id: view for answer in answers for view in answer}
        return [views[game_id] for game_id in game_ids if game_id in views]

    async def prediction(self, game_id: str) -> Prediction:
        """The frozen prediction of a game; raises a problem that says why there is none."""
        prediction: Prediction = await self._read([game_id], "prediction", game_id)
        return prediction

    async def comparison(self, game_id: str) -> DueForecast:
        """The game as past games are compared with it; raises NothingToCompare."""
        due: DueForecast = await self._read([game_id], "comparison", game_id)
        return due

    async def end(self, game_id: str) -> EndResult:
        """Declare a game over."""
        result: EndResult = await self._call(game_id, "end", game_id)
        return result

    async def ready(self) -> int:
        """How many shards there are, each of which has just made a forecast.

        Waits for one that restarts.
        """
        calls = [shard.ready.options(max_task_retries=-1) for shard in self._shards]
        with _problems():
            await asyncio.gather(*(call.remote(self._bundle()) for call in calls))
        return len(self)

    def _shares(self, game_ids: Sequence[str]) -> list[list[str]]:
        """The games, those of one shard together."""
        shares: dict[int, list[str]] = {}
        for game_id in game_ids:
            shares.setdefault(shard_of(game_id, len(self)), []).append(game_id)
        return list(shares.values())

    async def _call(self, game_id: str, method: str, *arguments: object) -> Any:  # noqa: ANN401 - Ray types no answer
        """What a method of the game's shard answers that may write."""
        return await self._ask([game_id], "call", method, *arguments)

    async def _read(self, game_ids: Sequence[str], method: str, *arguments: object) -> Any:  # noqa: ANN401 - Ray types no answer
        """What a method of these games' shard answers that writes nothing."""
        return await self._ask(game_ids, "read", game_ids, method, *arguments)

    async def _ask(self, game_ids: Sequence[str], method: str, *arguments: object) -> Any:  # noqa: ANN401 - Ray types no answer
        """What the actor of these games answers, or the next one, whichever is there first."""
        own = shard_of(game_ids[0], len(self))
        turns = cycle((own, (own + 1) % len(self)))
        until = asyncio.get_running_loop().time() + AWAY_SECONDS
        with _problems(game_ids):
            while True:
                index = next(turns)
                try:
                    answer = await getattr(self._shards[index], method).remote(*arguments)
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
