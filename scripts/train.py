"""Train a bundle from past games, or update one with the games that the service has finished."""

import argparse
import json
import sys
import time
from pathlib import Path

from tqdm import tqdm

from models.calibration.learned_game import LearnedGame
from models.errors import BundleError, DataError, ForecastError
from models.game.games import load_games
from models.training.bundle import MANIFEST, Bundle
from models.training.comparison import compare_bundles, comparison_table
from models.training.model_card import model_card, updated_card
from models.training.training import TrainingPlan, train_bundle
from models.training.updating import update_bundle
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store

TESTED_SHARE = 0.2  # of the finished games, the newest: what the update is compared on


def main(arguments: list[str] | None = None) -> int:
    """Write the bundle folder; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="bundle folder to write")
    training = parser.add_argument_group("train from past games")
    training.add_argument("--games", type=Path, help="games.parquet")
    training.add_argument("--events", type=Path, help="score_events.parquet")
    training.add_argument("--until", type=int, help="last season to use (2023: 2023-24)")
    training.add_argument(
        "--before", metavar="YYYY-MM-DD", help="leave out the games of this day and later"
    )
    training.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    updating = parser.add_argument_group("update with finished games")
    updating.add_argument("--update", type=Path, metavar="BUNDLE", help="the bundle in service")
    updating.add_argument("--data-dir", type=Path, help="the service's data folder")
    options = parser.parse_args(arguments)
    if options.update:
        needed = {"--data-dir": options.data_dir}
    else:
        needed = {f"--{name}": getattr(options, name) for name in ("games", "events", "until")}
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        parser.error(f"expected {' '.join(needed)}; {' '.join(missing)} is missing")
    try:
        _expect_new(options.out)
        (_update if options.update else _train)(options)
    except (ForecastError, StoreError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


def _expect_new(folder: Path) -> None:
    """Raise BundleError where a bundle lies in the folder: a service may be running it."""
    if (folder / MANIFEST).exists():
        raise BundleError(
            f"{folder}: expected a folder without a bundle, for a service may be running the one "
            "in it; give another --out"
        )


def _train(options: argparse.Namespace) -> None:
    started = time.monotonic()
    plan = TrainingPlan()
    games = load_games(options.games, options.events)
    with tqdm(total=plan.lstm.epochs, desc="training", unit="epoch") as bar:

        def show(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        trained = train_bundle(
            games,
            options.until,
            plan=plan,
            before=options.before,
            device=options.device,
            progress=show,
        )
    trained.bundle.save(options.out, model_card(trained))
    print(f"{trained.bundle.model_version} in {options.out}, {time.monotonic() - started:.0f} s")


def _update(options: argparse.Namespace) -> None:
    bundle = Bundle.load(options.update)
    games = _finished_games(options.data_dir, bundle)
    tested = round(TESTED_SHARE * len(games))
    first = len(games) - tested
    while 0 < first < len(games) and games[first].date == games[first - 1].date:
        first += 1  # a day belongs to one side
    candidate = update_bundle(bundle, games[:first])
    compared = compare_bundles(candidate, bundle, games[:first], games[first:])
    updated = update_bundle(bundle, games)
    updated.save(options.out, updated_card(updated, bundle, games, compared))
    print(comparison_table(compared))
    print(
        f"{updated.model_version} in {options.out}: {bundle.model_version} and {len(games)} games "
        f"to {games[-1].date}"
    )


def _finished_games(data_dir: Path, bundle: Bundle) -> list[LearnedGame]:
    """What the service has learned with this bundle, in order of date.

    A day on which some games are not learned yet is left for the next update: the updated bundle
    learns later days only.
    """
    store = Store.existing(data_dir)
    try:
        rows = store.lessons.learned_games(bundle.model_version)
        games = [LearnedGame.from_payload(json.loads(row.payload)) for row in rows]
        newest = max((game.date for game in games), default=None)
        missing = store.lessons.count_unlearned(bundle.model_version, newest) if newest else 0
    finally:
        store.close()
    if missing:
        print(
            f"the day {newest} is left for the next update: {missing} of its games are not learned"
        )
        games = [game for game in games if game.date != newest]
    if not games:
        raise DataError(
            f"{data_dir}: expected games that {bundle.model_version} has learned; got none. "
            "--update takes the bundle in service, which GET /models names"
        )
    return sorted(games, key=lambda game: (game.date, game.game_id))


if __name__ == "__main__":
    sys.exit(main())
