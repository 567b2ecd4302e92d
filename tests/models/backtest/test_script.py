"""`scripts/backtest.py` as it is run: what it writes and refuses, and after a kill."""

import json
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.game.games import GameTable
from models.training.bundle import Bundle
from tests.models.backtest.conftest import write_files
from tests.models.conftest import DEMO_NIGHT, REPOSITORY, SHIPPED_BUNDLE

SCRIPT = REPOSITORY / "scripts" / "backtest.py"
NIGHT = ["--games", f"{DEMO_NIGHT}/games.parquet", "--events", f"{DEMO_NIGHT}/events.parquet"]
DEADLINE_SECONDS = 120.0


def main(arguments: list[str]) -> int:
    run: Callable[[list[str]], int] = runpy.run_path(str(SCRIPT))["main"]
    return run(arguments)


def options(files: tuple[Path, Path], out: Path) -> list[str]:
    games, events = map(str, files)
    return ["--games", games, "--events", events, "--out", str(out)]


def test_the_shipped_night_ends_in_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*NIGHT, "--bundle", str(SHIPPED_BUNDLE), "--minutes", "6,18,30"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    written = capsys.readouterr().out
    version = Bundle.load(SHIPPED_BUNDLE).model_version
    assert version in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run.json").read_text())["forecast by"].endswith(version)
    assert json.loads((tmp_path / "summary.json").read_text())["games"] == {"2023": 15}
    assert "chunks 2/2" in written
    assert "Numbers to reach" in written
    rows = pq.read_table(tmp_path / "rows" / "2023-halftime-06-18.parquet")
    assert set(rows["minute"].to_pylist()) == {6, 18}


def test_margins_in_the_games_file_take_precedence(tmp_path: Path) -> None:
    night = pq.read_table(DEMO_NIGHT / "games.parquet")
    points = {}
    for name, margin in (("by ratings", None), ("home far better", 25.0)):
        games = tmp_path / f"{name}.parquet"
        if margin is not None:
            night = night.append_column("expected_margin", pa.array([margin] * len(night)))
        pq.write_table(night, games)
        out = tmp_path / name
        arguments = ["--bundle", str(SHIPPED_BUNDLE), "--minutes", "6", "--out", str(out)]
        assert main(["--games", str(games), *NIGHT[2:], *arguments]) == 0
        rows = pq.read_table(out / "rows" / "2023-final-06-06.parquet")
        chosen = rows.filter(pc.equal(rows["model"].cast(pa.string()), "ensemble"))
        points[name] = np.asarray(chosen["point"])
    assert (points["home far better"] > points["by ratings"]).all()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--seasons", "2010"], "at least 5 seasons before each; 2010 has 0"),
        (["--seasons", "2031"], "expected some of [2010, 2011, 2012, 2013, 2014, 2015]"),
        (["--seasons", "2015", "--minutes", "48"], "expected some of 1 to 47; got [48]"),
        (["--bundle", "nowhere"], "nowhere: expected a bundle folder"),
    ],
)
def test_what_cannot_be_backtested_is_refused(
    files: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    assert main([*options(files, tmp_path / "out"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_season_that_the_bundle_has_seen_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = pq.read_table(DEMO_NIGHT / "games.parquet")
    earlier = pa.array([one.replace(year=2020) for one in night["date"].to_pylist()])
    place = night.schema.get_field_index("date")
    pq.write_table(night.set_column(place, "date", earlier), tmp_path / "games.parquet")
    arguments = ["--games", str(tmp_path / "games.parquet"), *NIGHT[2:], "--out", str(tmp_path)]
    assert main([*arguments, "--bundle", str(SHIPPED_BUNDLE)]) == 2
    assert "has seen; got none" in capsys.readouterr().err
    assert main([*arguments, "--bundle", str(SHIPPED_BUNDLE), "--seasons", "2023"]) == 2
    assert "has not seen" in capsys.readouterr().err


def test_bad_games_are_refused_or_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = pq.read_table(DEMO_NIGHT / "games.parquet")
    pq.write_table(pa.concat_tables([night, night.slice(0, 1)]), tmp_path / "games.parquet")
    arguments = ["--games", str(tmp_path / "games.parquet"), *NIGHT[2:], "--minutes", "18"]
    arguments += ["--bundle", str(SHIPPED_BUNDLE), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "listed more than once: 2 rows" in capsys.readouterr().err
    assert main([*arguments, "--skip-bad-games"]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["left_out"] == 1
    assert summary["games"] == {"2023": 14}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "1 games were left out." in page
    assert "listed more than once: 2 rows" in page


def test_after_a_kill_the_same_command_goes_on(history: GameTable, tmp_path: Path) -> None:
    files = write_files(history, tmp_path)
    more = ["--seasons", "2015", "--minutes", "3,18,30"]
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *options(files, out), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    until = time.monotonic() + DEADLINE_SECONDS
    for line in process.stdout:
        assert time.monotonic() < until, line
        if line.startswith("chunks 1/2"):
            process.kill()
            break
    assert process.wait(30) != 0
    process.stdout.close()
    kept = list((out / "rows").glob("*.parquet"))
    assert len(kept) >= 1
    assert not (out / "summary.json").exists()
    before = {path: path.stat().st_mtime_ns for path in kept}

    assert main([*options(files, out), *more]) == 0
    assert main([*options(files, tmp_path / "whole"), *more]) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    for name in ("summary.json", *(f"rows/{path.name}" for path in (out / "rows").iterdir())):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not list(out.rglob("*unfinished*"))
