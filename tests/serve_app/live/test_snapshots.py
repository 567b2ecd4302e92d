import asyncio
import json
from collections.abc import Collection

import pytest

from serve_app.api.problems import Unavailable
from serve_app.live.message import Message
from serve_app.live.snapshots import Snapshots
from serve_app.schemas import GameView
from tests.serve_app.conftest import registration


class Games:
    """Knows the games `older` and `newest`, and was asked for what is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[Collection[str] | None] = []
        self.away = False

    async def __call__(self, chosen: Collection[str] | None) -> list[GameView]:
        self.asked.append(chosen)
        if self.away:
            raise ConnectionError("the shards are away")
        known = ["older", "newest"]
        told = ["newest"] if chosen is None else [one for one in known if one in chosen]
        return [GameView(**registration(one).model_dump(), state="registered") for one in told]


@pytest.fixture
def games() -> Games:
    return Games()


@pytest.fixture
def snapshots(games: Games) -> Snapshots:
    return Snapshots(games, 100)


def names(message: Message) -> list[str]:
    return [game["game_id"] for game in json.loads(message.text)["games"]]


async def test_who_names_no_game_shares_one_message(snapshots: Snapshots, games: Games):
    taken = snapshots.take(7, 0)
    first = await snapshots.message(taken, None, None)
    assert (first.seq, names(first)) == (7, ["newest"])
    assert await snapshots.message(snapshots.take(9, 2), None, None) is first
    assert games.asked == [None]


@pytest.mark.parametrize(
    ("named", "told", "asked"),
    [
        ({"newest"}, ["newest"], [None]),
        ({"older"}, ["older"], [None, ["older"]]),
        ({"older", "newest", "none"}, ["newest", "older"], [None, ["none", "older"]]),
    ],
)
async def test_a_game_that_is_named_is_told_of_however_old(
    snapshots: Snapshots,
    games: Games,
    named: set[str],
    told: list[str],
    asked: list[Collection[str] | None],
):
    message = await snapshots.message(snapshots.take(7, 0), frozenset(named), 3)
    assert names(message) == told
    assert json.loads(message.text)["unknown_since"] == 3
    assert games.asked == asked


async def test_games_that_do_not_answer_any_more_are_a_problem(snapshots: Snapshots, games: Games):
    taken = snapshots.take(7, 0)
    await snapshots.message(taken, None, None)
    games.away = True
    with pytest.raises(Unavailable):
        await snapshots.message(taken, frozenset({"older"}), None)


async def test_after_a_failure_the_games_are_asked_anew(snapshots: Snapshots, games: Games):
    games.away = True
    with pytest.raises(Unavailable):
        await snapshots.message(snapshots.take(7, 0), None, None)
    games.away = False
    assert names(await snapshots.message(snapshots.take(8, 1), None, None)) == ["newest"]


async def test_older_games_are_asked_for_once_and_a_few_at_a_time(
    snapshots: Snapshots, games: Games
):
    many = frozenset({"older", *(f"g{number:02}" for number in range(30))})
    taken = snapshots.take(7, 0)
    told = await asyncio.gather(*(snapshots.message(taken, many, None) for _ in range(3)))
    assert [names(message) for message in told] == [["older"]] * 3
    assert [len(asked) for asked in games.asked if asked is not None] == [20, 11]
