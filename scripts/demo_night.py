"""Cut one night out of the games and events, for the demo to replay."""

import argparse
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError, ForecastError
from models.game.games import load_games

_README = """\
# The night of {day}

{games} NBA games for the demo to replay: `games.parquet` (one row per game) and `events.parquet`
(every score change with its game clock), cut by `scripts/demo_night.py`.

The bundle `nba-2023` was trained without this day and all later ones (`--before {day}`), so its
ratings stand as of the morning of that day.

Source: derived from the NBA play-by-play in the MIT-licensed repository
`gabriel1200/playbyplay`; only dates, teams, clocks and scores are kept.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the folder; 0, or 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=Path, required=True, help="games.parquet")
    parser.add_argument("--events", type=Path, required=True, help="score_events.parquet")
    parser.add_argument("--date", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args(arguments)
    try:
        count = write_night(options.games, options.events, options.date, options.out)
    except ForecastError as error:
        print(f"demo_night: {error}", file=sys.stderr)
        return 2
    print(f"{count} games of {options.date} in {options.out}")
    return 0


def write_night(games_path: Path, events_path: Path, day: date, out: Path) -> int:
    """Write the games of `day`, their events and a README; how many games they are.

    Raises DataError where no game was played on that day.
    """
    load_games(games_path, events_path)  # refuses what the service could not replay
    table = pq.read_table(games_path)
    night = table.filter(pc.equal(table["date"], pa.scalar(day))).sort_by("game_id")
    if not len(night):
        raise DataError(f"date: expected a date with games; got {day} with none")
    events = pq.read_table(events_path)
    events = events.filter(pc.is_in(events["game_id"], value_set=night["game_id"].combine_chunks()))
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(night, out / "games.parquet", compression="zstd")
    pq.write_table(events, out / "events.parquet", compression="zstd")
    (out / "README.md").write_text(_README.format(day=day, games=len(night)), encoding="utf-8")
    return len(night)


if __name__ == "__main__":
    sys.exit(main())
