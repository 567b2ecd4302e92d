"""The applications of a config in Serve: deployed one after the other, and ended in order."""

import threading
import time
from collections.abc import Callable
from importlib import import_module

from ray import serve
from ray.serve.schema import ApplicationStatus, ServeDeploySchema

from serve_app.process.service_process import ServiceProcessError

MODULE = "serve_app.application"
START_SECONDS = 120.0
DRAIN_SECONDS = 10.0  # more than the `graceful_shutdown_timeout_s` of the configs
POLL_SECONDS = 0.25


def deploy(config: ServeDeploySchema) -> None:
    """Deploy the applications of a config, one after the other, and wait until all run.

    A start is bound by the cores: what comes first in the config, which is to be what takes the
    scores, has them first.
    """
    targets = import_module(MODULE).targets(config)
    for target in targets:
        serve.run_many(
            [target],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )
        _await_running(target.name)
    for target in targets:  # none has failed since
        _await_running(target.name)


def _await_running(name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        application = serve.status().applications.get(name)
        status = application.status if application else None
        if application and status is ApplicationStatus.DEPLOY_FAILED:
            raise ServiceProcessError(f"{name} did not start: {application.message}")
        if status is ApplicationStatus.RUNNING:
            return
        if time.monotonic() > deadline:
            raise ServiceProcessError(
                f"expected {name} to run within {START_SECONDS:g} s; it is {status}"
            )
        time.sleep(POLL_SECONDS)


def drain(say: Callable[[str], None]) -> None:
    """Have the replicas end what they do and close their WebSockets with 1012.

    Serve's own shutdown ends the proxy first, and all connections with it. It never fails: what
    goes wrong is said.
    """
    # In a thread: a call to a cluster that is broken may never return.
    draining = threading.Thread(target=_delete_all, args=[say], name="drain", daemon=True)
    draining.start()
    draining.join(DRAIN_SECONDS)


def _delete_all(say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    try:
        for name in serve.status().applications:
            serve.delete(name, _blocking=False)
        while serve.status().applications and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    except Exception as error:  # noqa: BLE001 - Ray and Serve raise what they like
        say(f"the applications are not stopped in order: {error}")
