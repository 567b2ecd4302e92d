"""What Serve replicas run: thin adapters that load, parse, call and return."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI
from ray import serve
from ray.serve.context import _get_serve_request_context
from ray.serve.handle import DeploymentHandle

from models.forecasters.live_models import DejavuForecast, ask_dejavu, ask_lstm
from serve_app.access.access import Access, access_of
from serve_app.api.ingress import build_api
from serve_app.live.broadcast import Broadcast
from serve_app.live.frames import offer_frames
from serve_app.live.history import History
from serve_app.live.live_feed import build_feed
from serve_app.live.live_hub import connect_hub
from serve_app.live.live_service import LiveService
from serve_app.live.news import News
from serve_app.model.forecasting import DejavuQuestion, LstmQuestion
from serve_app.model.model_deployments import asks
from serve_app.model.model_shelf import ModelShelf
from serve_app.model.served_model import ServedModel, load_bundle
from serve_app.model.user_config import Batching, InService
from serve_app.schemas import GameView
from serve_app.settings import Settings
from serve_app.shards.shard_pool import ShardPool
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.store import Store
from serve_app.storage.ticket_rows import TicketRows
from serve_app.system.asking import asking
from serve_app.system.feed_watch import FeedWatch
from serve_app.system.ingress_watch import IngressWatch, Responses
from serve_app.system.logs import log_as_replica
from serve_app.system.reporting import reporting, start
from serve_app.system.system_news import SystemNews
from serve_app.webhooks.webhook_dispatcher import connect_dispatcher

AnswerT = TypeVar("AnswerT")
QuestionT = TypeVar("QuestionT", DejavuQuestion, LstmQuestion)

SNAPSHOT_GAMES = 200
DISPATCHER_SECONDS = 10.0


class BatchedReplica:
    """A replica whose `_batch` method is batched by Serve, with numbers from its `user_config`."""

    _batch: Any

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new batching numbers without a restart."""
        batching = Batching.model_validate(user_config)
        self._batch.set_max_batch_size(batching.max_batch_size)
        self._batch.set_batch_wait_timeout_s(batching.batch_wait_timeout_s)


class DejavuReplica(BatchedReplica):
    """Answers lists of game states by similarity search over the library of the bundle asked."""

    def __init__(self, settings: Settings) -> None:
        log_as_replica()
        self._shelf = ModelShelf(lambda folder: load_bundle(folder, settings).dejavu)
        self._shelf.take(settings.bundle)

    async def forecast(self, questions: list[DejavuQuestion]) -> list[DejavuForecast]:
        """One answer per question, in order."""
        await self._shelf.fetch({question.bundle for question in questions})
        answers: list[DejavuForecast] = await self._batch(questions)
        return answers

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0)
    async def _batch(self, lists: list[list[DejavuQuestion]]) -> list[list[DejavuForecast]]:
        questions = [question for asked in lists for question in asked]
        return _share_out(_by_bundle(questions, self._answer), lists)

    def _answer(self, bundle: Path, questions: Sequence[DejavuQuestion]) -> list[DejavuForecast]:
        return ask_dejavu(
            self._shelf.take(bundle),
            [question.state for question in questions],
            [question.expected_margin for question in questions],
            [question.exclude_game_id for question in questions],
            [question.similar for question in questions],
        )


class LstmReplica(BatchedReplica):
    """Answers lists of game states by the network, on a GPU where the config gives it one."""

    def __init__(self, settings: Settings) -> None:
        log_as_replica()
        self._shelf = ModelShelf(
            lambda folder: load_bundle(folder, settings).load_lstm(settings.device)
        )
        self._shelf.take(settings.bundle)

    async def forecast(self, questions: list[LstmQuestion]) -> list[tuple[float, float]]:
        """The margins in points by horizon, one pair per question, in order."""
        await self._shelf.fetch({question.bundle for question in questions})
        answers: list[tuple[float, float]] = await self._batch(questions)
        return answers

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0)
    async def _batch(self, lists: list[list[LstmQuestion]]) -> list[list[tuple[float, float]]]:
        questions = [question for asked in lists for question in asked]
        return _share_out(_by_bundle(questions, self._answer), lists)

    def _answer(self, bundle: Path, questions: Sequence[LstmQuestion]) -> list[tuple[float, float]]:
        return ask_lstm(
            self._shelf.take(bundle),
            [question.state for question in questions],
            [question.expected_margin for question in questions],
        )


def _by_bundle(
    questions: Sequence[QuestionT], answer: Callable[[Path, list[QuestionT]], list[AnswerT]]
) -> list[AnswerT]:
    """One answer per question, in order, those of one bundle made together."""
    answers: dict[int, AnswerT] = {}
    for bundle in {question.bundle for question in questions}:
        rows = [row for row, question in enumerate(questions) if question.bundle == bundle]
        made = answer(bundle, [questions[row] for row in rows])
        answers.update(zip(rows, made, strict=True))
    return [answers[row] for row in range(len(questions))]


def _share_out(
    answers: Sequence[AnswerT], lists: Sequence[Sequence[object]]
) -> list[list[AnswerT]]:
    """Give each list of questions its answers back."""
    rest = iter(answers)
    return [[next(rest) for _ in asked] for asked in lists]


def _request_id() -> str:
    """The id that Serve has given the request under way, which is in its log lines too."""
    return _get_serve_request_context().request_id


def _access(settings: Settings, store: Store) -> Access:
    """Who may do what, by the keys of the store."""
    return access_of(settings, ApiKeys(store.database), TicketRows(store.database))


@serve.ingress()
class IngressReplica:
    """The HTTP routes, which have the shards take scores and forecast patterns themselves.

    Composed asks both model deployments, fused holds the models.
    """

    def __init__(
        self,
        settings: Settings,
        dejavu: DeploymentHandle[Any] | None = None,
        lstm: DeploymentHandle[Any] | None = None,
    ) -> None:
        log_as_replica()
        self._settings = settings
        self._hub = connect_hub(settings)
        self._watch = IngressWatch()
        self._store = Store.at(settings.data_dir, settings.store_url)
        self._model = ServedModel(
            settings,
            self._store,
            dejavu=asks(dejavu, "Dejavu") if dejavu else None,
            lstm=asks(lstm, "Lstm") if lstm else None,
            observe=self._watch.forecast,
        )
        self._watch.model = self._model
        self._service = LiveService(
            settings,
            ShardPool.connect(settings, lambda: self._model.folder, _request_id),
            self._model,
            self._model,
        )
        self._reporting: asyncio.Task[None] | None = None

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take the bundle in service; called as the replica starts and at each edit of the config.

        While this runs Serve sends the replica no requests, and where it raises Serve replaces the
        replica. So another bundle is only asked for here, and one that is wrong is logged.
        """
        bundle = InService.model_validate(user_config).bundle or self._settings.bundle
        if self._reporting is not None:
            self._model.change_to(bundle)
            return
        self._reporting = start(reporting(self._hub, self._watch, "ingress"))
        await self._model.begin_with(bundle)
        self._service.start()

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The routes, bound to this replica's service."""
        access = _access(self._settings, self._store)
        api = build_api(
            self._settings,
            self._service,
            self._store,
            self._model,
            access,
            system=asking(self._hub),
        )
        api.add_middleware(Responses, watch=self._watch)
        return api


@serve.ingress()
class LiveFeedReplica:
    """The live feed, over WebSocket and as server-sent events."""

    def __init__(self, settings: Settings) -> None:
        log_as_replica()
        offer_frames()  # before Serve starts the server of this replica
        self._settings = settings
        self._hub = connect_hub(settings)
        self._shards = ShardPool.connect(settings)
        self._store = Store.at(settings.data_dir, settings.store_url)

    async def _games(self, chosen: Collection[str] | None) -> list[GameView]:
        """These games; where none are named those that were registered last."""
        if chosen is None:
            chosen = await asyncio.to_thread(self._store.games.newest, SNAPSHOT_GAMES)
        return await self._shards.games(list(chosen))

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The feed, bound to this replica's hub and shards."""
        watch = FeedWatch()
        journal_news = News(self._store.journal, self._shards.news)
        watch.broadcast = broadcast = Broadcast(
            last_seq=journal_news.last_seq,
            messages_after=journal_news.messages_after,
            games=self._games,
            history=History(self._store.journal),
            queue_messages=self._settings.feed_queue_messages,
            max_watchers=self._settings.max_watchers,
            carried=watch.carried,
        )
        system_news = SystemNews(broadcast, asking(self._hub))
        reports = reporting(self._hub, watch, "feed")
        access = _access(self._settings, self._store)
        beside = (journal_news.run, system_news.run, reports.run, self._start_dispatcher)
        return build_feed(broadcast, access, beside=beside)

    async def _start_dispatcher(self) -> None:
        """Have webhooks served, a moment later: a start of the service is bound by the cores."""
        await asyncio.sleep(DISPATCHER_SECONDS)
        connect_dispatcher(self._settings)
