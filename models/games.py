"""Past games: who played when, and the margin at the end of every regulation minute."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError
from models.league import NBA, SECONDS_PER_MINUTE

REGULATION_MINUTES = NBA.quarters * NBA.quarter_seconds // SECONDS_PER_MINUTE
HALFTIME_MINUTE = NBA.halftime_elapsed // SECONDS_PER_MINUTE

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
    minutes 1..48: the last score at or before that clock, 0 before the first score.
    `final_margin` includes overtime.
    """

    game_id: npt.NDArray[np.str_]
    date: npt.NDArray[np.datetime64]
    season: npt.NDArray[np.int16]
    playoffs: BoolArray
    home: npt.NDArray[np.str_]
    away: npt.NDArray[np.str_]
    margins: npt.NDArray[np.int16]
    final_margin: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.game_id)

    @property
    def halftime_margin(self) -> npt.NDArray[np.int16]:
        """Margins at the end of minute 24, shape (n,)."""
        return self.margins[:, HALFTIME_MINUTE - 1]

    def seasons(self) -> list[int]:
        """The seasons present, ascending."""
        return [int(season) for season in np.unique(self.season)]

    def select(self, rows: BoolArray) -> "GameTable":
        """The games where `rows` (n,) is true, in the same order."""
        return GameTable(
            self.game_id[rows],
            self.date[rows],
            self.season[rows],
            self.playoffs[rows],
            self.home[rows],
            self.away[rows],
            self.margins[rows],
            self.final_margin[rows],
        )

    def without_date(self, day: str) -> "GameTable":
        """The games that were not played on `day` (YYYY-MM-DD); raises DataError if none was."""
        held_out = self.date == np.datetime64(day)
        if not held_out.any():
            raise DataError(f"hold-out date: expected a date with games; got {day} with none")
        return self.select(~held_out)


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
    final_home, final_away = _numbers(games["final_home"]), _numbers(games["final_away"])
    return GameTable(
        game_id=game_id,
        date=games["date"].cast(pa.date32()).to_numpy().astype("datetime64[D]"),
        season=_numbers(games["season"]).astype(np.int16),
        playoffs=_text(games["season_type"]) == "playoffs",
        home=_text(games["home"]),
        away=_text(games["away"]),
        margins=_minute_margins(_numbers(rows), events, game_id, str(events_path)),
        final_margin=(final_home - final_away).astype(np.int16),
    )


def _minute_margins(
    game: IntArray, events: pa.Table, game_id: npt.NDArray[np.str_], source: str
) -> npt.NDArray[np.int16]:
    """Margins (n, 48) at the end of each regulation minute; `game` is the row of each event."""
    period = _numbers(events["period"])
    remaining = events["seconds_remaining"].to_numpy().astype(np.float64)
    _check_clocks(period, remaining, game_id[game], source)
    margin = _numbers(events["score_home"]) - _numbers(events["score_away"])
    order = np.lexsort((-remaining, period, game))  # stable: equal clocks keep the file's order
    game, period, remaining, margin = game[order], period[order], remaining[order], margin[order]

    elapsed = period * NBA.quarter_seconds - remaining
    halftime = np.zeros(len(game_id), dtype=np.bool_)
    halftime[game[elapsed >= NBA.halftime_elapsed]] = True
    if not halftime.all():
        raise DataError(
            f"{source}: expected events up to halftime of every game; "
            f"those of {_some(game_id[~halftime].tolist())} end before"
        )
    # Minute m (1-based) sees what happened up to its last instant, that instant included; but a
    # free throw at the first instant of the third quarter is after the half.
    minute = np.maximum(np.ceil(elapsed / SECONDS_PER_MINUTE).astype(np.int64), 1)
    after_the_half = (period > NBA.halftime_quarter) & (minute == HALFTIME_MINUTE)
    minute[after_the_half] = HALFTIME_MINUTE + 1
    regulation = (period <= NBA.quarters) & (minute <= REGULATION_MINUTES)
    slot = game[regulation] * REGULATION_MINUTES + minute[regulation] - 1
    last = np.append(slot[1:] != slot[:-1], True)

    seen = np.zeros(len(game_id) * REGULATION_MINUTES, dtype=np.int64)
    margins = np.zeros_like(seen)
    seen[slot[last]] = slot[last] % REGULATION_MINUTES + 1
    margins[slot[last]] = margin[regulation][last]
    latest = np.maximum.accumulate(seen.reshape(len(game_id), REGULATION_MINUTES), axis=1)
    filled = np.take_along_axis(
        margins.reshape(latest.shape), np.maximum(latest - 1, 0), axis=1
    ) * (latest > 0)
    return filled.astype(np.int16)


def _check_clocks(
    period: IntArray,
    remaining: npt.NDArray[np.float64],
    game_id: npt.NDArray[np.str_],
    source: str,
) -> None:
    length = np.where(period <= NBA.quarters, NBA.quarter_seconds, NBA.overtime_seconds)
    possible = (period >= 1) & (period <= NBA.last_quarter)
    possible &= (remaining >= 0) & (remaining <= length)
    if not possible.all():
        row = int(np.argmin(possible))
        raise DataError(
            f"{source}: expected periods 1 to {NBA.last_quarter} with 0 to {length[row]} seconds "
            f"remaining; got {remaining[row]:g} in period {period[row]} of game {game_id[row]}"
        )


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
