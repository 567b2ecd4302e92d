"""A night rebuilt from the journal finds the same forecasts, and says where it does not."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.errors import DataError
from models.training.bundle import Bundle
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.process.service_process import ROOT
from serve_app.replay.from_store import Pacing, StoredNights
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.schema import journal, predictions
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards, registration, update, updates

GAMES = ("g1", "g2", "g3")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three games; late and corrected scores gave two of them revisions."""
    folder = tmp_path_factory.mktemp("night")
    settings = Settings(data_dir=folder, placement="fused")
    store = Store.at(folder)
    model = ServedModel(settings, store)

    async def play() -> None:
        shards = LocalShards(GameShard(store), model)
        service = LiveService(settings, shards, model, model)
        for number, game_id in enumerate(GAMES):
            await service.shards.register(registration(game_id))
            await service.post_scores(updates(1050, game_id=game_id))
            await service.post_scores([update(1090 + number, 20, 3, game_id=game_id)])
            if number > 0:
                await service.post_scores([update(1075, 19, game_id=game_id)])
            if number > 1:
                await service.post_scores([update(1075, 18, game_id=game_id)])
            await service.post_scores([update(1440, 30, 20, game_id=game_id)])
            await shards.settle()
        await service.end("g2")

    asyncio.run(play())
    store.close()
    return folder


def test_every_forecast_is_the_same_again_to_the_last_digit(night: Path, bundle: Bundle):
    store = Store.existing(night)
    lines: list[str] = []
    found = StoredNights(store, bundle).play(store.games.newest(10), tell=lines.append)
    assert (found.differing, found.not_comparable) == ([], [])
    assert (found.games, found.predictions) == (3, 3)
    assert found.revisions == 3
    assert found.same == len(lines) == 6
    rows = [row for game_id in store.games.newest(10) for row in store.journal.of_game(game_id)]
    assert found.updates == sum(row.type == "score" for row in rows)
    store.close()


def test_the_command_finds_a_changed_journal(night: Path, tmp_path: Path):
    folder = shutil.copytree(night, tmp_path / "changed")
    store = Store.existing(folder)
    game_id = store.games.newest(1)[0]
    (row,) = [row for row in store.journal.of_game(game_id) if row.type == "prediction"]
    payload = json.loads(row.payload)
    payload["prediction"]["point_forecast"] += 1e-12
    with store.database.writing() as connection:
        connection.execute(
            sa.update(journal).where(journal.c.seq == row.seq).values(payload=json.dumps(payload))
        )
    day = store.games.get(game_id)
    assert day is not None
    store.close()
    command = [sys.executable, str(ROOT / "scripts" / "replay.py"), "--from-store", str(folder)]
    done = subprocess.run(
        [
            *command,
            "--date",
            str(day.day),
            "--speed",
            "max",
            "--report",
            str(folder / "report.json"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads((folder / "report.json").read_text())
    forecast, log = report["differing"]
    assert "prediction log" in log
    assert f"game {game_id}, prediction" in forecast
    assert "point_forecast" in forecast


def test_a_changed_prediction_log_is_found(night: Path, tmp_path: Path, bundle: Bundle):
    store = Store.existing(Path(shutil.copytree(night, tmp_path / "changed")))
    frozen = store.predictions.get("g1")
    assert frozen is not None
    with store.database.writing() as connection:
        changed = frozen.model_dump(mode="json", exclude={"revisions", "outcome"})
        connection.execute(
            sa.update(predictions)
            .where(predictions.c.game_id == "g1")
            .values(frozen={**changed, "point_forecast": 9.9})
        )
    found = StoredNights(store, bundle).play(["g1"])
    assert len(found.differing) == 1
    assert "in the prediction log; got others" in found.differing[0]
    store.close()


def test_an_unknown_game_is_refused(store: Store, bundle: Bundle):
    with pytest.raises(DataError, match="'g9': expected one of the store"):
        StoredNights(store, bundle).play(["g9"])


def test_rows_are_played_at_a_multiple_of_their_pace():
    slept: list[float] = []
    clock = iter([10.0, 10.0, 11.0, 12.5])
    pacing = Pacing(2.0, now=lambda: next(clock), sleep=slept.append)
    for moment in (100.0, 104.0, 104.5):
        pacing.wait_for(moment)
    assert slept == [0.0, 1.0, 0.0]
    Pacing(None, sleep=slept.append).wait_for(500.0)
    assert len(slept) == 3
