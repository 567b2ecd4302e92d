"""Ray as an executor; that a backtest's rows do not depend on it is tested with the backtest."""

import os
from collections.abc import Iterator

import numpy as np
import pytest

from models.backtest.executor import Call
from models.errors import DataError
from serve_app.ray_chunks import RayChunks, inside_cluster, ray_chunks


@pytest.fixture(scope="module")
def executor() -> Iterator[RayChunks]:
    with ray_chunks(2) as executor:
        yield executor


def scaled(values: np.ndarray[tuple[int], np.dtype[np.float64]], factor: float) -> float:
    return float(values.sum() * factor)


def refused(_: object) -> None:
    raise DataError("seasons: expected another one")


def test_every_call_ends_once_elsewhere_with_what_it_cost(executor: RayChunks) -> None:
    values = executor.share(np.arange(1000.0))
    done = list(executor.run(Call(scaled, (values, factor)) for factor in range(7)))
    assert sorted(one.place for one in done) == list(range(7))
    assert {one.place: one.result for one in done} == {n: n * 499_500.0 for n in range(7)}
    assert os.getpid() not in {one.pid for one in done}
    assert all(one.peak_bytes > 1_000_000 for one in done)


def test_calls_are_taken_as_there_is_room(executor: RayChunks) -> None:
    taken = []

    def calls() -> Iterator[Call]:
        for number in range(6):
            taken.append(number)
            yield Call(scaled, (np.ones(3), 1.0))

    run = executor.run(calls())
    next(run)
    assert len(taken) == 2
    assert len(list(run)) == 5


def test_a_tasks_error_is_raised_here_as_what_it_is(executor: RayChunks) -> None:
    with pytest.raises(DataError, match="expected another one"):
        list(executor.run([Call(refused, (None,))]))


def test_a_job_or_a_named_cluster_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    assert not inside_cluster()
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    assert inside_cluster()
