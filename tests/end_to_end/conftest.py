"""The real service, started as an operator starts it."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess

CONFIGS = ROOT / "configs"


@contextmanager
def running(config: str, data_dir: Path, **settings: object) -> Iterator[ServiceProcess]:
    """The service of a shipped config, with other settings where given.

    It runs from `config.yaml`, a copy in `data_dir` which may be edited.
    """
    content = yaml.safe_load((CONFIGS / config).read_text())
    for application in content["applications"]:
        application["args"] = {**application["args"], **settings}
    copy = data_dir / "config.yaml"
    copy.write_text(yaml.safe_dump(content))
    with ServiceProcess.of_config(copy, free_port(), data_dir) as service:
        asyncio.run(service.ready())
        yield service


@pytest.fixture(scope="session")
def composed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("composed")


@pytest.fixture(scope="session")
def composed(composed_folder: Path) -> Iterator[ServiceProcess]:
    with running("local.yaml", composed_folder) as service:
        yield service


@pytest.fixture(scope="session")
def fused_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fused")


@pytest.fixture(scope="session")
def fused(fused_folder: Path) -> Iterator[ServiceProcess]:
    settings = {"forecast_interval_seconds": 0.0, "webhook_private_addresses": True}
    with running("fused.yaml", fused_folder, **settings) as service:
        yield service


@pytest.fixture
def http(composed: ServiceProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=composed.url, timeout=30) as client:
        yield client


def scores(game_id: str, minutes: range) -> list[dict[str, object]]:
    """One update at the end of each of these game minutes, home scoring 1 in each."""
    updates = []
    for minute in minutes:
        quarter, left = (1, 12 - minute) if minute <= 12 else (2, 24 - minute)
        updates.append(
            {
                "game_id": game_id,
                "quarter": quarter,
                "time_remaining": f"{left}:00",
                "score_home": minute,
                "score_away": 0,
                "sequence": minute,
            }
        )
    return updates


def register(http: httpx.Client, game_id: str) -> None:
    answer = http.post("/games", json={"game_id": game_id, "home_team": "BOS", "away_team": "LAL"})
    assert answer.status_code == 200, answer.text


def log_folder(service: ServiceProcess) -> Path:
    """Where the processes of this service write their logs."""
    for pid in service.members():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if found := re.search(r"--log_dir=([^\0]+)", command):
            return Path(found[1])
    raise AssertionError("no process of the service names its log folder")
