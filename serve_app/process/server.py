"""Runs the service on a Ray cluster of this process's own, and stops all that it started.

Started by `scripts/serve.py` with the environment that Ray and Serve read at import.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import FrameType

import ray
from ray import serve
from ray.serve.schema import EncodingType, ServeDeploySchema

from serve_app.process.applications import MODULE, deploy, drain
from serve_app.process.config_edits import ConfigEdits
from serve_app.process.config_file import load_config
from serve_app.process.daily_archive import DailyArchive
from serve_app.process.environment import LOOPBACK
from serve_app.process.exposure import asks_for_token, exposure_warnings, listeners_of
from serve_app.process.key_check import expect_keys_where_others_reach
from serve_app.process.service_process import ServiceProcessError, expect_free
from serve_app.process.session import session_members
from serve_app.settings import Settings, SettingsError
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store

WATCH_SECONDS = 1.0


class StopRequestedError(Exception):
    """SIGINT or SIGTERM came."""


def serve_forever(config_path: Path, *, port: int | None, data_dir: Path | None) -> None:
    """Run the service in the foreground until SIGINT or SIGTERM, then stop all it started.

    Raises SettingsError where the config is wrong, ServiceProcessError where the service does not
    come up.
    """
    edits = ConfigEdits(config_path, lambda: load_config(config_path, port=port, data_dir=data_dir))
    http = edits.in_service.http_options
    address = (http.host, http.port)
    print(_check_keys(edits.in_service), flush=True)
    expect_free(address[1], address[0])
    metrics = metrics_port_of(os.environ)
    expect_free(metrics, LOOPBACK, "HALFTIME_METRICS_PORT")
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():  # A second signal must not interrupt the stopping.
            stop.set()
            raise StopRequestedError

    try:
        _listen(on_signal)
        # Read while Ray's processes start, which leaves this one little to do.
        threading.Thread(target=import_module, args=[MODULE], daemon=True).start()
        _start_ray(edits.in_service, metrics)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)  # of this process alone
        _listen(on_signal)  # Ray has set handlers of its own.
        _start_serve(edits.in_service)
        deploy(edits.in_service)
        _warn_of_exposure()
        print(f"metrics on http://{LOOPBACK}:{metrics}/metrics", flush=True)
        print(f"serving on http://{address[0]}:{address[1]}", flush=True)
        archive = DailyArchive(_settings_of(edits.in_service), _say_error)
        started_by = os.getppid()
        while os.getppid() == started_by:  # Nobody is left to stop us where it was killed.
            stop.wait(WATCH_SECONDS)
            take_edit(edits, deploy)
            archive.look()
    except StopRequestedError:
        print("stopping", flush=True)
    finally:
        stop.set()
        if ray.is_initialized():
            try:
                drain(_say_error)
                serve.shutdown()  # type: ignore[no-untyped-call]
            finally:
                ray.shutdown()


def take_edit(edits: ConfigEdits, deploy: Callable[[ServeDeploySchema], None]) -> None:
    """Deploy the config file anew where it was edited; a wrong one is refused and nothing changes.

    Serve gives a changed `user_config` to running replicas, which then take the new bundle behind
    their answers. An edit never ends a service that runs: whatever goes wrong is said.
    """
    try:
        config = edits.edited()
    except SettingsError as error:
        print(f"the edited config file is refused: {error}", file=sys.stderr, flush=True)
        return
    if config is None:
        return
    if _deployed(config, deploy):
        edits.in_service = config
        print("the edited config file is taken; GET /models names the bundle", flush=True)
    elif _deployed(edits.in_service, deploy):
        print("the config before the edit is back", file=sys.stderr, flush=True)


def _deployed(config: ServeDeploySchema, deploy: Callable[[ServeDeploySchema], None]) -> bool:
    try:
        deploy(config)
    except StopRequestedError:
        raise
    except Exception as error:  # noqa: BLE001 - Ray and Serve raise what they like
        print(f"the edited config file does not deploy: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _settings_of(config: ServeDeploySchema) -> Settings:
    return Settings.parse(config.applications[0].args) if config.applications else Settings()


def _say_error(error: str) -> None:
    print(error, file=sys.stderr, flush=True)


def _check_keys(config: ServeDeploySchema) -> str:
    """What is said of keys; raises SettingsError, ServiceProcessError."""
    settings = _settings_of(config)
    store = Store.at(settings.data_dir, settings.store_url)
    try:
        has_keys = bool(ApiKeys(store.database).all())
    except StoreError as error:
        raise ServiceProcessError(f"the API keys cannot be read: {error}") from None
    finally:
        store.close()
    return expect_keys_where_others_reach(str(config.http_options.host), has_keys=has_keys)


def _warn_of_exposure() -> None:
    """Say which of the ports that were opened others can reach without a token."""
    listeners = listeners_of(session_members(os.getsid(0)))
    for warning in exposure_warnings(os.environ, listeners, asks_for_token):
        print(f"warning: {warning}", file=sys.stderr, flush=True)


def _listen(handler: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)  # type: ignore[arg-type]


def metrics_port_of(environment: Mapping[str, str]) -> int:
    """The port of the metrics on loopback; raises SettingsError where it is none."""
    text = environment.get("HALFTIME_METRICS_PORT", "")
    if not (text.isascii() and text.isdigit() and 1_024 <= int(text) <= 65_535):
        raise SettingsError(f"HALFTIME_METRICS_PORT: expected a port from 1024 on; got {text!r}")
    return int(text)


def _start_ray(config: ServeDeploySchema, metrics_port: int) -> None:
    ray.init(
        address="local",
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.WARNING,
        # Of the processes that are no replicas, in the form that Serve gives to the replicas'.
        logging_config=ray.LoggingConfig(_encoding(config), log_level="WARNING"),
        _metrics_export_port=metrics_port,
    )


def _encoding(config: ServeDeploySchema) -> str:
    return EncodingType(config.logging_config.encoding if config.logging_config else "TEXT").value


def _start_serve(config: ServeDeploySchema) -> None:
    serve.start(
        proxy_location=config.proxy_location,
        http_options=config.http_options.model_dump(),
    )


def main() -> int:
    """Parse the command line and serve until stopped."""
    parser = argparse.ArgumentParser(prog="serve.py", description="Run the service.")
    parser.add_argument("--config", type=Path, default=Path("configs/local.yaml"))
    parser.add_argument("--port", type=int, help="another port than the config's")
    parser.add_argument("--data-dir", type=Path, help="another data folder than the config's")
    arguments = parser.parse_args()
    try:
        serve_forever(arguments.config, port=arguments.port, data_dir=arguments.data_dir)
    except (SettingsError, ServiceProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
