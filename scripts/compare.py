"""Compare a bundle with the one in service, on games that the service has finished since both."""

import argparse
import json
import sys
from pathlib import Path

from models.calibration.learned_game import LearnedGame
from models.errors import ForecastError
from models.training.bundle import Bundle
from models.training.comparison import compare_bundles, comparison_table
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Print the table and the verdict; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidate", type=Path, required=True, help="bundle folder")
    parser.add_argument("--in-service", type=Path, required=True, help="bundle folder")
    parser.add_argument("--data-dir", type=Path, required=True, help="the service's data folder")
    options = parser.parse_args(arguments)
    try:
        candidate, in_service = Bundle.load(options.candidate), Bundle.load(options.in_service)
        games = _learned(options.data_dir, in_service)
        days = [bundle.strength.day for bundle in (candidate, in_service)]
        seen = max((day for day in days if day is not None), default=None)
        known = [game for game in games if seen is not None and game.date <= seen]
        tested = games[len(known) :]
        print(comparison_table(compare_bundles(candidate, in_service, known, tested)))
    except (ForecastError, StoreError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    return 0


def _learned(data_dir: Path, bundle: Bundle) -> list[LearnedGame]:
    """What the service has learned with the bundle in service, in order of date."""
    store = Store.existing(data_dir)
    try:
        rows = store.lessons.learned_games(bundle.model_version)
    finally:
        store.close()
    games = [LearnedGame.from_payload(json.loads(row.payload)) for row in rows]
    return sorted(games, key=lambda game: (game.date, game.game_id))


if __name__ == "__main__":
    sys.exit(main())
