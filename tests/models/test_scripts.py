"""The entry points on small files: what they write, print and refuse."""

import json
import runpy
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.bundle import Bundle
from models.games import GameTable, load_games
from models.strength import expected_margins

from .conftest import DEMO_NIGHT, REPOSITORY, make_games

Main = Callable[[list[str]], int]


def main_of(script: str) -> Main:
    main: Main = runpy.run_path(str(REPOSITORY / "scripts" / f"{script}.py"))["main"]
    return main


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options `--games FILE --events FILE` of a small history."""
    folder = tmp_path_factory.mktemp("data")
    table = make_games(range(2010, 2016), days=12)
    _write_games(table, folder / "games.parquet")
    _write_events(table, folder / "events.parquet")
    return ["--games", str(folder / "games.parquet"), "--events", str(folder / "events.parquet")]


def _write_games(table: GameTable, path: Path) -> None:
    count = len(table)
    columns = {
        "game_id": pa.array(table.game_id.tolist()),
        "date": pa.array(table.date, pa.date32()),
        "season": pa.array(table.season),
        "season_type": pa.array(["regular"] * count),
        "home": pa.array(table.home.tolist()),
        "away": pa.array(table.away.tolist()),
        "final_home": pa.array(100 + table.final_margin),
        "final_away": pa.array([100] * count),
        "periods": pa.array([4] * count),
    }
    pq.write_table(pa.table(columns), path)


def _write_events(table: GameTable, path: Path) -> None:
    """One event at the end of each minute; the away side stands at 100 throughout."""
    count = len(table)
    columns = {
        "game_id": np.repeat(table.game_id, 48).tolist(),
        "period": np.tile(np.repeat(np.arange(1, 5), 12), count),
        "seconds_remaining": np.tile(np.arange(660, -1, -60), 4 * count).astype(np.float32),
        "score_home": 100 + table.margins.ravel(),
        "score_away": np.full(48 * count, 100),
    }
    pq.write_table(pa.table(columns), path)


def test_train_writes_the_same_bundle_twice(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        options = [*files, "--until", "2015", "--hold-out", "2015-11-03", "--device", "cpu"]
        assert main_of("train")([*options, "--out", str(tmp_path / name)]) == 0
    written = capsys.readouterr()
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    bundle = Bundle.load(tmp_path / "one")
    assert bundle.model_version in written.out
    assert "epoch" in written.err
    assert bundle.split.hold_out == "2015-11-03"
    assert b"2015-11-03 were left out" in one["MODEL_CARD.md"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--until", "1990"], "until: expected one of the seasons"),
        (["--until", "2015", "--hold-out", "2015-01-01"], "hold-out date"),
    ],
)
def test_train_refuses_with_a_message(
    files: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    assert main_of("train")([*files, *options, "--out", str(tmp_path / "bundle")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_rolling_origin_prints_the_table_and_writes_the_numbers(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "table.json"
    arguments = ["rolling-origin", *files, "--seasons", "2015", "--out", str(out)]
    assert main_of("evaluate")(arguments) == 0
    printed = capsys.readouterr().out
    numbers = json.loads(out.read_text(encoding="utf-8"))
    for name in ("persistence", "ridge", "dejavu", "lstm", "ensemble"):
        assert f"│ {name} " in printed
        assert f"{numbers['all'][name]['alpha 0.05']['mae']:.3f}" in printed
    assert "all seasons: 36 games" in printed
    assert "season 2015: 36 games" in printed


def test_evaluate_bundle_says_when_the_season_was_seen(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(tmp_path / "bundle")
    assert main_of("train")([*files, "--until", "2014", "--device", "cpu", "--out", bundle]) == 0
    for season, seen in (("2014", True), ("2015", False)):
        capsys.readouterr()
        arguments = ["bundle", *files, "--bundle", bundle, "--season", season]
        assert main_of("evaluate")(arguments) == 0
        assert ("has SEEN" in capsys.readouterr().out) is seen
    assert main_of("evaluate")([*arguments[:-1], "1999"]) == 2
    assert "got 1999" in capsys.readouterr().err


def test_demo_night_cuts_one_date(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "night"
    arguments = [*files, "--date", "2015-11-05", "--out", str(out)]
    assert main_of("demo_night")(arguments) == 0
    night = load_games(out / "games.parquet", out / "events.parquet")
    whole = load_games(files[1], files[3])
    chosen = whole.date == np.datetime64("2015-11-05")
    assert night.game_id.tolist() == whole.game_id[chosen].tolist()
    assert (night.margins == whole.margins[chosen]).all()
    written = pq.read_table(out / "games.parquet")["expected_margin"].to_pylist()
    assert written == pytest.approx(expected_margins(whole)[chosen], abs=0.005)
    assert main_of("demo_night")([*files, "--date", "1999-01-01", "--out", str(out)]) == 2


def test_the_shipped_night_has_its_fifteen_games() -> None:
    night = load_games(DEMO_NIGHT / "games.parquet", DEMO_NIGHT / "events.parquet")
    table = pq.read_table(DEMO_NIGHT / "games.parquet")
    assert len(night) == 15
    assert set(table["date"].to_pylist()) == {date(2024, 4, 14)}
    assert max(map(abs, table["expected_margin"].to_pylist())) < 25
    assert sum(path.stat().st_size for path in DEMO_NIGHT.iterdir()) < 200_000
    assert "MIT" in (DEMO_NIGHT / "README.md").read_text(encoding="utf-8")


def test_the_shipped_nights_expected_margins_come_from_earlier_results(real_data: Path) -> None:
    games = load_games(real_data / "games.parquet", real_data / "score_events.parquet")
    before = games.select(games.date <= np.datetime64("2024-04-14"))
    expected = dict(zip(before.game_id.tolist(), expected_margins(before).tolist(), strict=True))
    table = pq.read_table(DEMO_NIGHT / "games.parquet")
    for game_id, margin in zip(
        table["game_id"].to_pylist(), table["expected_margin"].to_pylist(), strict=True
    ):
        assert margin == pytest.approx(expected[game_id], abs=0.005)
