"""Ray as the executor of a backtest: tasks on a cluster, or on one that this process starts."""

import logging
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from models.backtest.executor import Call, Done, measured

# What Ray reads when it is imported, so later it would only reach the processes that it starts;
# what is set already stays. The token is of this process's own.
_LOCAL = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "OMP_NUM_THREADS": "1",
}


def inside_cluster() -> bool:
    """Whether a Ray job runs this process, or an operator has named a cluster."""
    return bool(os.environ.get("RAY_ADDRESS") or os.environ.get("RAY_JOB_ID"))


@contextmanager
def ray_chunks(workers: int | None) -> Iterator["RayChunks"]:
    """An executor of at most so many tasks at once.

    As a Ray job they run on its cluster, on all of its CPUs where `workers` is None; else on one
    of this process's own, on loopback and without a dashboard, that ends with it.
    """
    if not inside_cluster() and "ray" not in sys.modules:
        for name, value in {**_LOCAL, "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
            os.environ.setdefault(name, value)
    import ray  # noqa: PLC0415 - it reads the environment when it is imported

    if inside_cluster():
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    else:
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.WARNING,
            _node_ip_address="127.0.0.1",
        )
    try:
        cpus = int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
        yield RayChunks(workers or cpus)
    finally:
        ray.shutdown()


class RayChunks:
    """Calls as Ray tasks of one CPU each; large arguments lie once in the object store."""

    def __init__(self, workers: int) -> None:
        import ray  # noqa: PLC0415 - see above

        self._ray = ray
        self._workers = workers
        self._task = ray.remote(num_cpus=1, max_retries=3)(_task)

    def share(self, value: object) -> Any:  # noqa: ANN401 - as the protocol says
        """A reference to the value in the object store."""
        return self._ray.put(value)

    def run(self, calls: Iterable[Call]) -> Iterator[Done]:
        """The tasks as they end."""
        waiting: dict[Any, int] = {}
        numbered = enumerate(calls)
        more = True
        while more or waiting:
            while more and len(waiting) < self._workers:
                place, call = next(numbered, (-1, None))
                more = call is not None
                if call is not None:
                    waiting[self._task.remote(place, call.work, *call.arguments)] = place
            if waiting:
                (ended, *_), _ = self._ray.wait(list(waiting), num_returns=1)
                del waiting[ended]
                yield self._ray.get(ended)


def _task(place: int, work: Any, *arguments: Any) -> Done:  # noqa: ANN401 - any call
    return measured(place, work, arguments)
