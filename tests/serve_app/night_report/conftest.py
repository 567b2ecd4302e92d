"""A night that was played: real games, one with corrected and late scores, one never seen."""

import asyncio
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.replay.demo import NIGHT_DATE, NIGHT_FOLDER
from serve_app.replay.night import Plan
from serve_app.replay.playback import PlaybackOptions, play_and_report
from serve_app.replay.recording import Selection, load_recordings
from serve_app.replay.runner import RunOptions
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards

GAMES = 4
HOSTILE_TEAM = "<b>$\\frac</b>&"
START = "2024-04-14T23:30:00Z"


@dataclass(frozen=True)
class PlayedNight:
    """The data folder of a night, its store, and the service that played it."""

    folder: Path
    store: Store
    transport: httpx.ASGITransport
    day: datetime.date = NIGHT_DATE


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedNight]:
    folder = tmp_path_factory.mktemp("night")
    settings = Settings(data_dir=folder, placement="fused")
    store, log = Store.at(folder), Store.at(folder)
    model = ServedModel(settings, log)
    shards = LocalShards(GameShard(store), model)
    live = LiveService(settings, shards, model, model)
    transport = httpx.ASGITransport(app=build_api(settings, live, log, model))
    asyncio.run(_play(transport, live, shards))
    yield PlayedNight(folder, store, transport)
    store.close()
    log.close()


async def _play(transport: httpx.ASGITransport, live: LiveService, shards: LocalShards) -> None:
    files = (NIGHT_FOLDER / "games.parquet", NIGHT_FOLDER / "events.parquet")
    recordings = load_recordings(*files, Selection(date=NIGHT_DATE))[:GAMES]
    options = PlaybackOptions(plan=Plan(until="halftime"), run=RunOptions())
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        await play_and_report(client, recordings, "the night", options)
        await _register(client, "unseen", HOSTILE_TEAM, "LAL")
        await _register(client, "revised", "DEN", "DAL")
        minutes = [minute for minute in range(1, 19) if minute not in {7, 8}]
        for minute in [*minutes, 8, 24]:
            await _post(client, minute, home=2 * minute)
        # The score of 6:00 of Q2 is taken back in part, too late to be of use for the prediction.
        await _post(client, 24, home=46)
    await shards.settle()
    await live.settle()


async def _register(client: httpx.AsyncClient, game_id: str, home: str, away: str) -> None:
    body = {"game_id": game_id, "home_team": home, "away_team": away, "start_time": START}
    (await client.post("/games", json=body)).raise_for_status()


async def _post(client: httpx.AsyncClient, minute: int, home: int) -> None:
    quarter, left = (1, 12 - minute) if minute <= 12 else (2, 24 - minute)
    body = {
        "quarter": quarter,
        "time_remaining": f"{left}:00",
        "score_home": home,
        "score_away": minute,
    }
    (await client.post("/games/revised/scores", json=body)).raise_for_status()
