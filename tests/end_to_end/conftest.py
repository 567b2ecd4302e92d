"""The real service, started as an operator starts it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess

CONFIGS = ROOT / "configs"


@contextmanager
def running(config: str, data_dir: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess.of_config(CONFIGS / config, free_port(), data_dir) as service:
        asyncio.run(service.ready())
        yield service


@pytest.fixture(scope="session")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with running("local.yaml", tmp_path_factory.mktemp("composed")) as service:
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
