"""`scripts/train.py --update`: from the service's data folder to a compared and updated bundle."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.calibration.learned_game import LearnedGame
from models.game.games import GameTable
from models.training.bundle import Bundle
from models.training.training import Trained
from models.training.updating import update_bundle
from serve_app.schemas import GameRegistration
from serve_app.storage.store import Store
from tests.models.conftest import make_games
from tests.models.learned_season import learned_season
from tests.models.test_scripts import main_of

DAYS = 24  # of three games each


@pytest.fixture(scope="module")
def later() -> GameTable:
    return make_games(range(2015, 2016), days=DAYS, seed=3)


@pytest.fixture(scope="module")
def season(trained: Trained, later: GameTable) -> list[LearnedGame]:
    return learned_season(trained.bundle, later)


@pytest.fixture
def in_service(trained: Trained, tmp_path: Path) -> Path:
    trained.bundle.save(tmp_path / "in-service", "card")
    return tmp_path / "in-service"


def keep(folder: Path, version: str, games: Sequence[LearnedGame], *, live: str = "") -> Path:
    """A data folder in which these games were played and learned, all but the `live` one."""
    store = Store.at(folder)
    for game in games:
        registration = GameRegistration(
            game_id=game.game_id, home_team=game.home, away_team=game.away
        )
        with store.writing():
            store.games.add(registration, game.date)
        if game.game_id != live:
            store.lessons.add(version, game.game_id, game.date, json.dumps(game.to_payload()))
    store.close()
    return folder


def update(bundle: Path, data_dir: Path, out: Path) -> int:
    return main_of("train")(
        ["--update", str(bundle), "--data-dir", str(data_dir), "--out", str(out)]
    )


def test_it_writes_the_updated_bundle_and_says_which_is_better(
    trained: Trained,
    season: list[LearnedGame],
    in_service: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = keep(tmp_path / "data", trained.bundle.model_version, season[::-1])
    out = tmp_path / "out"
    assert update(in_service, data, out) == 0
    updated = Bundle.load(out)
    assert updated.model_version == update_bundle(trained.bundle, season).model_version
    printed = capsys.readouterr().out
    assert (
        f"{updated.model_version} in {out}: {trained.bundle.model_version} and 72 games" in printed
    )
    assert "compared on 12 games" in printed
    verdict = printed.partition("verdict at 6:00 of Q2: ")[2].splitlines()[0]
    card = (out / "MODEL_CARD.md").read_text(encoding="utf-8")
    for line in ("halftime from minute 18", "final from minute 36", f"second quarter: {verdict}."):
        assert line in card
    assert "On the newest 12 of these games" in card


def test_games_of_another_bundle_do_not_count(
    season: list[LearnedGame],
    in_service: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = keep(tmp_path / "data", "nba-2010-deadbeef", season)
    assert update(in_service, data, tmp_path / "out") == 2
    assert "expected games that nba-2014-" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_day_under_way_is_left_for_the_next_update(
    trained: Trained,
    season: list[LearnedGame],
    in_service: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    live = season[-1].game_id
    data = keep(tmp_path / "data", trained.bundle.model_version, season, live=live)
    assert update(in_service, data, tmp_path / "out") == 0
    assert "the day 2015-11-24 is left for the next update: 1 of its" in capsys.readouterr().out
    assert Bundle.load(tmp_path / "out").strength.day == season[-4].date


def test_the_split_leaves_no_day_on_both_sides(
    trained: Trained,
    season: list[LearnedGame],
    in_service: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A fifth of 71 games would begin within a day: its games are known before it instead.
    data = keep(tmp_path / "data", trained.bundle.model_version, season[1:])
    assert update(in_service, data, tmp_path / "out") == 0
    assert "compared on 12 games" in capsys.readouterr().out
    few = keep(tmp_path / "few", trained.bundle.model_version, season[:35])
    assert update(in_service, few, tmp_path / "none") == 2
    assert "at least 10 games" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_folder_without_a_store_is_refused_and_left_alone(
    in_service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    assert update(in_service, data, tmp_path / "out") == 2
    assert "expected the service's data folder with halftime.sqlite3" in capsys.readouterr().err
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["--update", "bundle"], "--data-dir"),
        (["--games", "games.parquet"], "--events --until"),
        ([], "--games --events --until"),
    ],
)
def test_what_is_missing_is_named(
    arguments: list[str], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main_of("train")([*arguments, "--out", "out"])
    assert f"{missing} is missing" in capsys.readouterr().err


def test_any_two_bundles_are_compared_on_games_that_neither_has_seen(
    trained: Trained,
    season: list[LearnedGame],
    in_service: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = keep(tmp_path / "data", trained.bundle.model_version, season)
    candidate = tmp_path / "candidate"
    update_bundle(trained.bundle, season[:42]).save(candidate, "card")
    bundles = ["--candidate", str(candidate), "--in-service", str(in_service)]
    assert main_of("compare")([*bundles, "--data-dir", str(data)]) == 0
    printed = capsys.readouterr().out
    assert "compared on 30 games" in printed
    assert "verdict at 6:00 of Q2: " in printed
    assert main_of("compare")([*bundles, "--data-dir", str(tmp_path)]) == 2
    assert "expected the service's data folder" in capsys.readouterr().err
