"""Group commit: who shares a transaction, who hears what when it fails."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from serve_app.api.problems import Overloaded, Unavailable, UnknownGame
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import ATTEMPTS, GroupCommit, commit_together
from serve_app.storage.errors import StaleWriteError, StoreUnavailableError
from serve_app.storage.store import Store
from tests.serve_app.conftest import registration, update


class Transactions:
    """Counts transactions; the next ones end in `failures`, one each."""

    def __init__(self) -> None:
        self.ended = 0
        self.failures: list[Exception] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        yield
        if self.failures:
            raise self.failures.pop(0)
        self.ended += 1


@pytest.fixture
def transactions() -> Transactions:
    return Transactions()


async def test_what_waits_together_shares_one_transaction(transactions: Transactions):
    commits = GroupCommit(transactions, most_waiting=100)
    numbers = await asyncio.gather(*(commits.run(partial(int, n)) for n in range(50)))
    assert numbers == list(range(50))
    assert transactions.ended == 1
    assert await commits.run(lambda: 7) == 7
    assert transactions.ended == 2


async def test_nothing_is_answered_before_its_transaction_has_ended(store: Store):
    shard = GameShard(store)
    commits = GroupCommit(shard.writing, most_waiting=100)
    await commits.run(lambda: shard.register(registration()))
    posts = [
        asyncio.create_task(commits.run(partial(shard.apply, [update(n, n)]))) for n in range(1, 20)
    ]
    for post in asyncio.as_completed(posts):
        await post
        with store.database.reading():
            assert sum(row.type == "score" for row in store.journal.of_game("g1")) == 19


async def test_a_problem_of_one_is_told_to_it_alone(transactions: Transactions):
    commits = GroupCommit(transactions, most_waiting=100)

    def fail() -> None:
        raise UnknownGame.of("g9")

    answers = await asyncio.gather(
        commits.run(lambda: 1), commits.run(fail), commits.run(lambda: 3), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (1, 3)
    assert isinstance(answers[1], UnknownGame)
    assert transactions.ended == 1


async def test_a_defect_takes_the_group_back_and_each_is_tried_alone(store: Store):
    shard = GameShard(store)
    commits = GroupCommit(shard.writing, most_waiting=100)
    await commits.run(lambda: shard.register(registration()))

    def break_in_the_middle() -> None:
        shard.apply([update(90, 9)])
        raise ZeroDivisionError

    answers = await asyncio.gather(
        commits.run(lambda: shard.apply([update(60, 1)])),
        commits.run(break_in_the_middle),
        commits.run(lambda: shard.apply([update(120, 2)])),
        return_exceptions=True,
    )
    assert isinstance(answers[1], ZeroDivisionError)
    for one in (shard, GameShard(store)):
        assert (one.game("g1").updates, one.game("g1").margin) == (2, 2)


def test_a_store_that_is_away_is_a_problem_to_be_repeated(
    transactions: Transactions, caplog: pytest.LogCaptureFixture
):
    transactions.failures = [StoreUnavailableError("the disk is full")]
    outcomes = commit_together(transactions, [lambda: 1, lambda: 2])
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    assert "disk" not in outcomes[0].detail  # what the driver says is for the log
    assert "the disk is full" in caplog.text
    assert outcomes[0].headers == {"Retry-After": "1"}


def test_a_stale_write_is_tried_again_and_not_for_ever(transactions: Transactions):
    transactions.failures = [StaleWriteError("another was first")] * (ATTEMPTS - 1)
    assert commit_together(transactions, [lambda: 1]) == [1]
    transactions.failures = [StaleWriteError("another was first")] * ATTEMPTS
    (outcome,) = commit_together(transactions, [lambda: 1])
    assert isinstance(outcome, Unavailable)


async def test_beyond_the_bound_nothing_waits(transactions: Transactions):
    commits = GroupCommit(transactions, most_waiting=3)
    answers = await asyncio.gather(
        *(commits.run(lambda: 1) for _ in range(5)), return_exceptions=True
    )
    assert answers[:3] == [1, 1, 1]
    assert all(isinstance(answer, Overloaded) for answer in answers[3:])


async def test_a_caller_that_hung_up_does_not_hold_up_the_others(transactions: Transactions):
    commits = GroupCommit(transactions, most_waiting=3)
    gone = asyncio.create_task(commits.run(lambda: 1))
    stays = asyncio.create_task(commits.run(lambda: 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
