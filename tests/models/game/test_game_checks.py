from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.game.game_checks import load_checked
from models.game.games import load_games
from tests.models.conftest import DEMO_NIGHT, GAME, Event, WriteFiles

GOOD: list[Event] = [
    ("g1", 1, 600.0, 2, 0),
    ("g1", 2, 0.0, 50, 40),
    ("g1", 4, 0.0, 100, 90),
]


def other(game_id: str, **changes: object) -> dict[str, object]:
    return {**GAME, "game_id": game_id, "home": "DEN", "away": "LAL", **changes}


def of(game_id: str, events: list[Event] = GOOD) -> list[Event]:
    return [(game_id, *event[1:]) for event in events]


BAD: dict[str, tuple[list[dict[str, object]], list[Event], int]] = {
    "listed more than once": ([other("g2"), other("g2")], of("g2"), 2),
    "empty cells in the games file": ([other("g2", home=None)], of("g2"), 1),
    "a team against itself": ([other("g2", away="DEN")], of("g2"), 1),
    "a final score that is tied or below 0": (
        [other("g2", final_home=90)],
        [*of("g2", GOOD[:2]), ("g2", 4, 0.0, 90, 90)],
        1,
    ),
    "events of a game that is not listed": ([], of("g2"), 3),
    "scores at clocks that no period shows": (
        [other("g2")],
        [*of("g2"), ("g2", 1, 721.0, 1, 0), ("g2", 15, 10.0, 1, 0), ("g2", 5, 301.0, 1, 0)],
        3,
    ),
    "scores below 0": ([other("g2")], [*of("g2"), ("g2", 1, 5.0, -1, 0)], 1),
    "events that end before halftime": (
        [other("g2", final_home=2, final_away=0)],
        of("g2", GOOD[:1]),
        1,
    ),
    "a final score other than the last event's": ([other("g2", final_home=101)], of("g2"), 1),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_problem_is_counted_and_refused_or_left_out(kind: str, write_files: WriteFiles) -> None:
    games, events, rows = BAD[kind]
    paths = write_files([GAME, *games], [*GOOD, *events])
    with pytest.raises(DataError) as refused:
        load_checked(*paths, skip_bad_games=False)
    assert f"{kind}: {rows} rows, games g2" in str(refused.value)
    assert "--skip-bad-games" in str(refused.value)

    checked = load_checked(*paths, skip_bad_games=True)
    assert checked.games.game_id.tolist() == ["g1"]
    assert [(problem.kind, problem.rows) for problem in checked.problems] == [(kind, rows)]
    assert checked.left_out == (1 if games else 0)
    clean = load_games(*write_files([GAME], GOOD))
    assert (checked.games.margins == clean.margins).all()


def test_all_problems_are_listed_at_once(write_files: WriteFiles) -> None:
    paths = write_files(
        [GAME, other("g2", away="DEN"), other("g3"), other("g3")],
        [*GOOD, *of("g2"), *of("g3"), ("g3", 9, 400.0, 1, 0)],
    )
    checked = load_checked(*paths, skip_bad_games=True)
    assert {problem.kind for problem in checked.problems} >= {
        "a team against itself",
        "listed more than once",
        "scores at clocks that no period shows",
    }
    assert checked.left_out == 2


def test_every_missing_column_of_both_files_is_named(
    write_files: WriteFiles, tmp_path: Path
) -> None:
    games, events = write_files([GAME], GOOD)
    for path, columns in ((games, ["date", "home"]), (events, ["period"])):
        pq.write_table(pq.read_table(path).drop_columns(columns), path)
    for skip in (False, True):
        with pytest.raises(DataError) as refused:
            load_checked(games, events, skip_bad_games=skip)
        assert "2 missing: ['date', 'home']" in str(refused.value)
        assert "1 missing: ['period']" in str(refused.value)
    with pytest.raises(DataError, match="expected a parquet file"):
        load_checked(tmp_path / "none.parquet", events, skip_bad_games=True)


def test_without_a_good_game_there_is_nothing_to_use(write_files: WriteFiles) -> None:
    paths = write_files([other("g2", away="DEN")], of("g2"))
    with pytest.raises(DataError, match="at least one game without a problem"):
        load_checked(*paths, skip_bad_games=True)


@pytest.mark.parametrize(
    "load", [load_games, lambda *p: load_checked(*p, skip_bad_games=False).games]
)
def test_the_shipped_night_is_good(load: Callable[..., Any]) -> None:
    assert len(load(DEMO_NIGHT / "games.parquet", DEMO_NIGHT / "events.parquet")) == 15


def test_the_real_games_are_good(real_data: Path) -> None:
    checked = load_checked(
        real_data / "games.parquet", real_data / "score_events.parquet", skip_bad_games=False
    )
    assert checked.problems == ()
    assert len(checked.games) > 30_000


def test_empty_cells_in_the_events_spoil_their_game(
    write_files: WriteFiles,
) -> None:
    games, events = write_files([GAME, other("g2")], [*GOOD, *of("g2")])
    table = pq.read_table(events)
    home = table["score_home"].to_pylist()
    home[4] = None
    place = table.schema.get_field_index("score_home")
    pq.write_table(table.set_column(place, "score_home", pa.array(home)), events)
    checked = load_checked(games, events, skip_bad_games=True)
    assert [problem.kind for problem in checked.problems] == ["empty cells in the events file"]
    assert checked.games.game_id.tolist() == ["g1"]
