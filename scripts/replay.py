"""Replay recorded games to a running service as a five-second scraper would have posted them.

With --from-store no service is asked: a night of the store is rebuilt from its journal, and every
prediction of it is made anew and held against the stored one.
"""

import argparse
import asyncio
import json
import sys
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.errors import ForecastError
from models.training.bundle import Bundle
from serve_app.replay.errors import ReplayError
from serve_app.replay.from_store import Pacing, StoredNights
from serve_app.replay.night import Plan
from serve_app.replay.noise import NoiseRates
from serve_app.replay.playback import PlaybackOptions, connect, play_and_report
from serve_app.replay.recording import Recording, Selection, load_recordings
from serve_app.replay.report import Report
from serve_app.replay.report_table import print_report
from serve_app.replay.runner import RunOptions
from serve_app.settings import SHIPPED_BUNDLE
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store


def main(arguments: list[str] | None = None) -> int:
    """0 where every game was predicted once and rightly, 1 where not, 2 on an error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.from_store:
        return _from_store(options)
    if not (options.games and options.events):
        parser.error("expected --games and --events, or --from-store")
    selection = Selection(
        date=options.date, season=options.season, game_ids=tuple(options.game_ids or ())
    )
    try:
        recordings = load_recordings(options.games, options.events, selection)
        report = asyncio.run(_replay(options, recordings, str(selection)))
    except (ReplayError, ForecastError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print_report(Console(), report)
    if options.report:
        options.report.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    return 1 if report.failures() else 0


def _from_store(options: argparse.Namespace) -> int:
    """0 where all is the same again, 1 where not, 2 on an error."""
    try:
        store = Store.existing(options.from_store, options.store_url)
        bundle = Bundle.load(options.bundle or SHIPPED_BUNDLE)
        game_ids = options.game_ids or _games_of(store, options)
        console = Console()
        found = StoredNights(store, bundle).play(
            game_ids,
            wait_for=Pacing(options.speed).wait_for,
            tell=lambda line: console.print(line, markup=False, highlight=False),
        )
    except (ForecastError, ReplayError, StoreError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    made = found.predictions + found.revisions
    console.print(
        f"{found.games} games, {found.updates:,} updates: {found.predictions} predictions and "
        f"{found.revisions} revisions, {found.same} of {made} the same to the last digit"
    )
    for line in [*found.differing, *found.not_comparable]:
        console.print(f"FAILED: {line}", style="bold red", markup=False)
    if options.report:
        options.report.write_text(json.dumps(found.as_json(), indent=2) + "\n", encoding="utf-8")
    return 1 if found.differing or found.not_comparable else 0


def _games_of(store: Store, options: argparse.Namespace) -> list[str]:
    if options.date is None:
        raise ReplayError("--from-store: expected --date or --game-ids; got a season")
    game_ids = store.games.of_day(options.date)
    if not game_ids:
        raise ReplayError(f"--from-store: expected games of {options.date}; the store has none")
    return game_ids


async def _replay(options: argparse.Namespace, recordings: list[Recording], name: str) -> Report:
    run = RunOptions(
        speed=options.speed, post=options.post, list_size=options.list_size, lanes=options.lanes
    )
    plan = Plan(
        until=options.until,
        prefix=options.prefix,
        noise=NoiseRates() if options.noise else None,
        seed=options.seed,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task("games", total=len(recordings))
        async with connect(options.url, run.lanes) as client:
            return await play_and_report(
                client,
                recordings,
                name,
                PlaybackOptions(
                    plan=plan, run=run, bundle=options.bundle, deadline_seconds=options.deadline
                ),
                on_night=lambda night: progress.advance(bar, len(night.games)),
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=Path, help="games.parquet")
    parser.add_argument("--events", type=Path, help="score_events.parquet")
    parser.add_argument(
        "--from-store", type=Path, metavar="DATA_DIR", help="rebuild a night of this store instead"
    )
    parser.add_argument("--store-url", help="the store is this PostgreSQL database")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--date", type=date.fromisoformat, metavar="YYYY-MM-DD")
    which.add_argument("--season", type=int, help="its starting year: 2023 is 2023-24")
    which.add_argument("--game-ids", nargs="+", metavar="ID")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument(
        "--speed", type=_speed, default=None, metavar="max|N", help="times real time"
    )
    parser.add_argument("--until", choices=("halftime", "final"), default="final")
    parser.add_argument("--report", type=Path, help="write the report here as JSON")
    parser.add_argument("--bundle", type=Path, help="compare with this bundle's offline forecasts")
    parser.add_argument("--noise", action="store_true", help="late, repeated, lost, wrong updates")
    parser.add_argument("--seed", type=int, default=7, help="of the noise")
    parser.add_argument("--post", choices=("list", "single"), default="list")
    parser.add_argument("--list-size", type=_positive, default=100, help="updates per list")
    parser.add_argument("--lanes", type=_positive, default=4, help="requests under way at once")
    parser.add_argument(
        "--prefix",
        default="",
        help="put before each game id, to play a night again on one store (the forecaster then no "
        "longer knows a game of its own library by its id)",
    )
    parser.add_argument(
        "--deadline", type=float, default=60.0, help="seconds to repeat a request before giving up"
    )
    return parser


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"expected max or a number above 0; got {text}")
    return speed


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1; got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
