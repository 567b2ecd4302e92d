"""Executors: where the tasks of a backtest run. This one is the process itself."""

import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import faiss
from threadpoolctl import threadpool_limits


class Done(NamedTuple):
    """A task that has ended: its place among the calls, what it returned, and at what cost.

    `peak_bytes` is the most memory that the process `pid` has held so far.
    """

    place: int
    result: Any
    pid: int
    peak_bytes: int


class Call(NamedTuple):
    """A function and its arguments; large ones are stand-ins that `Executor.share` gave."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]


class Executor(Protocol):
    """Runs functions of plain arguments somewhere; the answers must not depend on where."""

    def share(self, value: object) -> Any:  # noqa: ANN401 - whatever stands for it there
        """A stand-in for a large value, to be given as an argument to many calls."""
        ...

    def run(self, calls: Iterable[Call]) -> Iterator[Done]:
        """The tasks as they end, in any order; calls are taken as there is room for them."""
        ...


class InProcess:
    """One task after another, here."""

    def share(self, value: object) -> Any:  # noqa: ANN401 - as the protocol says
        """The value itself."""
        return value

    def run(self, calls: Iterable[Call]) -> Iterator[Done]:
        """In the order of the calls."""
        for place, call in enumerate(calls):
            yield measured(place, *call)


def measured(place: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Done:
    """One call with one thread for numerics, so that its sums are the same everywhere."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with threadpool_limits(1):
            result = work(*arguments)
    finally:
        faiss.omp_set_num_threads(threads)
    return Done(place, result, os.getpid(), peak_bytes())


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
