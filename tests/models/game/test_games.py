from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.game.games import GameTable, load_games
from tests.models.conftest import GAME, Event, WriteFiles

HALFTIME = ("g1", 2, 0.0, 50, 45)


def test_margin_is_the_last_score_at_or_before_the_end_of_each_minute(
    write_files: WriteFiles,
) -> None:
    events = [
        ("g1", 1, 700.0, 2, 0),  # minute 1
        ("g1", 1, 660.0, 2, 3),  # exactly at the end of minute 1
        ("g1", 1, 659.9, 4, 3),  # just inside minute 2
        ("g1", 1, 540.0, 5, 3),
        ("g1", 1, 540.0, 6, 3),  # two free throws at one clock, at the end of minute 3
        ("g1", 2, 360.0, 20, 30),  # 6:00 of Q2
        ("g1", 2, 359.0, 22, 30),
        HALFTIME,
        ("g1", 5, 10.0, 90, 80),  # overtime is in no regulation minute
    ]
    margins = load_games(*write_files([GAME], events)).margins[0]
    assert margins[:4].tolist() == [-1, 1, 3, 3]
    assert margins[16:19].tolist() == [3, -10, -8]
    assert margins[23:].tolist() == [5] * 25


def test_before_the_first_event_the_score_is_level(write_files: WriteFiles) -> None:
    margins = load_games(*write_files([GAME], [("g1", 1, 500.0, 3, 0), HALFTIME])).margins[0]
    assert margins[:5].tolist() == [0, 0, 0, 3, 3]


def test_a_score_may_go_down(write_files: WriteFiles) -> None:
    events = [("g1", 1, 700.0, 3, 0), ("g1", 1, 650.0, 2, 0), HALFTIME]
    assert load_games(*write_files([GAME], events)).margins[0, :2].tolist() == [3, 2]


def test_events_may_come_in_any_order(write_files: WriteFiles) -> None:
    events = [("g1", 1, 700.0, 2, 0), ("g1", 1, 600.0, 2, 5), ("g1", 2, 720.0, 9, 5), HALFTIME]
    in_order = load_games(*write_files([GAME], events)).margins
    assert (load_games(*write_files([GAME], events[::-1])).margins == in_order).all()


def test_a_free_throw_at_the_start_of_the_third_quarter_is_after_the_half(
    write_files: WriteFiles,
) -> None:
    events = [("g1", 2, 0.0, 52, 50), ("g1", 3, 720.0, 53, 50), ("g1", 3, 600.0, 53, 50)]
    margins = load_games(*write_files([GAME], events)).margins[0]
    assert margins[23:25].tolist() == [2, 3]


def test_games_are_in_order_of_date(write_files: WriteFiles) -> None:
    later = GAME | {"game_id": "g0", "date": GAME["date"].replace(day=9)}  # type: ignore[attr-defined]
    games = load_games(*write_files([later, GAME], [("g0", *HALFTIME[1:]), HALFTIME]))
    assert games.game_id.tolist() == ["g1", "g0"]
    assert games.final_margin.tolist() == [10, 10]


@pytest.mark.parametrize(
    ("games", "events", "message"),
    [
        ([GAME, GAME], [HALFTIME], "g1 come twice"),
        ([GAME], [HALFTIME, ("other", 2, 0.0, 1, 0)], "other are not among them"),
        ([GAME], [("g1", 1, 700.0, 2, 0)], "those of g1 end before"),
        ([GAME], [HALFTIME, ("g1", 3, 720.5, 1, 0)], "got 720.5 in period 3 of game g1"),
        ([GAME], [HALFTIME, ("g1", 5, 301.0, 1, 0)], "0 to 300 seconds"),
        ([GAME], [HALFTIME, ("g1", 0, 10.0, 1, 0)], "got 10 in period 0"),
        ([GAME], [HALFTIME, ("g1", 1, float("nan"), 1, 0)], "got nan"),
        ([GAME | {"home": None}], [HALFTIME], r"some in \['home'\]"),
        (
            [{k: v for k, v in GAME.items() if k != "season"}],
            [HALFTIME],
            r"\['season'\] are missing",
        ),
    ],
)
def test_files_that_cannot_be_used_say_why(
    write_files: WriteFiles, games: list[dict[str, object]], events: list[Event], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_games(*write_files(games, events))


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a parquet file"):
        load_games(tmp_path / "none.parquet", tmp_path / "none.parquet")


def test_before_a_day_are_the_games_of_earlier_days(games: GameTable) -> None:
    day = games.date[100]
    kept = games.before(str(day))
    assert len(kept) == 99  # three games a day
    assert kept.date.max() < day
    assert kept.margins.tolist() == games.margins[:99].tolist()
    with pytest.raises(DataError, match="a day with games on it or after; got 2100-01-01"):
        games.before("2100-01-01")
    assert len(games.before("1999-01-01")) == 0


def test_the_last_score_is_read_with_the_margins(write_files: WriteFiles) -> None:
    events = [("g1", 1, 665.0, 2, 0), ("g1", 1, 615.0, 2, 3), HALFTIME]
    games = load_games(*write_files([GAME], events))
    assert games.last_score.dtype == np.int8
    assert games.last_score[0, :4].tolist() == [1, -3, 0, 0]
    assert games.halftime_margin.tolist() == [5]


def test_selected_games_keep_all_that_is_known(games: GameTable) -> None:
    rows = np.arange(len(games)) % 7 == 0
    some = games.select(rows)
    assert some.game_id.tolist() == games.game_id[rows].tolist()
    assert (some.last_score == games.last_score[rows]).all()
    assert (some.final_margin == games.final_margin[rows]).all()
    assert games.seasons() == [2010, 2011, 2012, 2013, 2014]


def test_real_margins_end_at_the_final_score(real_data: Path) -> None:
    games = load_games(real_data / "games.parquet", real_data / "score_events.parquet")
    periods = dict(
        zip(
            *pq.read_table(real_data / "games.parquet", columns=["game_id", "periods"])
            .to_pydict()
            .values(),
            strict=True,
        )
    )
    regulation = np.asarray([periods[game_id] == 4 for game_id in games.game_id.tolist()])
    assert len(games) == 32_350
    agree = games.margins[regulation, -1] == games.final_margin[regulation]
    assert agree.mean() > 0.9999
    assert (games.margins[~regulation, -1] == 0).mean() > 0.99
    assert (games.final_margin != 0).all()
    # Somebody scored within the last half minute more often than not, home and away alike.
    assert 0.5 < (games.last_score != 0).mean() < 0.8
    assert abs(np.sign(games.last_score).mean()) < 0.02
