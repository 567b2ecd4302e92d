"""A chaos run in small: a few real games, and a kill of each of the parts that scores pass."""

import asyncio
import subprocess
import sys
from pathlib import Path

from serve_app.chaos.chaos_night import chaos_night, choose_recordings
from serve_app.chaos.chaos_run import ChaosOptions, ChaosRun
from serve_app.chaos.chaos_service import ChaosService
from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT
from serve_app.replay.demo import NIGHT_FOLDER
from tests.end_to_end.conftest import CONFIGS

GAMES, KILLS = 4, 4
KINDS = ("shard", "ingress replica", "live hub", "proxy process")


def test_nothing_is_lost_doubled_or_changed_while_its_processes_are_killed(tmp_path: Path):
    files = (NIGHT_FOLDER / "games.parquet", NIGHT_FOLDER / "events.parquet")
    night = chaos_night(choose_recordings(*files, GAMES, seed=7), GAMES, until="halftime")
    service = ChaosService.of_config(
        CONFIGS / "fused.yaml", free_port(), tmp_path, ingress_replicas=2
    )
    options = ChaosOptions(kills=KILLS, seed=7, kinds=KINDS, kill_seconds=2.0)
    certificate = asyncio.run(ChaosRun(service, night, options).certify())
    assert certificate.failures() == []
    assert {one.kind for one in certificate.outages} == set(KINDS)
    assert sum(one.kills for one in certificate.outages) == KILLS
    audit, offline = certificate.audit, certificate.replay.offline
    assert audit.acknowledged == audit.found == len(night.updates())
    assert audit.predictions_made == GAMES
    assert offline is not None
    assert offline.equal == GAMES
    assert certificate.asked_again > 0


def test_a_wrong_config_is_named(tmp_path: Path):
    config = tmp_path / "wrong.yaml"
    config.write_text((CONFIGS / "fused.yaml").read_text().replace("shards: 2", "shards: many"))
    done = subprocess.run(
        [sys.executable, "scripts/chaos.py", "--config", str(config), "--kills", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert "'shards'" in done.stderr
    assert "Traceback" not in done.stderr
