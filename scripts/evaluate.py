"""Evaluate: a rolling origin over past seasons, or one bundle on one season."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from models import rolling_origin
from models.bundle import Bundle
from models.errors import ForecastError
from models.evaluation import ensemble_scores, evaluate, persistence_scores, season_games
from models.games import GameTable, load_games
from models.metrics import Scores
from models.training import TrainingPlan

TEST_SEASONS = (2018, 2020, 2021, 2022, 2023)
COLUMNS = (
    "MAE",
    "vs persistence",
    "RMSE",
    "CRPS",
    "cover",
    "width",
    "score",
    "cover",
    "width",
    "score",
)


def main(arguments: list[str] | None = None) -> int:
    """Print the table asked for; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    origin = commands.add_parser("rolling-origin", help="each season by models of earlier ones")
    origin.add_argument("--seasons", type=int, nargs="+", default=TEST_SEASONS)
    origin.add_argument("--out", type=Path, help="write the numbers as JSON, too")
    bundle = commands.add_parser("bundle", help="one bundle, as the service would forecast")
    bundle.add_argument("--bundle", type=Path, required=True)
    bundle.add_argument("--season", type=int, required=True)
    bundle.add_argument("--alpha", type=float, default=0.05)
    for command in (origin, bundle):
        command.add_argument("--games", type=Path, required=True, help="games.parquet")
        command.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    options = parser.parse_args(arguments)
    run = {"rolling-origin": _rolling_origin, "bundle": _bundle}[options.command]
    try:
        run(load_games(options.games, options.events), options)
    except ForecastError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    return 0


def _rolling_origin(games: GameTable, options: argparse.Namespace) -> None:
    plan = TrainingPlan()
    seasons = sorted(options.seasons)
    with tqdm(total=len(seasons) * plan.lstm.epochs, desc="rolling origin", unit="epoch") as bar:
        results = [
            rolling_origin.forecast_season(games, season, plan, lambda step: _advance(bar, step))
            for season in seasons
        ]
    console = Console(width=120)
    console.print(_origin_table("all seasons", results))
    for result in results:
        console.print(_origin_table(f"season {result.season}", [result]))
    console.print(_differences(results))
    if options.out:
        options.out.write_text(json.dumps(rolling_origin.report(results), indent=2) + "\n", "utf-8")


def _advance(bar: "tqdm[Any]", step: str) -> None:
    bar.set_postfix_str(step)
    bar.update()


def _origin_table(title: str, results: list[rolling_origin.SeasonResult]) -> Table:
    games = sum(len(result.actual) for result in results)
    table = Table(title=f"{title}: {games:,} games; intervals at 95 % and 80 %")
    table.add_column("forecast")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    base = rolling_origin.scores(results, "persistence", 0.05).mae
    for name in rolling_origin.FORECASTS:
        wide = rolling_origin.scores(results, name, 0.05)
        narrow = rolling_origin.scores(results, name, 0.2)
        table.add_row(
            name,
            f"{wide.mae:.3f}",
            f"{100 * (wide.mae / base - 1):+.2f} %",
            f"{wide.rmse:.3f}",
            f"{wide.crps:.3f}",
            *(cell for one in (wide, narrow) for cell in _interval_cells(one)),
        )
    return table


def _interval_cells(scores: Scores) -> tuple[str, str, str]:
    return f"{100 * scores.coverage:.1f} %", f"{scores.width:.1f}", f"{scores.interval_score:.2f}"


def _differences(results: list[rolling_origin.SeasonResult]) -> Table:
    table = Table(title="paired difference in MAE, points (standard error)")
    table.add_column("forecast")
    for other in ("persistence", "ridge"):
        table.add_column(f"minus {other}", justify="right")
    for name in rolling_origin.FORECASTS[1:]:
        cells = [
            rolling_origin.difference(results, name, other) for other in ("persistence", "ridge")
        ]
        table.add_row(name, *(f"{one.mean:+.4f} ({one.standard_error:.4f})" for one in cells))
    return table


def _bundle(games: GameTable, options: argparse.Namespace) -> None:
    bundle = Bundle.load(options.bundle)
    evaluated = evaluate(
        bundle.forecaster, season_games(games, options.season), alpha=options.alpha
    )
    seen = options.season <= bundle.split.until
    table = Table(
        title=f"{bundle.model_version} on season {options.season}: {len(evaluated):,} games at "
        f"alpha {options.alpha:g}{', a season the bundle has SEEN' if seen else ''}"
    )
    rows = {
        "persistence": persistence_scores(evaluated, bundle, options.alpha),
        "ensemble": ensemble_scores(evaluated, options.alpha),
    }
    table.add_column("forecast")
    for column in asdict(rows["ensemble"]):
        table.add_column(column, justify="right")
    for name, scores in rows.items():
        table.add_row(name, *(f"{value:.6g}" for value in asdict(scores).values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
