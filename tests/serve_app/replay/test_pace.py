from dataclasses import replace

import numpy as np

from serve_app.replay.pace import NBA_PACE, Pace, period_timeline

QUARTER = 720_000
NO_STOPS = Pace(first_whistle=720, timeouts_at=())


def test_the_clock_runs_in_real_time_where_nothing_stops_it() -> None:
    line = period_timeline(NO_STOPS, QUARTER, np.array([5_000, 100_000]))
    assert line.duration == QUARTER
    assert line.event_wall.tolist() == [5_000, 100_000]
    assert line.played_at(np.array([0, 7_500, 720_000, 900_000])).tolist() == [
        0,
        7_500,
        720_000,
        720_000,
    ]


def test_the_clock_stands_at_a_whistle() -> None:
    pace = Pace(first_whistle=300, whistle_every=300, whistle_seconds=20, timeouts_at=())
    line = period_timeline(pace, QUARTER, np.array([300_000, 300_100]))
    # Stops after 5:00 and 10:00 played; a change at the clock of the whistle comes before it.
    assert line.event_wall.tolist() == [300_000, 320_100]
    assert line.played_at(np.array([299_000, 310_000, 320_000, 321_000])).tolist() == [
        299_000,
        300_000,
        300_000,
        301_000,
    ]
    assert line.duration == QUARTER + 40_000


def test_free_throws_follow_one_another_while_the_clock_stands() -> None:
    line = period_timeline(NO_STOPS, QUARTER, np.array([60_000, 60_000, 60_000, 61_000]))
    assert line.event_wall.tolist() == [60_000, 75_000, 90_000, 91_000]
    assert line.played_at(np.array([89_999, 90_500])).tolist() == [60_000, 60_500]


def test_free_throws_at_both_ends_of_a_period() -> None:
    line = period_timeline(NO_STOPS, QUARTER, np.array([0, 0, QUARTER, QUARTER]))
    assert line.event_wall.tolist() == [0, 15_000, QUARTER + 15_000, QUARTER + 30_000]
    assert line.duration == QUARTER + 30_000


def test_a_timeout_may_fall_on_a_whistle() -> None:
    pace = Pace(
        first_whistle=300,
        whistle_every=300,
        whistle_seconds=20,
        timeouts_at=(420,),
        timeout_seconds=100,
    )
    line = period_timeline(pace, QUARTER, np.array([], dtype=np.int64))
    assert line.duration == QUARTER + 140_000
    assert line.played_at(np.array([419_000, 421_000])).tolist() == [300_000, 301_000]


def test_an_overtime_has_no_mandatory_timeouts() -> None:
    none = np.array([], dtype=np.int64)
    overtime = period_timeline(NBA_PACE, 300_000, none, overtime=True)
    whistles = len(range(NBA_PACE.first_whistle, 300, NBA_PACE.whistle_every))
    assert overtime.duration == 300_000 + whistles * NBA_PACE.whistle_seconds * 1000


def test_a_regulation_game_takes_about_two_and_a_quarter_hours() -> None:
    quarter = period_timeline(NBA_PACE, QUARTER, np.array([], dtype=np.int64)).duration / 1000
    game = 4 * quarter + 2 * NBA_PACE.quarter_break + NBA_PACE.halftime_break
    assert 2.0 < game / 3600 < 2.5


def test_the_clock_never_stands_at_the_end_of_a_minute_by_rule() -> None:
    """Timeouts aside: a heartbeat at each whole minute would hide a lost score before it."""
    pace = replace(NBA_PACE, timeouts_at=())
    line = period_timeline(pace, QUARTER, np.array([], dtype=np.int64))
    played = line.played_at(np.arange(0, line.duration, 1_000))
    clocks, seconds = np.unique(played, return_counts=True)
    assert not set(clocks[seconds > 1].tolist()) & set(range(60_000, QUARTER, 60_000))
