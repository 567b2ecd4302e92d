"""The games of a chaos run: real ones, all on one day, tipping off one after the other."""

import dataclasses
import datetime
import random
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataError
from serve_app.replay.night import FIRST_TIP_OFF, Night, Plan, ScheduledGame, schedule
from serve_app.replay.pace import MS
from serve_app.replay.poll_stream import Until
from serve_app.replay.recording import Recording, Selection, load_recordings

TIP_OFF_EVERY_SECONDS = 75
# The polls of several scrapers do not fall together: so many phases, so far apart.
PHASES = 5
PHASE_MS = 1 * MS


def choose_recordings(
    games_path: Path, events_path: Path, games: int, *, seed: int
) -> list[Recording]:
    """So many games of the newest season in the files, drawn by the seed; in order of date.

    Fewer where the season has fewer. Raises DataError where a file is no such file.
    """
    try:
        table = pq.read_table(games_path, columns=["game_id", "season"])
    except (OSError, ValueError) as error:
        raise DataError(f"{games_path}: expected a parquet file with games; {error}") from None
    newest = table.filter(pc.equal(table["season"], pc.max(table["season"])))
    ids = sorted(newest["game_id"].to_pylist())
    chosen = random.Random(seed).sample(ids, min(games, len(ids)))  # noqa: S311 - no secret
    return load_recordings(games_path, events_path, Selection(game_ids=tuple(chosen)))


def chaos_night(recordings: Sequence[Recording], games: int, *, until: Until) -> Night:
    """One night of so many games, all on the newest day among the recordings.

    Where there are fewer recordings they come again under other ids. On one and the same day no
    game learns from another, so that each has one right forecast, whatever ended when.
    """
    day = max(recording.date for recording in recordings)
    first = int(datetime.datetime.combine(day, FIRST_TIP_OFF).timestamp()) * MS
    return Night(
        day,
        [
            _in_phase(
                schedule(
                    dataclasses.replace(recording, date=day),
                    first + place * TIP_OFF_EVERY_SECONDS * MS,
                    Plan(until=until, prefix=prefix),
                ),
                place % PHASES * PHASE_MS,
            )
            for place, (prefix, recording) in zip(range(games), _repeated(recordings), strict=False)
        ],
    )


def _repeated(recordings: Sequence[Recording]) -> Iterator[tuple[str, Recording]]:
    """The recordings again and again, each time with a prefix of its own."""
    for again in count():
        for recording in recordings:
            yield (f"again{again}-" if again else ""), recording


def _in_phase(game: ScheduledGame, delay_ms: int) -> ScheduledGame:
    """The game as a scraper sends it whose polls fall so much later."""
    updates = [update._replace(sent_ms=update.sent_ms + delay_ms) for update in game.updates]
    return dataclasses.replace(game, updates=updates)


def span_seconds(night: Night) -> float:
    """Schedule time from the first to the last update of a night."""
    sent = [update.sent_ms for update in night.updates()]
    return (sent[-1] - sent[0]) / MS
