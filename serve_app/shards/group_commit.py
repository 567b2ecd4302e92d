"""Group commit: operations that wait at the same time share one transaction and one fsync.

Whatever comes in while a commit is under way waits for it, and is committed together as the next
one. So the busier the shard, the fewer commits an update costs; an idle one commits at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context
from typing import Any, TypeVar

from serve_app.api.problems import Overloaded, ServiceProblem, Unavailable
from serve_app.storage.errors import StaleWriteError, StoreError

logger = logging.getLogger(__name__)

T = TypeVar("T")
Operation = Callable[[], Any]
ATTEMPTS = 5  # a shard that another one outruns so often is not the one that should write


class GroupCommit:
    """Runs operations one after another, and answers each when all of its group is on disk.

    `writing` is the transaction. An operation that raises a ServiceProblem must have changed
    nothing; any other error takes the group back, and each of it is tried alone. At most
    `most_waiting` operations wait. `committed` is told how many seconds each group took.
    """

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[None]],
        *,
        most_waiting: int,
        committed: Callable[[float], object] = lambda _: None,
    ) -> None:
        self._writing = writing
        self._note_committed = committed
        self._most_waiting = most_waiting
        self._waiting: list[tuple[Operation, asyncio.Future[Any]]] = []

    async def run(self, operation: Callable[[], T]) -> T:
        """The operation's answer, once what it wrote is on disk.

        Raises its ServiceProblem, Unavailable where the store does not answer, and Overloaded
        where too much waits already.
        """
        if len(self._waiting) >= self._most_waiting:
            raise Overloaded(
                f"a shard: expected at most {self._most_waiting} requests to wait; got one more"
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            # After all that has arrived by now has joined; for them all, so in no one's context.
            loop.call_soon(self._commit, context=Context())
        self._waiting.append((operation, answer))
        return await answer

    def _commit(self) -> None:
        group, self._waiting = self._waiting, []
        begun = time.perf_counter()
        outcomes = commit_together(self._writing, [operation for operation, _ in group])
        self._note_committed(time.perf_counter() - begun)
        for (_, answer), outcome in zip(group, outcomes, strict=True):
            if answer.cancelled():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


def commit_together(
    writing: Callable[[], AbstractContextManager[None]], operations: Sequence[Operation]
) -> list[Any]:
    """Run operations in order in one transaction; the answer or the error of each.

    They run anew where another shard wrote one of their games first (`StaleWriteError`).
    """
    for _ in range(ATTEMPTS):
        try:
            with writing():
                return [_outcome(operation) for operation in operations]
        except StaleWriteError as error:
            logger.warning("another shard wrote the same games: %s; trying again", error)
        except StoreError as error:
            return [_unavailable(error)] * len(operations)
        except Exception as defect:
            if len(operations) == 1:
                logger.exception("an operation failed")
                return [defect]
            return [commit_together(writing, [operation])[0] for operation in operations]
    problem = Unavailable("other shards write the same games; send the request again")
    return [problem] * len(operations)


def read(operation: Callable[[], T]) -> T:
    """The answer of an operation that writes nothing, and so waits for no lock of the store."""
    try:
        return operation()
    except StoreError as error:
        raise _unavailable(error) from None


def _unavailable(error: StoreError) -> Unavailable:
    """What is told of a failing store; what the driver says is for the log."""
    logger.error("the store failed: %s", error)
    return Unavailable("the store does not answer; send the request again")


def _outcome(operation: Operation) -> Any:  # noqa: ANN401 - whatever it answers
    try:
        return operation()
    except ServiceProblem as problem:
        return problem
