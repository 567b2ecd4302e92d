"""Backtest: forecast past seasons as if they were to come, and report it beside its baselines.

Runs here, as `--workers N` local processes, or on a cluster by `ray job submit -- python ...`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from models.backtest.executor import Executor, InProcess, peak_bytes
from models.backtest.goals import goals
from models.backtest.origin import BundleOrigin, Origin, RollingOrigin
from models.backtest.plan import MINUTES
from models.backtest.report import report
from models.backtest.run import Ran, run_backtest
from models.backtest.summary import summarise, tally_parts
from models.backtest.tables import goal_table
from models.backtest.tally import Tally
from models.errors import ForecastError
from models.game.game_checks import CheckedGames, load_checked
from models.game.games import GameTable
from models.game.pattern import FloatArray
from models.training.bundle import Bundle
from serve_app.ray_chunks import inside_cluster, ray_chunks

ROLLING_SEASONS = range(2012, 2024)


def main(arguments: list[str] | None = None) -> int:
    """Write rows, summary and report; 0, 2 where the input cannot be used, 130 when stopped."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        checked = load_checked(options.games, options.events, skip_bad_games=options.skip_bad_games)
        for problem in checked.problems:
            print(f"backtest: {problem}", file=sys.stderr)
        origin = _origin(options, checked.games)
        with _executor(options.workers) as executor:
            ran = run_backtest(origin, options.out, executor, _Progress())
        tally = tally_parts(ran.parts)
    except ForecastError as error:
        print(f"backtest: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("backtest: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    ran.peaks[os.getpid()] = peak_bytes()
    _write(options, _facts(origin, tally, ran, time.monotonic() - started), checked, tally)
    _print_goals(tally)
    print(f"{options.out / 'report.html'}, {time.monotonic() - started:.0f} s")
    return 0


def _origin(options: argparse.Namespace, games: GameTable) -> Origin:
    if options.bundle is None:
        seasons = options.seasons or [one for one in games.seasons() if one in ROLLING_SEASONS]
        return RollingOrigin.of(games, seasons, minutes=options.minutes)
    return BundleOrigin.of(
        Bundle.load(options.bundle),
        games,
        seasons=options.seasons,
        minutes=options.minutes,
        given=_given_margins(options.games, games),
    )


def _given_margins(path: Path, games: GameTable) -> FloatArray | None:
    """The games file's own `expected_margin` (n,), where it has one."""
    if "expected_margin" not in pq.read_schema(path).names:
        return None
    table = pq.read_table(path, columns=["game_id", "expected_margin"])
    given = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    found = [given.get(game_id) for game_id in games.game_id.tolist()]
    return np.asarray([np.nan if margin is None else margin for margin in found], dtype=np.float64)


@contextmanager
def _executor(workers: int | None) -> Iterator[Executor]:
    """Ray where there is a cluster or several workers, else this process."""
    if inside_cluster() or (workers or 1) > 1:
        with ray_chunks(workers) as executor:
            yield executor
    else:
        yield InProcess()


class _Progress:
    """One line per step with the time gone and, from the pace of this run, the time left."""

    def __init__(self) -> None:
        self._started: dict[str, tuple[float, int]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Print it."""
        now = time.monotonic()
        began, already = self._started.setdefault(what, (now, done))
        made, gone = done - already, now - began
        left = f", about {_clock(gone / made * (total - done))} left" if made else ""
        print(f"{what} {done}/{total}, {_clock(gone)} gone{left}", flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _facts(origin: Origin, tally: Tally, ran: Ran, seconds: float) -> dict[str, str]:
    """What a reader should know of the run, by name."""
    minutes = origin.plan.minutes
    rows = sum(pq.read_metadata(part).num_rows for part in ran.parts)
    return {
        "forecast by": origin.title,
        "seasons": ", ".join(map(str, origin.plan.seasons)),
        "games": f"{sum(tally.games.values()):,}",
        "minutes": f"{minutes[0]} to {minutes[-1]}, {len(minutes)} of them",
        "rows": f"{rows:,}",
        "fingerprint": origin.plan.fingerprint,
        "this run": f"{ran.made} of {len(ran.parts)} parts in {seconds:.0f} s, "
        f"{ran.peak_bytes / 1e9:.1f} GB of memory at most over {len(ran.peaks)} processes",
    }


def _write(
    options: argparse.Namespace, facts: dict[str, str], checked: CheckedGames, tally: Tally
) -> None:
    """`summary.json`, the same whenever the same thing is run, `run.json` and `report.html`."""
    notices = [f"{checked.left_out:,} games were left out."] if checked.problems else []
    notices += [str(problem) for problem in checked.problems]
    for name, content in {
        "summary.json": json.dumps(summarise(tally) | {"left_out": checked.left_out}, indent=1),
        "run.json": json.dumps(facts | {"problems": notices}, indent=1),
        "report.html": report(tally, title="Backtest", facts=facts, notices=notices),
    }.items():
        (options.out / name).write_text(content + "\n", encoding="utf-8")


def _print_goals(tally: Tally) -> None:
    told = goal_table(goals(tally))
    table = Table(title=told.caption, show_lines=False)
    for column in told.head:
        table.add_column(column, overflow="fold")
    for row in told.rows:
        table.add_row(*row)
    Console(width=160 if not sys.stdout.isatty() else None).print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--games", type=Path, required=True, help="games.parquet")
    parser.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder of rows and report")
    parser.add_argument("--seasons", type=_numbers, metavar="2012-2023", help="starting years")
    parser.add_argument("--minutes", type=_numbers, default=MINUTES, metavar="1-47")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--bundle", type=Path, help="forecast what is later than this bundle")
    which.add_argument(
        "--rolling-origin", action="store_true", help="train for every season (the default)"
    )
    parser.add_argument("--workers", type=int, help="processes at once; in a Ray job, tasks")
    bad = parser.add_mutually_exclusive_group()
    bad.add_argument("--refuse", action="store_true", help="bad games end it (the default)")
    bad.add_argument("--skip-bad-games", action="store_true", help="leave them out and say so")
    return parser


def _numbers(text: str) -> list[int]:
    """`2012-2015,2020` as 2012, 2013, 2014, 2015 and 2020."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            found.extend(range(int(first), int(last or first) + 1))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"expected numbers such as 2012-2015,2020; got {text!r}"
            ) from None
    return found


if __name__ == "__main__":
    sys.exit(main())
