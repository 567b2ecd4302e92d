import asyncio
import json
import logging
from datetime import date

import pytest

from models.calibration.learned_game import LearnedGame
from models.game.horizon import CELLS
from serve_app.game.ended_game import EndedGame
from serve_app.live.live_service import LiveService
from serve_app.model.learning import Learning
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards, NormalPlacement, registration, updates

VERSION = "model-1"


class Teacher:
    """Learns games, fails on those it is told to, and notes which it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.failing: set[str] = set()

    async def learn(self, ended: EndedGame) -> LearnedGame:
        self.given.append(ended.game_id)
        await asyncio.sleep(0)
        if ended.game_id in self.failing:
            raise RuntimeError("the models are down")
        errors = None if ended.margins is None else (0.5,) * len(CELLS)
        return LearnedGame(
            game_id=ended.game_id,
            date=ended.date,
            season=ended.season,
            playoffs=ended.playoffs,
            home=ended.home,
            away=ended.away,
            final_home=ended.final_home,
            final_away=ended.final_away,
            expected_margin=2.0,
            margins=ended.margins,
            last_score=ended.last_score,
            dejavu_errors=errors,
            lstm_errors=errors,
        )


@pytest.fixture
def teacher() -> Teacher:
    return Teacher()


@pytest.fixture
def learning(store: Store, teacher: Teacher) -> Learning:
    return Learning(store, teacher.learn, VERSION)


@pytest.fixture
def taught(shard: GameShard, placement: NormalPlacement, learning: Learning) -> LiveService:
    return LiveService(Settings(), LocalShards(shard, placement), placement, learning)


def play(shard: GameShard, *game_ids: str) -> None:
    for game_id in game_ids:
        shard.register(registration(game_id))
        shard.apply(updates(2880, game_id=game_id))


def learned(store: Store) -> list[str]:
    return [row.game_id for row in store.lessons.learned_games(VERSION)]


async def test_a_game_that_ends_is_learned_once(
    taught: LiveService, shard: GameShard, store: Store, teacher: Teacher
):
    play(shard, "g1")
    first = await taught.end("g1")
    assert await taught.end("g1") == first
    await taught.settle()
    assert teacher.given == learned(store) == ["g1"]
    (row,) = store.lessons.learned_games(VERSION)
    game = LearnedGame.from_payload(json.loads(row.payload))
    assert (game.final_home, game.margins) == (48, tuple(range(1, 49)))


async def test_what_could_not_be_learned_is_tried_at_the_next_end(
    taught: LiveService,
    shard: GameShard,
    store: Store,
    teacher: Teacher,
    caplog: pytest.LogCaptureFixture,
):
    play(shard, "g1", "g2")
    teacher.failing = {"g1"}
    with caplog.at_level(logging.ERROR):
        await taught.end("g1")
        await taught.settle()
    assert learned(store) == []
    assert "game g1 is not learned yet" in caplog.text
    teacher.failing = set()
    await taught.end("g2")
    await taught.settle()
    assert learned(store) == ["g1", "g2"]


async def test_one_that_fails_holds_up_no_other(
    taught: LiveService, shard: GameShard, store: Store, teacher: Teacher
):
    play(shard, "g1", "g2")
    teacher.failing = {"g1"}
    await taught.end("g1")
    await taught.end("g2")
    await taught.settle()
    assert learned(store) == ["g2"]


async def test_at_its_start_a_service_learns_what_ended_meanwhile(
    taught: LiveService, shard: GameShard, store: Store
):
    play(shard, "g1")
    shard.end("g1")
    taught.start()
    await taught.settle()
    assert learned(store) == ["g1"]


async def test_what_the_model_has_seen_is_not_learned_again(
    store: Store, shard: GameShard, teacher: Teacher
):
    play(shard, "g1")
    shard.end("g1")
    day = shard.game("g1").day
    assert day is not None
    for known_until, given in ((day, []), (date(2000, 1, 1), ["g1"])):
        learning = Learning(store, teacher.learn, VERSION, known_until=known_until)
        learning.wake()
        await learning.settle()
        assert teacher.given == given


async def test_a_game_that_ends_while_another_is_learned_is_learned_too(
    learning: Learning, shard: GameShard, store: Store
):
    play(shard, "g1", "g2")
    shard.end("g1")
    learning.wake()
    shard.end("g2")
    learning.wake()
    await learning.settle()
    assert sorted(learned(store)) == ["g1", "g2"]
