"""Pregame: how well team strength foretells final margins, beside a one-parameter Elo."""

import argparse
import sys
from pathlib import Path

from models.errors import ForecastError
from models.game.games import load_games
from models.ratings.pregame import pregame_accuracy

SEASONS = (range(2012, 2024), range(2021, 2024))


def main(arguments: list[str] | None = None) -> int:
    """Print one line per group of seasons; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=Path, required=True, help="games.parquet")
    parser.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    options = parser.parse_args(arguments)
    try:
        games = load_games(options.games, options.events)
        for seasons in SEASONS:
            found = pregame_accuracy(games, seasons)
            print(
                f"{seasons[0]}-{seasons[-1]}: {found.games:,} games, MAE of the final margin "
                f"{found.strength_mae:.3f}, Elo {found.elo_mae:.3f}, paired difference "
                f"{found.difference.mean:+.3f} (standard error "
                f"{found.difference.standard_error:.3f})"
            )
    except ForecastError as error:
        print(f"pregame: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
