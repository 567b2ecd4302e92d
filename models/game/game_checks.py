"""Checks of a games file and its events: every problem with its count, and the clean rest."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError
from models.game.games import EVENT_COLUMNS, GAME_COLUMNS, BoolArray, GameTable, load_games
from models.game.league import NBA

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: how many rows have it, and the ids of the games it spoils."""

    kind: str
    rows: int
    games: tuple[str, ...]

    def __str__(self) -> str:
        named = ", ".join(self.games[:_NAMED])
        more = f" and {len(self.games) - _NAMED} more" if len(self.games) > _NAMED else ""
        return f"{self.kind}: {self.rows:,} rows, games {named}{more}"


@dataclass(frozen=True, slots=True)
class CheckedGames:
    """The games that can be used, what was wrong with the others, and how many those are."""

    games: GameTable
    problems: tuple[Problem, ...]
    left_out: int


def load_checked(games_path: Path, events_path: Path, *, skip_bad_games: bool) -> CheckedGames:
    """Read both files; games with a problem are left out where `skip_bad_games` asks for it.

    Raises DataError that lists every problem where it does not, on missing columns in any case,
    and where no game is left.
    """
    games, events = _read_both(games_path, events_path)
    problems = tuple(_problems(games, events))
    if not problems:
        return CheckedGames(load_games(games_path, events_path), (), 0)
    if not skip_bad_games:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DataError(
            f"{games_path}, {events_path}: expected games without these problems:\n{listed}\n"
            "Mend the files, or leave these games out (--skip-bad-games)"
        )
    bad = {game for problem in problems for game in problem.games}
    listed_ids = set(_texts(games["game_id"]).tolist())
    if not listed_ids - bad:
        raise DataError(f"{games_path}: expected at least one game without a problem; got none")
    return CheckedGames(_load_without(games, events, bad), problems, len(bad & listed_ids))


def _read_both(games_path: Path, events_path: Path) -> tuple[pa.Table, pa.Table]:
    """Both tables; raises DataError that names what is missing in either."""
    wrong, tables = [], []
    for path, columns in ((games_path, GAME_COLUMNS), (events_path, EVENT_COLUMNS)):
        try:
            present = pq.read_schema(path).names
        except (OSError, pa.ArrowInvalid) as error:
            wrong.append(f"{path}: expected a parquet file; {error}")
            continue
        missing = [column for column in columns if column not in present]
        if missing:
            wrong.append(
                f"{path}: expected the columns {columns}; {len(missing)} missing: {missing}"
            )
        else:
            tables.append(pq.read_table(path))
    if wrong:
        raise DataError("\n".join(wrong))
    games, events = tables
    return games, events


def _problems(games: pa.Table, events: pa.Table) -> Iterator[Problem]:
    """What is wrong, kind by kind; a game may have several problems."""
    ids = _texts(games["game_id"])
    yield from _of_games(games, ids)
    known = events["game_id"].is_valid()
    rows = pc.index_in(events["game_id"], value_set=pa.array(ids.tolist(), pa.string()))
    stray = np.asarray(pc.and_(known, pc.is_null(rows)))
    yield from _problem(
        "events of a game that is not listed", stray, _texts(events["game_id"].filter(stray))
    )
    listed = ~stray & np.asarray(known)
    yield from _of_events(events.filter(listed), _whole(rows)[listed], games, ids)


def _of_games(games: pa.Table, ids: npt.NDArray[np.str_]) -> Iterator[Problem]:
    empty = _empty(games, GAME_COLUMNS)
    _, place, counts = np.unique(ids, return_inverse=True, return_counts=True)
    home, away = _whole(games["final_home"]), _whole(games["final_away"])
    same = _texts(games["home"]) == _texts(games["away"])
    impossible = (home == away) | (np.minimum(home, away) < 0)
    for kind, wrong in (
        ("empty cells in the games file", empty),
        ("listed more than once", counts[place] > 1),
        ("a team against itself", ~empty & same),
        ("a final score that is tied or below 0", ~empty & impossible),
    ):
        yield from _problem(kind, wrong, ids[wrong])


def _of_events(
    events: pa.Table, game: npt.NDArray[np.int64], games: pa.Table, ids: npt.NDArray[np.str_]
) -> Iterator[Problem]:
    """Of the events of listed games; `game` (m,) is the row of each event's first listing."""
    empty = _empty(events, EVENT_COLUMNS)
    yield from _problem("empty cells in the events file", empty, ids[game[empty]])
    period, home, away = (_whole(events[name]) for name in ("period", "score_home", "score_away"))
    remaining = _real(events["seconds_remaining"])
    length = np.where(period <= NBA.quarters, NBA.quarter_seconds, NBA.overtime_seconds)
    possible = (period >= 1) & (period <= NBA.last_quarter)
    possible &= (remaining >= 0) & (remaining <= length)
    for kind, wrong in (
        ("scores at clocks that no period shows", ~empty & ~possible),
        ("scores below 0", ~empty & (np.minimum(home, away) < 0)),
    ):
        yield from _problem(kind, wrong, ids[game[wrong]])

    sound = ~empty & possible
    order = np.lexsort((-remaining[sound], period[sound], game[sound]))
    owners, halves = game[sound][order], (period[sound] > NBA.halftime_quarter)[order]
    at_halftime = (period == NBA.halftime_quarter) & (remaining == 0)
    reached = np.zeros(len(ids), dtype=np.bool_)
    reached[owners[halves | at_halftime[sound][order]]] = True
    first = np.zeros(len(ids), dtype=np.bool_)
    first[np.unique(ids, return_index=True)[1]] = True
    early = first & ~reached
    yield from _problem("events that end before halftime", early, ids[early])
    yield from _unfinished(games, ids, owners, home[sound][order], away[sound][order])


def _unfinished(
    games: pa.Table,
    ids: npt.NDArray[np.str_],
    owners: npt.NDArray[np.int64],
    home: npt.NDArray[np.int64],
    away: npt.NDArray[np.int64],
) -> Iterator[Problem]:
    """Games whose last event is not their final score; events (m,) in game order."""
    last = np.flatnonzero(np.append(owners[1:] != owners[:-1], True)) if len(owners) else owners
    finals = _whole(games["final_home"])[owners[last]], _whole(games["final_away"])[owners[last]]
    wrong = np.zeros(len(ids), dtype=np.bool_)
    wrong[owners[last]] = (home[last] != finals[0]) | (away[last] != finals[1])
    yield from _problem("a final score other than the last event's", wrong, ids[wrong])


def _problem(kind: str, wrong: BoolArray, spoilt: npt.NDArray[np.str_]) -> Iterator[Problem]:
    """One problem where any row (n,) has it; `spoilt` are the ids of the games of those rows."""
    if wrong.any():
        yield Problem(kind, int(wrong.sum()), tuple(map(str, np.unique(spoilt).tolist())))


def _load_without(games: pa.Table, events: pa.Table, bad: set[str]) -> GameTable:
    with tempfile.TemporaryDirectory(prefix="games-") as folder:
        paths = [Path(folder, name) for name in ("games.parquet", "events.parquet")]
        for table, path in zip((games, events), paths, strict=True):
            spoilt = pc.is_in(table["game_id"], value_set=pa.array(sorted(bad), pa.string()))
            kept = pc.and_(table["game_id"].is_valid(), pc.invert(spoilt))
            pq.write_table(table.filter(kept), path)
        return load_games(*paths)


def _empty(table: pa.Table, columns: Sequence[str]) -> BoolArray:
    """Which rows (n,) have an empty cell."""
    empty = np.zeros(len(table), dtype=np.bool_)
    for column in columns:
        if table[column].null_count:
            empty |= np.asarray(pc.is_null(table[column], nan_is_null=True))
    return empty


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    return np.asarray(pc.fill_null(column, "").to_pylist(), dtype=np.str_)


def _whole(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Whole numbers (n,), −1 where there is none."""
    return np.asarray(pc.fill_null(column, -1)).astype(np.int64)


def _real(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers (n,), −1 where there is none."""
    return np.asarray(pc.fill_null(column, -1)).astype(np.float64)
