"""Train a bundle: team strength, Dejavu, LSTM, ensemble weights and conformal calibration."""

import argparse
import sys
import time
from pathlib import Path

from tqdm import tqdm

from models.errors import ForecastError
from models.games import load_games
from models.model_card import model_card
from models.training import TrainingPlan, train_bundle


def main(arguments: list[str] | None = None) -> int:
    """Train and write the bundle folder; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=Path, required=True, help="games.parquet")
    parser.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    parser.add_argument(
        "--until", type=int, required=True, help="last season to use (2023: 2023-24)"
    )
    parser.add_argument("--out", type=Path, required=True, help="bundle folder to write")
    parser.add_argument("--hold-out", metavar="YYYY-MM-DD", help="date to leave out of everything")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args(arguments)
    plan = TrainingPlan()
    started = time.monotonic()
    try:
        games = load_games(options.games, options.events)
        with tqdm(total=plan.lstm.epochs, desc="training", unit="epoch") as bar:

            def show(step: str) -> None:
                bar.set_postfix_str(step)
                bar.update()

            trained = train_bundle(
                games,
                options.until,
                plan=plan,
                hold_out=options.hold_out,
                device=options.device,
                progress=show,
            )
        trained.bundle.save(options.out, model_card(trained))
    except ForecastError as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    print(f"{trained.bundle.model_version} in {options.out}, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
