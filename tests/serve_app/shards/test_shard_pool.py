"""The pool of shards: who answers while a shard is away. The actors run in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from ray.exceptions import ActorUnavailableError

from models.errors import BundleError
from serve_app.api.problems import Unavailable
from serve_app.schemas import ScoreResult
from serve_app.settings import SHIPPED_BUNDLE, Settings
from serve_app.shards import shard_actor, shard_pool
from serve_app.shards.shard_actor import ShardActor, shard_of
from serve_app.shards.shard_pool import ShardPool
from tests.serve_app.conftest import registration, update, updates

AWAY = ActorUnavailableError("the actor is restarting", None)


class Call:
    """A method of an actor, as a handle has it."""

    def __init__(self, run: Callable[..., Awaitable[Any]], actor: "LocalActor") -> None:
        self._run = run
        self._actor = actor

    def options(self, **_: object) -> Self:
        return self

    async def remote(self, *arguments: object) -> Any:  # noqa: ANN401
        if self._actor.is_away:
            self._actor.asked += 1
            raise AWAY
        return await self._run(*arguments)


class LocalActor:
    """A handle to a shard in this process, which can be away."""

    def __init__(self, settings: Settings) -> None:
        self.is_away = False
        self.asked = 0
        self.shard = ShardActor(settings)

    def __getattr__(self, method: str) -> Call:
        return Call(getattr(self.shard, method), self)

    def restart(self, settings: Settings) -> None:
        self.shard = ShardActor(settings)
        self.is_away = False


def deaf_hub() -> SimpleNamespace:
    """A hub that takes whatever it is told."""

    async def take(*_: object) -> None:
        pass

    told = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=take))
    return SimpleNamespace(take_report=told)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(shard_actor, "connect_hub", lambda _: deaf_hub())
    return Settings(data_dir=tmp_path, placement="fused")


def pool_of(actors: list[LocalActor], bundle: Path = SHIPPED_BUNDLE) -> ShardPool:
    return ShardPool(actors, lambda: bundle)


async def test_while_a_shard_is_away_the_next_one_answers(settings: Settings):
    actors = [LocalActor(settings) for _ in range(2)]
    pool = pool_of(actors)
    own = actors[shard_of("g1", 2)]
    await pool.register(registration())
    await pool.post_scores(updates(1070))

    own.is_away = True
    (crossing,) = await pool.post_scores([update(1080, 18)])
    assert isinstance(crossing, ScoreResult)
    prediction = crossing.prediction
    assert prediction is not None
    assert await pool.prediction("g1") == prediction
    assert (await pool.game("g1")).updates == 37
    assert (await pool.comparison("g1")).pattern == prediction.pattern
    own.restart(settings)
    (after,) = await pool.post_scores([update(1090, 20)])
    assert isinstance(after, ScoreResult)
    view = await pool.game("g1")
    assert (view.updates, view.prediction) == (38, prediction)


async def test_what_the_other_shard_wrote_meanwhile_is_told(settings: Settings):
    actors = [LocalActor(settings) for _ in range(2)]
    pool = pool_of(actors)
    own, other = actors[shard_of("g1", 2)], actors[1 - shard_of("g1", 2)]
    await pool.register(registration())
    for minute in (1, 2, 3):
        assert (await pool.game("g1")).updates == minute - 1  # its own shard has it in memory
        own.is_away = True
        await pool.post_scores([update(60 * minute, minute)])
        assert (await pool.games(["g1"]))[0].margin == minute
        own.is_away = False
    assert (await pool.game("g1")).updates == 3
    other.is_away = True
    await pool.end("g1")
    own.is_away, other.is_away = True, False
    assert (await pool.game("g1")).state == "ended"


async def test_a_pool_of_one_waits_for_its_shard(settings: Settings):
    actor = LocalActor(settings)
    pool = pool_of([actor])
    await pool.register(registration())
    actor.is_away = True
    posting = asyncio.create_task(pool.post_scores([update(60, 2)]))
    while not actor.asked:
        await asyncio.sleep(0)
    actor.restart(settings)
    assert isinstance((await posting)[0], ScoreResult)


async def test_where_all_are_away_the_problem_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_pool, "AWAY_SECONDS", 0.1)
    actors = [LocalActor(settings) for _ in range(2)]
    for actor in actors:
        actor.is_away = True
    pool = pool_of(actors)
    with pytest.raises(Unavailable, match="a shard is down"):
        await pool.game("g1")
    (problem,) = await pool.post_scores([update(60, 2)])
    assert isinstance(problem, Unavailable)


async def test_a_shard_needs_no_gpu(settings: Settings):
    actor = LocalActor(settings.model_copy(update={"device": "cuda"}))
    pool = pool_of([actor])
    await pool.register(registration())
    (*_, crossing) = await pool.post_scores(updates(1080))
    assert isinstance(crossing, ScoreResult)
    assert crossing.prediction is not None


async def test_a_shard_logs_the_request_that_it_works_for(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    actor = LocalActor(settings.model_copy(update={"bundle": tmp_path / "nowhere"}))
    pool = ShardPool([actor], lambda: tmp_path / "nowhere", lambda: "r-9")
    await pool.register(registration())
    await asyncio.create_task(pool.post_scores(updates(1080)))
    (stays_due,) = [one for one in caplog.records if "stay due" in one.getMessage()]
    assert getattr(stays_due, "request_id", None) == "r-9"


async def test_where_the_bundle_cannot_be_loaded_scores_are_taken_and_the_forecast_stays_due(
    settings: Settings, tmp_path: Path
):
    actor = LocalActor(settings.model_copy(update={"bundle": tmp_path / "nowhere"}))
    broken, mended = pool_of([actor], tmp_path / "nowhere"), pool_of([actor])
    await broken.register(registration())
    (*_, crossing) = await broken.post_scores(updates(1080))
    assert isinstance(crossing, ScoreResult)
    assert crossing.prediction is None
    with pytest.raises(BundleError):
        await broken.ready()
    (after,) = await mended.post_scores([update(1090, 20)])
    assert isinstance(after, ScoreResult)
    assert after.prediction is not None
    assert await mended.ready() == 1
