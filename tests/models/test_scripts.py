"""The entry points on small files: what they write, print and refuse."""

import runpy
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.game.games import GameTable, load_games
from models.training.bundle import Bundle
from tests.models.conftest import DEMO_NIGHT, REPOSITORY, make_games

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
        "final_home": pa.array(table.final_home),
        "final_away": pa.array(table.final_away),
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
        options = [*files, "--until", "2015", "--before", "2015-11-03", "--device", "cpu"]
        assert main_of("train")([*options, "--out", str(tmp_path / name)]) == 0
    written = capsys.readouterr()
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    bundle = Bundle.load(tmp_path / "one")
    assert bundle.model_version in written.out
    assert "epoch" in written.err
    assert bundle.split.before == "2015-11-03"
    assert b"Games of 2015-11-03 and later were left out" in one["MODEL_CARD.md"]
    assert bundle.content_version() == bundle.model_version


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--until", "1990"], "until: expected one of the seasons"),
        (["--until", "2015", "--before", "2100-01-01"], "before: expected a day with games"),
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


def test_demo_night_cuts_one_date(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "night"
    arguments = [*files, "--date", "2015-11-05", "--out", str(out)]
    assert main_of("demo_night")(arguments) == 0
    night = load_games(out / "games.parquet", out / "events.parquet")
    whole = load_games(files[1], files[3])
    chosen = whole.date == np.datetime64("2015-11-05")
    assert night.game_id.tolist() == whole.game_id[chosen].tolist()
    assert (night.margins == whole.margins[chosen]).all()
    assert main_of("demo_night")([*files, "--date", "1999-01-01", "--out", str(out)]) == 2


def test_the_shipped_night_has_its_fifteen_games() -> None:
    night = load_games(DEMO_NIGHT / "games.parquet", DEMO_NIGHT / "events.parquet")
    table = pq.read_table(DEMO_NIGHT / "games.parquet")
    assert len(night) == 15
    assert set(table["date"].to_pylist()) == {date(2024, 4, 14)}
    assert sum(path.stat().st_size for path in DEMO_NIGHT.iterdir()) < 200_000
    assert "MIT" in (DEMO_NIGHT / "README.md").read_text(encoding="utf-8")


def test_the_shipped_ratings_stand_as_of_the_morning_of_the_shipped_night(shipped: Bundle) -> None:
    assert shipped.strength.day is not None
    assert timedelta(0) < date(2024, 4, 14) - shipped.strength.day <= timedelta(2)
    for game in pq.read_table(DEMO_NIGHT / "games.parquet").to_pylist():
        rated = shipped.strength.expected_margin(game["home"], game["away"], game["date"])
        assert rated.source == "ratings"
