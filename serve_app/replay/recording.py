"""A recorded game: its teams and every score change with its game clock, read from parquet."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError
from models.game.league import NBA, LeagueRules
from serve_app.replay.pace import MS, IntArray

GAME_COLUMNS = ("game_id", "date", "season", "home", "away", "periods")
EVENT_COLUMNS = ("game_id", "period", "seconds_remaining", "score_home", "score_away")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recorded game. The arrays run over its score events, in game order.

    `period` counts from 1, `played` is in milliseconds since the start of that period, the
    scores are those after the event. Before the first event the score is 0-0. An event may
    repeat the score before it: each period ends with a row at 0.0.
    """

    game_id: str
    date: datetime.date
    season: int
    home: str
    away: str
    periods: int
    expected_margin: float | None
    playoffs: bool = False
    period: IntArray
    played: IntArray
    score_home: IntArray
    score_away: IntArray

    def changes(self) -> IntArray:
        """Indices of the events that changed the score."""
        home = np.diff(self.score_home, prepend=0)
        away = np.diff(self.score_away, prepend=0)
        return np.flatnonzero((home != 0) | (away != 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which games to play: those of a date, of a season (its starting year), or by id."""

    date: datetime.date | None = None
    season: int | None = None
    game_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum((self.date is not None, self.season is not None, bool(self.game_ids))) != 1:
            raise DataError("selection: expected exactly one of a date, a season or game ids")

    def __str__(self) -> str:
        if self.date is not None:
            return f"date {self.date.isoformat()}"
        return f"season {self.season}" if self.season is not None else f"games {self.game_ids}"

    def mask(self, games: pa.Table) -> pa.ChunkedArray:
        """Which rows of the games table are selected."""
        if self.date is not None:
            return pc.equal(games["date"], pa.scalar(self.date, pa.date32()))
        if self.season is not None:
            return pc.equal(games["season"], self.season)
        return pc.is_in(games["game_id"], pa.array(self.game_ids, games["game_id"].type))


def load_recordings(
    games_path: Path, events_path: Path, selection: Selection, rules: LeagueRules = NBA
) -> list[Recording]:
    """The selected games by date and id, with their events.

    `expected_margin` (points) and `season_type` are taken where the games file has them. Raises
    DataError where a file lacks a column, nothing is selected, or a selected game has no events.
    """
    games = _read(games_path, GAME_COLUMNS)
    rows = games.filter(selection.mask(games)).to_pylist()
    rows.sort(key=lambda row: (row["date"], row["game_id"]))
    if not rows:
        raise DataError(f"{games_path}: expected at least one game of {selection}; found none")
    missing = set(selection.game_ids) - {row["game_id"] for row in rows}
    if missing:
        raise DataError(f"{games_path}: expected games {sorted(missing)}; they are not in it")
    events = _read(events_path, EVENT_COLUMNS, [row["game_id"] for row in rows])
    slices = _slices(events, events_path)
    return [_recording(row, slices.get(row["game_id"]), events_path, rules) for row in rows]


def _read(path: Path, columns: Sequence[str], game_ids: list[str] | None = None) -> pa.Table:
    """A parquet file that has `columns`, optionally of some games only."""
    if not path.exists():
        raise DataError(f"{path}: expected a parquet file; there is none")
    try:
        filters = None if game_ids is None else pc.field("game_id").isin(game_ids)
        table = pq.read_table(path, filters=filters)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: expected a parquet file with {list(columns)}; {error}") from None
    absent = [column for column in columns if column not in table.column_names]
    if absent:
        raise DataError(f"{path}: expected the columns {list(columns)}; {absent} are missing")
    return table


def _slices(events: pa.Table, path: Path) -> dict[str, pa.Table]:
    """The events of each game: a file is sorted by game, so each is one run of rows."""
    game_ids = np.asarray(events["game_id"].to_pylist(), dtype=np.str_)
    starts = np.flatnonzero(np.concatenate(([True], game_ids[1:] != game_ids[:-1])))
    ends = np.append(starts[1:], len(game_ids))
    names = game_ids[starts].tolist() if len(game_ids) else []
    if len(set(names)) != len(names):
        raise DataError(f"{path}: expected the events of a game in consecutive rows")
    bounds = zip(names, starts.tolist(), ends.tolist(), strict=True) if names else ()
    return {name: events.slice(start, end - start) for name, start, end in bounds}


def _recording(
    row: dict[str, Any], events: pa.Table | None, path: Path, rules: LeagueRules
) -> Recording:
    game_id = row["game_id"]
    if events is None:
        raise DataError(f"{path}: expected events of game {game_id}; found none")
    period, home, away = (
        events[column].to_numpy().astype(np.int64)
        for column in ("period", "score_home", "score_away")
    )
    remaining = np.rint(events["seconds_remaining"].to_numpy().astype(np.float64) * MS)
    length = np.array([rules.length_seconds(quarter) * MS for quarter in period.tolist()])
    played = length - remaining.astype(np.int64)
    clock = period * rules.quarter_seconds * MS + played  # rises strictly with game time
    if np.any(played < 0) or np.any(played > length) or np.any(np.diff(clock) < 0):
        raise DataError(f"{path}: expected the events of game {game_id} in clock order")
    return Recording(
        game_id=game_id,
        date=row["date"],
        season=row["season"],
        home=row["home"],
        away=row["away"],
        periods=row["periods"],
        expected_margin=row.get("expected_margin"),
        playoffs=row.get("season_type") == "playoffs",
        period=period,
        played=played,
        score_home=home,
        score_away=away,
    )
