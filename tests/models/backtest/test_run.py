"""A whole backtest on a small history: leakage, resuming, workers."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.backtest.executor import Call, Done, InProcess
from models.backtest.origin import RollingOrigin
from models.backtest.rows import QUANTILES, SCHEMA
from models.backtest.run import Ran, run_backtest
from models.errors import DataError
from models.game.games import GameTable
from serve_app.ray_chunks import ray_chunks
from tests.models.backtest.conftest import MINUTES, SEASONS, contents, rolling

FORECAST = ("point", *QUANTILES, "win_probability")


def read(ran: Ran) -> dict[tuple[str, str, int, str], dict[str, float]]:
    """Every row's forecast by game, horizon, minute and model."""
    rows = {}
    for part in ran.parts:
        for row in pq.read_table(part).to_pylist():
            key = (row["game_id"], row["horizon"], row["minute"], row["model"])
            assert key not in rows
            rows[key] = row
    return rows


def test_one_row_per_game_minute_horizon_and_model(history: GameTable, ran: Ran) -> None:
    rows = read(ran)
    games = int(np.isin(history.season, SEASONS).sum())
    everywhere = ("ensemble", "dejavu", "lstm", "persistence", "brownian", "ridge", "boosting")
    for model in everywhere:
        assert sum(key[3] == model for key in rows) == games * (3 + len(MINUTES)), model
    assert sum(key[3] == "logistic" for key in rows) == games * len(MINUTES)
    # Halftime, from the third minute on: 6 and 18.
    assert sum(key[3] == "original" for key in rows) == games * 2
    assert all(pq.read_schema(part).remove_metadata() == SCHEMA for part in ran.parts)


def test_a_row_tells_the_game_and_quantiles_never_cross(history: GameTable, ran: Ran) -> None:
    place = {game_id: row for row, game_id in enumerate(history.game_id.tolist())}
    for (game_id, horizon, minute, model), row in read(ran).items():
        game = place[game_id]
        assert row["margin"] == history.margins[game, minute - 1]
        wanted = history.halftime_margin if horizon == "halftime" else history.final_margin
        assert row["actual"] == wanted[game]
        quantiles = [row[name] for name in QUANTILES]
        if model in {"dejavu", "lstm", "logistic"}:
            assert set(quantiles) == {None}
        else:
            assert quantiles == sorted(quantiles)
            assert 0 <= row["pit"] <= 1
            assert row["crps"] >= 0
        asked_who_wins = horizon == "final" and model not in {"dejavu", "lstm"}
        assert (row["win_probability"] is not None) == asked_who_wins


def test_the_future_changes_nothing_before_it(history: GameTable, ran: Ran, tmp_path: Path) -> None:
    day = np.datetime64("2015-11-10")
    later = np.flatnonzero(history.date >= day)
    other = np.random.default_rng(3).permutation(later)
    swapped = {
        name: getattr(history, name).copy()
        for name in ("margins", "last_score", "final_home", "final_away")
    }
    for name, values in swapped.items():
        values[later] = getattr(history, name)[other]
    again = run_backtest(rolling(replace(history, **swapped)), tmp_path, InProcess())
    before, after = read(ran), read(again)
    dates = dict(zip(history.game_id.tolist(), history.date, strict=True))
    unchanged = [key for key in before if dates[key[0]] < day]
    assert {key[0][:4] for key in unchanged} == {"2014", "2015"}
    assert all(before[key] == after[key] for key in unchanged)
    assert any(before[key] != after[key] for key in before if key not in set(unchanged))


def test_nothing_after_the_clock_is_known(history: GameTable, ran: Ran, tmp_path: Path) -> None:
    """What happens after minute 18 of the last night changes no forecast made by then."""
    last = history.date == history.date.max()
    margins, home = history.margins.copy(), history.final_home.copy()
    margins[last, 18:] += 20
    home[last] += 20
    altered = replace(history, margins=margins, final_home=home)
    again = read(run_backtest(rolling(altered), tmp_path, InProcess()))
    games = set(history.game_id[last].tolist())
    known = [key for key in again if key[0] in games and key[2] <= 18]
    before = read(ran)
    assert known
    for key in known:
        assert [before[key][name] for name in FORECAST] == [again[key][name] for name in FORECAST]


def test_two_workers_write_the_same_bytes_as_one(
    origin: RollingOrigin, ran: Ran, tmp_path: Path
) -> None:
    with ray_chunks(2) as executor:
        parallel = run_backtest(origin, tmp_path, executor)
    assert contents(parallel.parts) == contents(ran.parts)


class BrokenOffError(RuntimeError):
    """The run was broken off."""


class Interrupted(InProcess):
    """Breaks off after so many tasks."""

    def __init__(self, tasks: int) -> None:
        self._left = tasks

    def run(self, calls: Iterable[Call]) -> Iterator[Done]:
        for done in super().run(calls):
            if not self._left:
                raise BrokenOffError
            self._left -= 1
            yield done


@pytest.mark.parametrize("tasks", [1, 4])
def test_what_is_done_is_kept_and_the_rest_made_later(
    origin: RollingOrigin, ran: Ran, tmp_path: Path, tasks: int
) -> None:
    with pytest.raises(BrokenOffError):
        run_backtest(origin, tmp_path, Interrupted(tasks))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert kept
    again = run_backtest(origin, tmp_path, InProcess())
    assert again.made == len(ran.parts) - max(tasks - len(SEASONS), 0)
    assert contents(again.parts) == contents(ran.parts)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert run_backtest(origin, tmp_path, InProcess()).made == 0


def test_rows_of_another_backtest_are_refused(
    history: GameTable, ran: Ran, origin: RollingOrigin
) -> None:
    out = ran.parts[0].parents[1]
    altered = replace(history, final_home=history.final_home + 1)
    with pytest.raises(DataError, match="expected rows of this backtest"):
        run_backtest(rolling(altered), out, InProcess())
    with pytest.raises(DataError, match="of another"):
        run_backtest(rolling(history, minutes=(7,)), out, InProcess())


def test_the_bundle_of_every_season_is_kept(ran: Ran) -> None:
    from models.training.bundle import Bundle  # noqa: PLC0415

    out = ran.parts[0].parents[1]
    untils = [Bundle.load(out / "bundles" / str(season)).split.until for season in SEASONS]
    assert untils == [2013, 2014]


def test_fingerprints_follow_the_games(history: GameTable) -> None:
    one = rolling(history).plan.fingerprint
    assert rolling(history).plan.fingerprint == one
    for column in fields(history):
        values = getattr(history, column.name)
        altered = replace(history, **{column.name: values[::-1].copy()})
        if not np.array_equal(values, values[::-1]) and column.name not in {"season", "date"}:
            assert rolling(altered).plan.fingerprint != one, column.name
