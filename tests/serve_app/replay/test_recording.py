import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.game.games import load_games
from serve_app.replay.recording import Selection, load_recordings
from serve_app.replay.truth import halftime_of_recording, pattern_of_recording

SHARED = Path(__file__).parents[4] / "shared" / "data"
DAY = datetime.date(2024, 4, 14)


def write(folder: Path, games: dict[str, list[object]], events: dict[str, list[object]]) -> None:
    pq.write_table(pa.table(games), folder / "games.parquet")
    pq.write_table(pa.table(events), folder / "events.parquet")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            "game_id": ["b", "a", "c"],
            "date": [DAY, DAY, datetime.date(2024, 1, 1)],
            "season": [2023, 2023, 2023],
            "home": ["BOS", "CLE", "DEN"],
            "away": ["WAS", "CHA", "DAL"],
            "periods": [4, 5, 4],
            "expected_margin": [7.5, None, 1.0],
        },
        {
            "game_id": ["a", "a", "a", "b", "c"],
            "period": [1, 1, 5, 1, 1],
            "seconds_remaining": [689.0, 0.0, 12.3, 700.0, 1.0],
            "score_home": [2, 2, 5, 0, 1],
            "score_away": [0, 0, 0, 3, 0],
        },
    )
    return tmp_path


def load(folder: Path, selection: Selection) -> list[str]:
    recordings = load_recordings(folder / "games.parquet", folder / "events.parquet", selection)
    return [recording.game_id for recording in recordings]


def test_games_come_by_date_and_id(files: Path) -> None:
    assert load(files, Selection(season=2023)) == ["c", "a", "b"]
    assert load(files, Selection(date=DAY)) == ["a", "b"]
    assert load(files, Selection(game_ids=("b",))) == ["b"]


def test_playoffs_are_known_where_the_file_says_so(files: Path) -> None:
    table = pq.read_table(files / "games.parquet")
    selection = Selection(game_ids=("a", "b"))
    paths = files / "games.parquet", files / "events.parquet"
    assert not any(recording.playoffs for recording in load_recordings(*paths, selection))
    kinds = pa.array(["playoffs", "regular", "regular"])
    pq.write_table(table.append_column("season_type", kinds), paths[0])
    assert [recording.playoffs for recording in load_recordings(*paths, selection)] == [False, True]


def test_events_become_milliseconds_played(files: Path) -> None:
    (a,) = load_recordings(
        files / "games.parquet", files / "events.parquet", Selection(game_ids=("a",))
    )
    assert a.period.tolist() == [1, 1, 5]
    assert a.played.tolist() == [31_000, 720_000, 287_700]
    assert a.changes().tolist() == [0, 2]
    assert (a.periods, a.expected_margin) == (5, None)


def test_an_expected_margin_is_read_where_the_file_has_it(files: Path) -> None:
    (b,) = load_recordings(
        files / "games.parquet", files / "events.parquet", Selection(game_ids=("b",))
    )
    assert b.expected_margin == 7.5


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(date=datetime.date(2024, 2, 30 - 1)), "at least one game of date 2024-02-29"),
        (Selection(season=1990), "at least one game of season 1990"),
        (Selection(game_ids=("a", "z")), r"\['z'\]"),
    ],
)
def test_a_selection_without_games_says_so(files: Path, selection: Selection, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(files, selection)


def test_a_selection_is_one_thing() -> None:
    with pytest.raises(DataError, match="exactly one"):
        Selection(date=DAY, season=2023)
    with pytest.raises(DataError, match="exactly one"):
        Selection()


def test_files_that_cannot_be_used_say_why(files: Path) -> None:
    events = pq.read_table(files / "events.parquet").drop_columns(["score_away"])
    pq.write_table(events, files / "events.parquet")
    with pytest.raises(DataError, match="score_away"):
        load(files, Selection(season=2023))
    with pytest.raises(DataError, match=r"absent\.parquet: expected a parquet file; there is none"):
        load_recordings(files / "absent.parquet", files / "e.parquet", Selection(season=2023))


@pytest.mark.parametrize(
    ("game_ids", "clocks", "message"),
    [
        (["a", "b", "a", "c"], [700.0] * 4, "consecutive"),
        (["a", "a", "b", "c"], [600.0, 700.0, 1.0, 1.0], "clock order"),
        (["a", "a", "b", "c"], [721.0, 700.0, 1.0, 1.0], "clock order"),
        (["a", "b"], [700.0] * 2, "events of game c; found none"),
    ],
)
def test_events_out_of_order_are_refused(
    files: Path, game_ids: list[str], clocks: list[float], message: str
) -> None:
    count = len(game_ids)
    events = {
        "game_id": game_ids,
        "period": [1] * count,
        "seconds_remaining": clocks,
        "score_home": [0] * count,
        "score_away": [0] * count,
    }
    pq.write_table(pa.table(events), files / "events.parquet")
    with pytest.raises(DataError, match=message):
        load(files, Selection(season=2023))


@pytest.mark.skipif(not SHARED.exists(), reason="the full data is not here")
def test_a_season_agrees_with_the_training_data() -> None:
    files = (SHARED / "games.parquet", SHARED / "score_events.parquet")
    recordings = load_recordings(*files, Selection(season=2023))
    table = load_games(*files)
    margins = dict(zip(table.game_id.tolist(), table.margins.tolist(), strict=True))
    assert len(recordings) == 1_312
    for recording in recordings:
        assert pattern_of_recording(recording) == margins[recording.game_id][:18]
        assert halftime_of_recording(recording) == margins[recording.game_id][23]
