"""Benchmark scoring: 32,000 games at each of the first 23 minutes with the shipped bundle.

Only the speed is measured: the games are those of the bundle's own library, repeated.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from models.game.game_state import states_at
from models.game.horizon import HALFTIME_MINUTE, HORIZONS, cell_of
from models.training.bundle import Bundle
from serve_app.settings import SHIPPED_BUNDLE


def main() -> int:
    """Time each part over all minutes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--number", type=int, default=32_000, help="games")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    library = bundle.library
    rows = np.arange(options.number) % len(library.games)
    games, expected = library.games.select(rows), library.expected_margins[rows]
    place = HORIZONS.index("halftime")
    seconds = {"Dejavu": 0.0, "LSTM": 0.0, "ensemble and 90 % interval": 0.0}
    dejavu, lstm = bundle.dejavu, bundle.lstm
    begun = time.perf_counter()
    parts = (dejavu.increments, lstm.over_courses(games, expected))
    seconds["LSTM"] += time.perf_counter() - begun
    for minute in range(1, HALFTIME_MINUTE):
        states = states_at(games, expected, minute)
        answers = []
        for name, part in zip(seconds, parts, strict=False):
            begun = time.perf_counter()
            answers.append(part(states)[:, place])
            seconds[name] += time.perf_counter() - begun
        begun = time.perf_counter()
        cell = cell_of("halftime", minute)
        spread, shape = bundle.calibration.spreads[cell], bundle.calibration.shapes[cell]
        point = states.present + bundle.ensemble.combine(*answers)
        _ = [point + spread * shape.quantile(level) for level in (0.05, 0.95)]
        seconds["ensemble and 90 % interval"] += time.perf_counter() - begun
    total = sum(seconds.values())
    count = options.number * (HALFTIME_MINUTE - 1)
    table = Table("part", "seconds", title=f"{options.number:,} games × 23 minutes")
    for name, taken in seconds.items():
        table.add_row(name, f"{taken:.1f}")
    table.add_row("together", f"{total:.1f}")
    table.add_row("forecasts a second", f"{count / total:,.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add_row("peak memory, MiB", f"{peak:,.0f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
