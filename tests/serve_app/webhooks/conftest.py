"""A clock, a receiver without a network, and a store in which games are played."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import pytest

from serve_app.schemas import WebhookRegistration, WebhookWithSecret
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied
from serve_app.storage.store import Store
from serve_app.webhooks.dispatcher import Attempt, Dispatcher
from serve_app.webhooks.errors import WebhookError
from serve_app.webhooks.registry import Registry
from serve_app.webhooks.sender import ReceiverAnswer
from serve_app.webhooks.signature import verify
from tests.serve_app.conftest import forecast, registration, updates

NOW = 1_704_500_000.25
URL = "https://receiver.invalid/hook"


class Clock:
    """Seconds since the epoch, as far as tests let them go by."""

    def __init__(self) -> None:
        self.seconds = NOW

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Posted:
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class FakeReceiver:
    """Takes what is posted; `answer` says how, or raises. `attempts` is what was observed."""

    posted: list[Posted] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    answer: Callable[[str], ReceiverAnswer | WebhookError] = lambda _: ReceiverAnswer(200)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        self.posted.append(Posted(url, dict(headers), body))
        answer = self.answer(url)
        if isinstance(answer, WebhookError):
            raise answer
        return answer

    @property
    def ids(self) -> list[str]:
        return [posted.id for posted in self.posted]

    def verified(self, secret: str, now: float) -> list[str]:
        """The ids of what was posted, all of it genuine."""
        return [verify(secret, one.headers, one.body, now=now) for one in self.posted]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> FakeReceiver:
    return FakeReceiver()


@pytest.fixture
def registry(store: Store, clock: Clock) -> Registry:
    return Registry(store, clock)


def dispatcher_of(store: Store, receiver: FakeReceiver, clock: Clock) -> Dispatcher:
    return Dispatcher(
        store,
        receiver.post,
        now=clock,
        chance=Random(5),  # noqa: S311
        observe=receiver.attempts.append,
    )


@pytest.fixture
def dispatcher(store: Store, receiver: FakeReceiver, clock: Clock) -> Dispatcher:
    return dispatcher_of(store, receiver, clock)


async def dispatch(dispatcher: Dispatcher) -> None:
    """All that is new and due now."""
    await dispatcher.look()
    await dispatcher.settle()


def wanted(*events: str, url: str = URL, **rules: object) -> WebhookRegistration:
    return WebhookRegistration.model_validate(
        {"url": url, "events": list(events), "rules": rules or None}
    )


def registered(registry: Registry, *events: str, url: str = URL) -> WebhookWithSecret:
    return registry.register(wanted(*events, url=url))


def play(store: Store, clock: Clock, game_id: str = "g1", point: float = 7.0) -> GameShard:
    """The first half of a game: 1 game, 50 scores, 1 prediction and 1 outcome in the journal."""
    shard = GameShard(store, now=clock)
    shard.register(registration(game_id))
    course = updates(1470, game_id=game_id)
    dues = [item.due for item in shard.apply(course[:40]) if isinstance(item, Applied)]
    assert dues[-1] is not None
    shard.forecasts.record(dues[-1], forecast(point))
    shard.apply(course[40:])
    return shard
