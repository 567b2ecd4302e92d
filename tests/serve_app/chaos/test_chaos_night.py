import dataclasses
import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from models.errors import DataError
from serve_app.chaos.chaos_night import (
    PHASES,
    TIP_OFF_EVERY_SECONDS,
    chaos_night,
    choose_recordings,
    span_seconds,
)
from serve_app.game.game_day import day_of
from serve_app.process.service_process import ROOT
from serve_app.replay.recording import Recording
from tests.serve_app.replay.conftest import record

NIGHT = ROOT / "models" / "bundles" / "demo_night"
FILES = (NIGHT / "games.parquet", NIGHT / "events.parquet")


def ids(recordings: list[Recording]) -> list[str]:
    return [recording.game_id for recording in recordings]


def test_the_seed_chooses_the_games():
    chosen = choose_recordings(*FILES, 5, seed=7)
    assert ids(chosen) == ids(choose_recordings(*FILES, 5, seed=7))
    assert ids(chosen) != ids(choose_recordings(*FILES, 5, seed=8))
    assert len(set(ids(chosen))) == 5


def test_there_are_no_more_games_to_choose_than_the_season_has():
    everything = choose_recordings(*FILES, 1_000, seed=7)
    assert len(everything) == len(set(ids(everything))) < 1_000


def test_a_file_that_is_none_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"games\.parquet: expected a parquet file"):
        choose_recordings(tmp_path / "games.parquet", FILES[1], 5, seed=7)


def test_games_of_several_days_are_played_on_the_newest_one_after_the_other():
    newest = datetime.date(2024, 4, 14)
    games = [
        record([(1, 700.0, 2, 0)], game_id=f"g{days}", date=newest - datetime.timedelta(days))
        for days in range(PHASES + 1)
    ]
    night = chaos_night(games, len(games), until="halftime")
    assert {game.recording.date for game in night.games} == {newest}
    assert {day_of(datetime.datetime.fromisoformat(g.start_time)) for g in night.games} == {newest}
    tip_offs = [game.tip_off_ms for game in night.games]
    assert {after - before for before, after in pairwise(tip_offs)} == {
        TIP_OFF_EVERY_SECONDS * 1000
    }
    assert len({game.updates[0].sent_ms % 5_000 for game in night.games}) == PHASES
    sent = [update.sent_ms for update in night.updates()]
    assert span_seconds(night) == (max(sent) - min(sent)) / 1000


def test_too_few_recordings_come_again_under_other_ids():
    game = record([(1, 700.0, 2, 0)], game_id="g")
    other = dataclasses.replace(game, game_id="h")
    night = chaos_night([game, other], 5, until="halftime")
    assert [one.game_id for one in night.games] == ["g", "h", "again1-g", "again1-h", "again2-g"]
    for one in night.games:
        assert {update.game_id for update in one.updates} == {one.game_id}
