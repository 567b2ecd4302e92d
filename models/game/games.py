"""Past games: who played when, and the margin at the end of every regulation minute."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError
from models.game.horizon import HALFTIME_MINUTE
from models.game.score_events import ScoreEvents, check_clocks

GAME_COLUMNS = (
    "game_id",
    "date",
    "season",
    "season_type",
    "home",
    "away",
    "final_home",
    "final_away",
)
EVENT_COLUMNS = ("game_id", "period", "seconds_remaining", "score_home", "score_away")

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GameTable:
    """Games in order of date, then of game id; one row of every array per game.

    `season` is the starting year. `margins` (n, 48) holds home − away in points at the end of game
    minutes 1..48: the last score at or before that clock, 0 before the first score. `last_score`
    (n, 48) holds the class of the last score then (`models.game.last_score`). The final scores
    include overtime.
    """

    game_id: npt.NDArray[np.str_]
    date: npt.NDArray[np.datetime64]
    season: npt.NDArray[np.int16]
    playoffs: BoolArray
    home: npt.NDArray[np.str_]
    away: npt.NDArray[np.str_]
    margins: npt.NDArray[np.int16]
    last_score: npt.NDArray[np.int8]
    final_home: npt.NDArray[np.int16]
    final_away: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.game_id)

    @property
    def halftime_margin(self) -> npt.NDArray[np.int16]:
        """Margins at the end of minute 24, shape (n,)."""
        return self.margins[:, HALFTIME_MINUTE - 1]

    @property
    def final_margin(self) -> npt.NDArray[np.int16]:
        """Final margins, overtime included, shape (n,)."""
        return self.final_home - self.final_away

    def seasons(self) -> list[int]:
        """The seasons present, ascending."""
        return [int(season) for season in np.unique(self.season)]

    def select(self, rows: BoolArray | IntArray) -> "GameTable":
        """Some of the games: those where `rows` is true, or whose rows it lists."""
        return GameTable(*(getattr(self, column.name)[rows] for column in fields(self)))

    def before(self, day: str) -> "GameTable":
        """The games before `day` (YYYY-MM-DD); raises DataError where that leaves out none."""
        earlier = self.date < np.datetime64(day)
        if earlier.all():
            raise DataError(f"before: expected a day with games on it or after; got {day}")
        return self.select(earlier)


def load_games(games_path: Path | str, events_path: Path | str) -> GameTable:
    """Read games and their score events (parquet) into one table.

    Raises DataError on a missing file or column, empty cells, a game listed twice, events of a
    game that is not listed, a clock that no period shows, and games whose events end before
    halftime, for those would only look as if the score had stood still.
    """
    games = _read(games_path, GAME_COLUMNS).sort_by(
        [("date", "ascending"), ("game_id", "ascending")]
    )
    events = _read(events_path, EVENT_COLUMNS)
    game_id = _text(games["game_id"])
    repeated = _repeated(game_id)
    if repeated:
        raise DataError(f"{games_path}: expected each game once; {_some(repeated)} come twice")
    if not len(game_id):
        raise DataError(f"{games_path}: expected at least one game; got none")
    rows = pc.index_in(events["game_id"], value_set=games["game_id"].combine_chunks())
    if rows.null_count:
        unknown = events["game_id"].filter(pc.is_null(rows)).unique().to_pylist()
        raise DataError(
            f"{events_path}: expected events of the games in {games_path} only; "
            f"{_some(unknown)} are not among them"
        )
    scores = _score_events(events, _numbers(rows), game_id, str(events_path))
    return GameTable(
        game_id=game_id,
        date=games["date"].cast(pa.date32()).to_numpy().astype("datetime64[D]"),
        season=_numbers(games["season"]).astype(np.int16),
        playoffs=_text(games["season_type"]) == "playoffs",
        home=_text(games["home"]),
        away=_text(games["away"]),
        margins=scores.minute_margins(len(game_id)),
        last_score=scores.last_scores(len(game_id)),
        final_home=_numbers(games["final_home"]).astype(np.int16),
        final_away=_numbers(games["final_away"]).astype(np.int16),
    )


def _score_events(
    events: pa.Table, game: IntArray, game_id: npt.NDArray[np.str_], source: str
) -> ScoreEvents:
    """The events in game order; `game` is the row of each event's game."""
    period = _numbers(events["period"])
    remaining = events["seconds_remaining"].to_numpy().astype(np.float64)
    check_clocks(period, remaining, game_id[game], source)
    scores = ScoreEvents.of(
        game, period, remaining, _numbers(events["score_home"]), _numbers(events["score_away"])
    )
    unfinished = scores.unfinished_halves(len(game_id))
    if unfinished.any():
        raise DataError(
            f"{source}: expected events up to halftime of every game; "
            f"those of {_some(game_id[unfinished].tolist())} end before"
        )
    return scores


def _read(path: Path | str, columns: tuple[str, ...]) -> pa.Table:
    try:
        present = pq.read_schema(path).names
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: expected a parquet file; {error}") from error
    missing = [column for column in columns if column not in present]
    if missing:
        raise DataError(f"{path}: expected the columns {columns}; {missing} are missing")
    table = pq.read_table(path, columns=list(columns))
    empty = [column for column in columns if table[column].null_count]
    if empty:
        raise DataError(f"{path}: expected no empty cells; found some in {empty}")
    return table


def _text(column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    return np.asarray(column.to_pylist(), dtype=np.str_)


def _numbers(column: pa.ChunkedArray) -> IntArray:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _repeated(values: npt.NDArray[np.str_]) -> list[str]:
    unique, counts = np.unique(values, return_counts=True)
    return [str(value) for value in unique[counts > 1]]


def _some(values: Iterable[object]) -> str:
    """Up to three of the values and how many more there are, for an error message."""
    listed = list(values)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(str(value) for value in listed[:3]) + more
