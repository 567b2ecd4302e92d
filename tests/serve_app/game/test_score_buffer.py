from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ClockError
from serve_app.game.observation import ScoreUpdateError
from serve_app.game.score_buffer import LiveScoreBuffer


def buffer() -> LiveScoreBuffer:
    return LiveScoreBuffer("g1", "BOS", "LAL")


def clock_at(elapsed: float) -> tuple[int, str]:
    """Quarter and clock text at `elapsed` seconds; a quarter's end belongs to that quarter."""
    quarter = max(1, -int(-elapsed // 720))
    left = quarter * 720 - elapsed
    return quarter, f"{int(left // 60)}:{left % 60:04.1f}"


def fill(
    live: LiveScoreBuffer, until: float, step: float = 30, *, skip: tuple[int, ...] = ()
) -> None:
    """Post a score every `step` game seconds, +1 for home each minute; none in minutes `skip`."""
    elapsed = 0.0
    while elapsed <= until:
        minute = max(1, -int(-elapsed // 60))
        if minute not in skip:
            live.add_score_update(None, *clock_at(elapsed), minute, 0)
        elapsed += step


def test_the_pattern_is_the_last_score_at_or_before_each_minutes_end():
    live = buffer()
    fill(live, 1080)
    assert live.is_ready_for_prediction()
    assert live.get_pattern_at_6min_2q() == [float(minute) for minute in range(1, 19)]
    assert live.get_current_differential() == 18


def test_a_score_at_the_very_end_of_a_minute_counts_for_it_and_one_after_it_does_not():
    live = buffer()
    live.add_score_update(None, 1, "11:00", 2, 0)
    live.add_score_update(None, 1, "10:59.9", 5, 0)
    assert live.margin_at_minute(1) == 2
    assert live.margin_at_minute(2) == 5


def test_not_ready_before_the_trigger():
    live = buffer()
    fill(live, 1079)
    assert not live.is_ready_for_prediction()
    assert live.get_pattern_at_6min_2q() is None
    live.add_score_update(None, 2, "6:00", 18, 0)
    assert live.is_ready_for_prediction()


def test_an_empty_buffer_knows_nothing():
    live = buffer()
    assert live.get_current_differential() is None
    assert live.get_pattern_at_6min_2q() is None
    assert live.halftime_margin() is None
    assert live.missing_minutes() == []


def test_two_minutes_without_an_update_are_carried_forward():
    live = buffer()
    fill(live, 1090, skip=(5, 6))
    assert live.missing_minutes() == [5, 6]
    pattern = live.get_pattern_at_6min_2q()
    assert pattern is not None
    assert pattern[3:7] == [4.0, 4.0, 4.0, 7.0]


def test_three_minutes_without_an_update_give_no_pattern_until_they_are_filled():
    live = buffer()
    fill(live, 1090, skip=(5, 6, 11))
    assert live.missing_minutes() == [5, 6, 11]
    assert not live.is_ready_for_prediction()
    assert live.get_pattern_at_6min_2q() is None
    live.add_score_update(None, *clock_at(290), 5, 0)
    assert live.missing_minutes() == [6, 11]
    assert live.is_ready_for_prediction()


def test_a_start_in_the_middle_lists_all_that_is_missing():
    live = buffer()
    live.add_score_update(None, 2, "5:30", 40, 38)
    assert live.missing_minutes() == list(range(1, 19))
    assert not live.is_ready_for_prediction()


def test_a_jump_past_the_trigger_is_not_evidence_for_the_minutes_before():
    live = buffer()
    fill(live, 900)
    live.add_score_update(None, 3, "11:00", 50, 40)
    assert live.missing_minutes() == [16, 17, 18]
    assert not live.is_ready_for_prediction()


def test_the_quarter_break_is_one_moment():
    live = buffer()
    live.add_score_update(None, 1, "0:00", 20, 18)
    live.add_score_update(None, 2, "12:00", 21, 18)
    assert live.margin_at_minute(12) == 3
    live.add_score_update(None, 1, "0:00", 20, 18)
    assert live.margin_at_minute(12) == 3


def test_repeats_are_duplicates_and_change_nothing():
    live = buffer()
    first = live.add_score_update(100.0, 1, "6:00", 10, 8, sequence=4)
    again = live.add_score_update(100.0, 1, "6:00", 10, 8, sequence=4)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert len(live) == 1


def test_at_one_clock_the_newest_by_source_wins_whatever_the_arrival():
    live = buffer()
    live.add_score_update(200.0, 1, "6:00", 11, 8)
    late = live.add_score_update(100.0, 1, "6:00", 10, 8)
    assert late.flags == ("superseded",)
    assert live.get_current_differential() == 3
    by_number = buffer()
    by_number.add_score_update(None, 1, "6:00", 11, 8, sequence=2)
    by_number.add_score_update(None, 1, "6:00", 10, 8, sequence=1)
    assert by_number.get_current_differential() == 3


def test_without_stamps_the_last_to_arrive_wins_so_a_basket_can_be_taken_back():
    live = buffer()
    live.add_score_update(None, 1, "6:00", 10, 8)
    live.add_score_update(None, 1, "6:00", 12, 8)
    assert not live.add_score_update(None, 1, "6:00", 10, 8).duplicate
    assert live.get_current_differential() == 2


def test_with_stamps_a_repeat_of_a_superseded_score_is_known_again():
    live = buffer()
    live.add_score_update(1.0, 1, "6:00", 10, 8)
    live.add_score_update(2.0, 1, "6:00", 12, 8)
    assert live.add_score_update(1.0, 1, "6:00", 10, 8).duplicate
    assert live.get_current_differential() == 4


def test_a_correction_down_is_taken_and_flagged():
    live = buffer()
    live.add_score_update(None, 1, "6:00", 13, 8)
    effect = live.add_score_update(None, 1, "5:50", 10, 8)
    assert effect.flags == ("score_decreased",)
    assert live.get_current_differential() == 2


def test_a_clock_going_backwards_does_not_take_time_back():
    live = buffer()
    live.add_score_update(None, 2, "5:50", 40, 38)
    effect = live.add_score_update(None, 2, "6:10", 38, 38)
    assert effect.flags == ("clock_backwards",)
    assert live.get_current_differential() == 2
    assert live.margin_at_minute(18) == 0


@pytest.mark.parametrize(("points", "flagged"), [(10, False), (11, True)])
def test_a_jump_of_more_than_ten_points_is_taken_and_flagged(points: int, flagged: bool):
    live = buffer()
    live.add_score_update(None, 1, "6:00", 10, 8)
    effect = live.add_score_update(None, 1, "5:55", 10 + points, 8)
    assert (effect.flags == ("score_jump",)) is flagged
    assert live.get_current_differential() == 2 + points


@pytest.mark.parametrize("score", [-1, 1.5, True, "3", None])
def test_a_score_that_is_none(score: object):
    with pytest.raises(ScoreUpdateError, match="score_home: expected a whole number from 0; got"):
        buffer().add_score_update(None, 1, "6:00", score, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("stamp", ["yesterday", float("nan"), float("inf"), True, [1]])
def test_a_timestamp_that_is_none(stamp: object):
    with pytest.raises(ScoreUpdateError, match="timestamp: expected a datetime"):
        buffer().add_score_update(stamp, 1, "6:00", 0, 0)  # type: ignore[arg-type]


def test_every_form_of_a_timestamp_is_the_same_moment():
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    for stamp in (moment, moment.replace(tzinfo=None), moment.timestamp(), moment.isoformat()):
        effect = buffer().add_score_update(stamp, 1, "6:00", 0, 0)
        assert effect.observation.timestamp == moment.timestamp()


def test_a_wrong_clock_leaves_the_buffer_as_it_was():
    live = buffer()
    with pytest.raises(ClockError):
        live.add_score_update(None, 0, "6:00", 1, 0)
    assert len(live) == 0


class TestLastWholeMinute:
    def test_it_is_the_state_at_the_trigger_from_the_trigger_to_the_next_minute(self):
        live = buffer()
        fill(live, 1079)
        assert [len(state.pattern) for state in [live.minute_state()] if state] == [17]
        live.add_score_update(None, 2, "6:00", 18, 0)
        at_the_trigger = live.minute_state()
        assert at_the_trigger is not None
        live.add_score_update(None, 2, "5:00.1", 33, 0)
        assert live.minute_state() == live.trigger_state() == at_the_trigger
        live.add_score_update(None, 2, "5:00", 33, 0)
        state = live.minute_state()
        assert state is not None
        assert (len(state.pattern), state.margin, state.elapsed_seconds) == (19, 33.0, 1140.0)

    def test_there_is_none_in_the_first_minute_or_with_too_many_gaps(self):
        live = buffer()
        assert live.minute_state() is None
        live.add_score_update(None, 1, "11:00.1", 2, 0)
        assert live.minute_state() is None
        live.add_score_update(None, 1, "8:00", 5, 0)
        assert live.minute_state() is not None  # two minutes are carried forward
        live.add_score_update(None, 1, "6:00", 5, 0)
        assert live.minute_state() is None

    @pytest.mark.parametrize("quarter", [4, 5, 7])
    def test_in_overtime_and_after_the_end_it_is_the_47th(self, quarter: int):
        live = buffer()
        fill(live, 2880)
        for overtime in range(5, quarter + 1):
            for left in range(4, -1, -1):
                live.add_score_update(None, overtime, f"{left}:00", 90 + overtime, 0)
        state = live.minute_state()
        assert state is not None
        assert state.pattern == tuple(float(minute) for minute in range(1, 48))


class TestHalftime:
    def test_the_score_at_the_end_of_the_second_quarter(self):
        live = buffer()
        live.add_score_update(None, 2, "0:00", 52, 50)
        assert live.halftime_margin() == 2

    def test_a_free_throw_at_the_start_of_the_third_quarter_is_after_the_half(self):
        live = buffer()
        live.add_score_update(None, 2, "0:00", 52, 50)
        live.add_score_update(None, 3, "12:00", 53, 50)
        assert live.halftime_margin() == 2

    def test_the_start_of_the_third_quarter_stands_in_for_an_end_not_seen(self):
        live = buffer()
        live.add_score_update(None, 2, "0:20", 50, 50)
        assert live.halftime_margin() is None
        live.add_score_update(None, 3, "12:00", 53, 50)
        assert live.halftime_margin() == 3

    def test_a_score_of_the_last_minute_stands_in_too_but_no_older_one(self):
        live = buffer()
        live.add_score_update(None, 2, "1:01", 50, 49)
        live.add_score_update(None, 3, "11:40", 55, 50)
        assert live.halftime_margin() is None
        live.add_score_update(None, 2, "0:40", 50, 50)
        assert live.halftime_margin() == 0


@dataclass(frozen=True)
class Event:
    elapsed: int
    home: int
    away: int
    sequence: int


@st.composite
def games(draw: st.DrawFn) -> list[Event]:
    """A first half with a score at least every 50 game seconds, some at one clock."""
    gaps = draw(st.lists(st.integers(0, 50), min_size=30, max_size=120))
    elapsed, home, away, events = 0, 0, 0, []
    for number, gap in enumerate([*gaps, *[40] * 30]):
        elapsed += gap
        home, away = home + draw(st.integers(0, 3)), away + draw(st.integers(0, 3))
        events.append(Event(elapsed, home, away, number))
    return [event for event in events if event.elapsed <= 1440]


@settings(max_examples=60, deadline=None)
@given(games(), st.randoms(use_true_random=False))
def test_any_order_with_repeats_gives_the_pattern_of_the_events(
    events: list[Event], random: Random
):
    expected = [
        [event for event in events if event.elapsed <= 60 * minute][-1:] for minute in range(1, 19)
    ]
    margins = [float(last[0].home - last[0].away) if last else 0.0 for last in expected]
    shuffled = events + random.sample(events, len(events) // 2)
    random.shuffle(shuffled)
    live = buffer()
    for event in shuffled:
        live.add_score_update(
            None, *clock_at(event.elapsed), event.home, event.away, sequence=event.sequence
        )
    if events[-1].elapsed >= 1080:
        assert live.get_pattern_at_6min_2q() == margins
