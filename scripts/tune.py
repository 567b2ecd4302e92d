"""Tune Dejavu: compare settings by cross-validation over past seasons."""

import argparse
import sys
from pathlib import Path

from models.errors import ForecastError
from models.game.games import load_games
from models.training.tuning import POINTS, tune


def main(arguments: list[str] | None = None) -> int:
    """Print one line per variant; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=Path, required=True, help="games.parquet")
    parser.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    parser.add_argument("--seasons", type=int, nargs="+", default=range(2006, 2012))
    options = parser.parse_args(arguments)
    print("MAE minus that of the present settings, in thousandths of a point (standard error)")
    print(f"{'':24}" + "".join(f"{horizon + ' ' + str(minute):>15}" for horizon, minute in POINTS))
    try:
        for tried in tune(load_games(options.games, options.events), list(options.seasons)):
            cells = (
                f"{1000 * one.mean:+.1f} ({1000 * one.standard_error:.1f})"
                for one in tried.differences
            )
            print(f"{tried.name:24}" + "".join(f"{cell:>15}" for cell in cells), flush=True)
    except ForecastError as error:
        print(f"tune: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
