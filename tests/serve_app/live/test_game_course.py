"""The course of a game: what the journal tells of it, whatever came late, twice or corrected."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from serve_app.api.problems import Unavailable, UnknownGame
from serve_app.game.due_forecast import DueForecast
from serve_app.live.game_course import game_course
from serve_app.schemas import Forecast, GameCourse
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.retention import archive_ended
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update
from tests.serve_app.storage.conftest import LATER


def final(margin: float) -> Forecast:
    return forecast(margin + 10).model_copy(update={"win_probability": 0.75})


def follow(shard: GameShard, course: Sequence[Update]) -> None:
    """Post updates one by one, each followed by the running forecast that it asks for."""
    for item in course:
        (taken,) = shard.apply([item])
        assert isinstance(taken, Applied)
        due = taken.running
        if isinstance(due, DueForecast):
            margin = due.state.margin
            halftime = forecast(margin + 1) if due.clock.quarter <= 2 else None
            shard.forecasts.record_running([MadeForecast(due, halftime, final(margin))])


def archived(store: Store, shard: GameShard) -> list[str]:
    """Archive what has ended; the game of the newest row never is, so there is another one."""
    shard.register(registration("newest"))
    return archive_ended(store, before=LATER)


def margins(course: GameCourse) -> list[tuple[float, int]]:
    return [(one.elapsed_seconds, one.margin) for one in course.margins]


def forecasts(course: GameCourse) -> list[tuple[float, float]]:
    return [(one.elapsed_seconds, one.margin) for one in course.forecasts]


def test_of_an_unknown_game_there_is_none(store: Store):
    with pytest.raises(UnknownGame, match="'g1' is not registered"):
        game_course(store, "g1")


def test_before_the_first_update_it_is_empty(shard: GameShard, store: Store):
    shard.register(registration())
    assert game_course(store, "g1") == GameCourse(
        game_id="g1", home_team="BOS", away_team="LAL", margins=[], forecasts=[]
    )


def test_the_margins_are_told_where_they_change_and_where_the_game_stands(
    shard: GameShard, store: Store
):
    shard.register(registration())
    shard.apply([update(20, 0), update(40, 2), update(55, 2), update(90, 2, 3), update(130, 2, 3)])
    assert margins(game_course(store, "g1")) == [(20.0, 0), (40.0, 2), (90.0, -1), (130.0, -1)]


def test_a_corrected_score_stands_as_if_it_had_been_seen_so_at_once(shard: GameShard, store: Store):
    shard.register(registration())
    shard.apply([update(0, 0), update(40, 2), update(60, 5), update(90, 7)])
    shard.apply([update(60, 4), update(50, 4)])  # taken back; and one that came late
    assert margins(game_course(store, "g1")) == [(0.0, 0), (40.0, 2), (50.0, 4), (90.0, 7)]


def test_a_score_that_a_newer_one_stands_for_is_not_in_it(shard: GameShard, store: Store):
    shard.register(registration())
    newer, older = (
        replace(update(60, home), timestamp=stamp) for home, stamp in ((5, 20.0), (2, 10.0))
    )
    shard.apply([newer, older, update(90, 5)])
    assert margins(game_course(store, "g1")) == [(60.0, 5), (90.0, 5)]


def test_a_quarters_end_and_the_next_ones_start_are_one_second(shard: GameShard, store: Store):
    shard.register(registration())
    shard.apply(
        [
            Update("g1", 2, "0:00", 50, 48),
            Update("g1", 3, "12:00", 51, 48),
            Update("g1", 4, "0:00", 99, 99),
            Update("g1", 5, "4:00", 101, 99),
        ]
    )
    assert margins(game_course(store, "g1")) == [(1440.0, 2), (1440.0, 3), (2880.0, 0), (2940.0, 2)]


def test_of_15_seconds_the_last_forecast_is_told(shard: GameShard, store: Store):
    shard.register(registration())
    follow(shard, [update(seconds, seconds) for seconds in range(0, 66, 5)])
    course = game_course(store, "g1")
    assert forecasts(course) == [(10.0, 10), (25.0, 25), (40.0, 40), (55.0, 55), (65.0, 65)]
    first = course.forecasts[0]
    assert (first.halftime_point, first.final_point) == (11.0, 20.0)
    assert first.win_probability == 0.75


def test_of_one_clock_the_newest_forecast_is_told(shard: GameShard, store: Store):
    shard.register(registration())
    follow(shard, [update(59, 10), update(60, 12), update(60, 11), update(59, 9)])
    assert forecasts(game_course(store, "g1")) == [(59.0, 10), (60.0, 11)]


def test_after_the_half_there_is_none_of_halftime(shard: GameShard, store: Store):
    shard.register(registration())
    follow(shard, [update(seconds, 3) for seconds in range(0, 1501, 30)])
    points = [one.halftime_point for one in game_course(store, "g1").forecasts]
    assert points == [4.0] * 49 + [None] * 2


def test_it_is_the_same_from_the_archive(any_store: Store):
    shard = GameShard(any_store)
    shard.register(registration())
    follow(shard, [update(seconds, seconds // 7, seconds // 11) for seconds in range(0, 400, 8)])
    shard.end("g1")
    before = game_course(any_store, "g1")
    assert len(before.margins) > 15
    assert len(before.forecasts) > 20
    assert archived(any_store, shard)
    assert not any_store.journal.of_game("g1")
    assert game_course(any_store, "g1") == before
    shard.apply([update(2000, 80)])
    after = game_course(any_store, "g1")
    assert (margins(after)[-1], after.forecasts) == ((2000.0, 80), before.forecasts)


def test_an_archive_that_cannot_be_read_is_said(shard: GameShard, store: Store):
    shard.register(registration())
    shard.apply([update(60, 2)])
    shard.end("g1")
    (file,) = archived(store, shard)
    (store.archive.folder / file).unlink()
    with pytest.raises(Unavailable, match="its archived journal cannot be read"):
        game_course(store, "g1")
