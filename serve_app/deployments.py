"""What Serve replicas run: thin adapters that load, parse, call and return."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from models.bundle import Bundle
from models.dejavu import DejavuForecast
from serve_app.coalesced import Coalesced
from serve_app.forecasting import Composed, DejavuQuestion, Fused, LstmQuestion, Placement
from serve_app.ingress import build_api
from serve_app.live_feed import Broadcast, build_feed
from serve_app.live_hub import connect_hub
from serve_app.live_service import LiveService
from serve_app.problems import Unavailable
from serve_app.schemas import GameView
from serve_app.settings import Settings
from serve_app.shard_pool import ShardPool
from serve_app.store import Store

AnswerT = TypeVar("AnswerT")

SNAPSHOT_GAMES = 200


class Batching(BaseModel):
    """`user_config` of a model deployment: how requests that come together are batched."""

    model_config = ConfigDict(extra="forbid")

    max_batch_size: int = Field(default=16, ge=1, le=1024)
    batch_wait_timeout_s: float = Field(default=0.0, ge=0.0, le=1.0)


def load_bundle(settings: Settings) -> Bundle:
    """The bundle in the settings, with the ensemble weights in the settings."""
    bundle = Bundle.load(settings.bundle)
    if settings.weights == "bundle":
        return bundle
    return bundle.with_weights(settings.weights)


class BatchedReplica:
    """A replica whose `_batch` method is batched by Serve, with numbers from its `user_config`."""

    _batch: Any

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new batching numbers without a restart."""
        batching = Batching.model_validate(user_config)
        self._batch.set_max_batch_size(batching.max_batch_size)
        self._batch.set_batch_wait_timeout_s(batching.batch_wait_timeout_s)


class DejavuReplica(BatchedReplica):
    """Answers lists of patterns by similarity search over the library."""

    def __init__(self, settings: Settings) -> None:
        self._dejavu = load_bundle(settings).dejavu

    async def forecast(self, questions: list[DejavuQuestion]) -> list[DejavuForecast]:
        """One answer per question, in order."""
        answers: list[DejavuForecast] = await self._batch(questions)
        return answers

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0)
    async def _batch(self, lists: list[list[DejavuQuestion]]) -> list[list[DejavuForecast]]:
        questions = [question for asked in lists for question in asked]
        answers = self._dejavu.forecast(
            [question.pattern for question in questions],
            [question.expected_margin for question in questions],
            exclude=[question.exclude_game_id for question in questions],
            similar=max(question.similar for question in questions),
        )
        # The batch was searched for the most that anyone asked for; each gets what it asked for.
        trimmed = [
            replace(answer, similar_games=answer.similar_games[: question.similar])
            for answer, question in zip(answers, questions, strict=True)
        ]
        return _share_out(trimmed, lists)


class LstmReplica(BatchedReplica):
    """Answers lists of patterns by the network, on a GPU where the config gives it one."""

    def __init__(self, settings: Settings) -> None:
        self._lstm = load_bundle(settings).load_lstm(settings.device)

    async def forecast(self, questions: list[LstmQuestion]) -> list[float]:
        """One halftime margin in points per question, in order."""
        answers: list[float] = await self._batch(questions)
        return answers

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0)
    async def _batch(self, lists: list[list[LstmQuestion]]) -> list[list[float]]:
        questions = [question for asked in lists for question in asked]
        answers = self._lstm.forecast(
            [question.pattern for question in questions],
            [question.expected_margin for question in questions],
        )
        return _share_out(answers.tolist(), lists)


def _share_out(
    answers: Sequence[AnswerT], lists: Sequence[Sequence[object]]
) -> list[list[AnswerT]]:
    """Give each list of questions its answers back."""
    rest = iter(answers)
    return [[next(rest) for _ in asked] for asked in lists]


def _asking(handle: DeploymentHandle[Any], name: str) -> Callable[[list[Any]], Awaitable[Any]]:
    """A deployment as a function; where it cannot answer the problem says so."""

    async def ask(questions: list[Any]) -> Any:  # noqa: ANN401 - Ray types no deployment's answer
        try:
            return await handle.forecast.remote(questions)
        except (RayActorError, RayTaskError, RayServeException) as error:
            raise Unavailable(f"the {name} deployment does not answer: {error}") from error

    return ask


@serve.ingress()
class IngressReplica:
    """The HTTP routes; composed asks both model deployments, fused holds the models itself."""

    def __init__(
        self,
        settings: Settings,
        dejavu: DeploymentHandle[Any] | None = None,
        lstm: DeploymentHandle[Any] | None = None,
    ) -> None:
        bundle = load_bundle(settings)
        placement: Placement
        if dejavu is None or lstm is None:
            placement = Fused(bundle.load_forecaster(settings.device))
        else:
            placement = Coalesced(
                Composed(bundle.combiner, _asking(dejavu, "Dejavu"), _asking(lstm, "Lstm")),
                settings.request_timeout_seconds,
            )
        shards = ShardPool(settings)
        self._settings = settings
        self._bundle = bundle
        self._store = Store(settings.data_dir)
        self._service = LiveService(settings, shards, placement)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The routes, bound to this replica's service."""
        return build_api(self._settings, self._service, self._store, self._bundle)


@serve.ingress()
class LiveFeedReplica:
    """The WebSocket of the live feed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hub = connect_hub(settings)
        self._shards = ShardPool(settings)
        self._store = Store(settings.data_dir)

    async def _snapshot(self) -> list[GameView]:
        newest = await asyncio.to_thread(self._store.newest_games, SNAPSHOT_GAMES)
        return await self._shards.games(newest)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The feed, bound to this replica's hub and shards."""
        return build_feed(
            Broadcast(
                last_seq=self._hub.last_seq.remote,
                messages_after=self._hub.messages_after.remote,
                snapshot=self._snapshot,
                queue_messages=self._settings.feed_queue_messages,
            )
        )
