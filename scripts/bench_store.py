"""Benchmark the store: updates a second with and without fsync, and how fast games are rebuilt.

Both kinds of run take turns in this process, so that a busy machine slows both.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from models.game.clock import GameClock
from serve_app.api.problems import ServiceProblem
from serve_app.schemas import Forecast, GameRegistration
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.database import Database
from serve_app.storage.store import Store

HALF_SECONDS = 1440
POLL_SECONDS = 5


def main() -> int:
    """Run both benchmarks and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=100, help="games that are posted")
    parser.add_argument("--list-size", type=int, default=100, help="updates in a list")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs")
    parser.add_argument("--rebuild", type=int, default=1_000, help="games that are rebuilt")
    parser.add_argument("--folder", type=Path, help="of the stores: the disk to be measured")
    options = parser.parse_args()
    table = Table("what", "median", "of")
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(options.rounds):
        for durable in (True, False) if number % 2 else (False, True):
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                store = Store(Database.in_folder(Path(folder), durable=durable))
                rates[durable].append(_updates_a_second(store, options.games, options.list_size))
                store.close()
    for durable, what in ((True, "durable"), (False, "without fsync")):
        runs = ", ".join(f"{rate:,.0f}" for rate in rates[durable])
        table.add_row(f"updates/s, {what}", f"{median(rates[durable]):,.0f}", runs)
    ratios = [full / off for full, off in zip(rates[True], rates[False], strict=True)]
    table.add_row(
        "durable ÷ without", f"{median(ratios):.2f}", ", ".join(f"{r:.2f}" for r in ratios)
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        updates, seconds = _rebuild(Path(folder), options.rebuild)
    table.add_row(
        f"rebuild {options.rebuild:,} games mid-game", f"{seconds:.2f} s", f"{updates:,} updates"
    )
    Console().print(table)
    return 0


def _updates_a_second(store: Store, games: int, list_size: int) -> float:
    shard = _registered(store, games)
    updates = [update for moment in zip(*_halves(games), strict=False) for update in moment]
    lists = [updates[at : at + list_size] for at in range(0, len(updates), list_size)]
    begun = time.perf_counter()
    for one in lists:
        shard.apply(one)
    return len(updates) / (time.perf_counter() - begun)


def _rebuild(folder: Path, games: int) -> tuple[int, float]:
    """Journaled updates, and the seconds that a shard needs which comes back without memory."""
    store = Store(Database.in_folder(folder, durable=False))
    shard = _registered(store, games)
    for half in _halves(games):
        _predicted(shard, shard.apply(half))
    store.close()
    updates = sum(map(len, _halves(games)))
    back = GameShard(Store(Database.in_folder(folder)), most_sessions=games)
    begun = time.perf_counter()
    back.games([f"g{number}" for number in range(games)])
    return updates, time.perf_counter() - begun


def _predicted(shard: GameShard, applied: list[Applied | ServiceProblem]) -> None:
    last = applied[-1]
    if isinstance(last, Applied) and last.due is not None:
        forecast = Forecast(
            point_forecast=0.0,
            interval_lower=-12.0,
            interval_upper=12.0,
            coverage_probability=0.95,
            model_version="none",
            expected_margin=0.0,
            strength="caller",
        )
        shard.forecasts.record(last.due, forecast)


def _registered(store: Store, games: int) -> GameShard:
    shard = GameShard(store, most_sessions=games)
    for number in range(games):
        shard.register(GameRegistration(game_id=f"g{number}", home_team="BOS", away_team="LAL"))
    return shard


def _halves(games: int) -> list[list[Update]]:
    """The first half of each game as a five-second scraper posts it."""
    return [
        list(_half(f"g{number}", random.Random(number)))  # noqa: S311 - no secret
        for number in range(games)
    ]


def _half(game_id: str, chance: random.Random) -> Iterator[Update]:
    elapsed = home = away = sequence = 0
    while elapsed < HALF_SECONDS - POLL_SECONDS:
        quarter = 1 + elapsed // 720
        clock = GameClock(quarter, float(quarter * 720 - elapsed)).time_remaining
        stamp = 1.7e9 + POLL_SECONDS * sequence
        yield Update(game_id, quarter, clock, home, away, stamp, sequence)
        sequence += 1
        elapsed += POLL_SECONDS * (chance.random() < 0.6)  # the clock stands the rest of the time
        home += 2 * (chance.random() < 0.1)
        away += 2 * (chance.random() < 0.1)


if __name__ == "__main__":
    sys.exit(main())
