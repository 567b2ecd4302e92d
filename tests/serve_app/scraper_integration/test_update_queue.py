"""The queue keeps order, keeps its bound, and gives up detail before it gives up a minute."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.schemas import GameScoreUpdate
from serve_app.scraper_integration.update_queue import QueuedUpdate, UpdateQueue


def update(time_remaining: str, home: int = 0, game_id: str = "g1") -> GameScoreUpdate:
    return GameScoreUpdate(
        game_id=game_id, quarter=1, time_remaining=time_remaining, score_home=home, score_away=0
    )


def filled(bound: int, *updates: GameScoreUpdate) -> UpdateQueue:
    queue = UpdateQueue(bound)
    for one in updates:
        queue.append(one)
    return queue


def clocks(entries: list[QueuedUpdate]) -> list[str]:
    return [entry.update.time_remaining for entry in entries]


def test_updates_leave_in_the_order_they_came() -> None:
    queue = filled(10, update("11:50"), update("11:40", game_id="g2"), update("11:30"))
    assert clocks(queue.take(2)) == ["11:50", "11:40"]
    assert clocks(queue.take(2)) == ["11:30"]
    assert len(queue) == 0


def test_restored_updates_go_out_before_later_ones() -> None:
    queue = filled(10, update("11:50"), update("11:40"))
    taken = queue.take(2)
    queue.append(update("11:30"))
    assert queue.restore(taken) == []
    assert clocks(queue.take(9)) == ["11:50", "11:40", "11:30"]


def test_the_end_of_a_minute_belongs_to_it() -> None:
    minutes = [QueuedUpdate(update(at), 1).cell[1] for at in ("12:00", "11:00", "10:59", "0:00")]
    assert minutes == [1, 1, 2, 12]


def test_a_full_queue_thins_the_densest_minute() -> None:
    queue = filled(4, update("11:50"), update("10:50"), update("10:40"), update("10:30"))
    (gone,) = queue.append(update("9:50"))
    assert gone.update.time_remaining == "10:40"
    assert clocks(queue.take(9)) == ["11:50", "10:50", "10:30", "9:50"]
    assert queue.thinned == 1


def test_a_repeated_score_goes_before_a_new_one() -> None:
    queue = filled(
        4, update("11:50", 2), update("11:40", 2), update("11:30", 4), update("11:20", 7)
    )
    assert clocks(queue.append(update("11:10", 9))) == ["11:40"]
    assert clocks(queue.append(update("11:05", 9))) == ["11:10"]


def test_the_closing_score_is_the_furthest_clock_not_the_last_arrival() -> None:
    queue = filled(3, update("11:50", 1), update("11:01", 3), update("11:40", 2))
    assert clocks(queue.append(update("10:59", 4))) == ["11:40"]


def test_of_two_at_the_same_clock_the_correction_closes_the_minute() -> None:
    queue = filled(3, update("11:50", 1), update("11:01", 3), update("11:01", 2))
    (gone,) = queue.append(update("10:59", 4))
    assert gone.update.score_home == 3


def test_with_no_middle_left_the_oldest_of_each_minute_stays() -> None:
    queue = filled(2, update("11:50"), update("11:40"), update("10:50"))
    assert clocks(queue.take(9)) == ["11:50", "10:50"]


def test_with_more_minutes_than_room_the_newest_goes() -> None:
    queue = filled(2, update("11:50"), update("10:50"))
    assert clocks(queue.append(update("9:50"))) == ["9:50"]
    assert clocks(queue.take(9)) == ["11:50", "10:50"]


def test_restoring_into_a_full_queue_keeps_the_bound() -> None:
    queue = filled(2, update("11:50"), update("11:40"))
    taken = queue.take(2)
    queue.append(update("11:30"))
    queue.append(update("10:50"))
    assert sorted(clocks(queue.restore(taken))) == ["11:30", "11:40"]
    assert clocks(queue.take(9)) == ["11:50", "10:50"]


def test_holds_knows_the_games_that_wait() -> None:
    queue = filled(9, update("11:50"))
    assert queue.holds("g1")
    assert not queue.holds("g2")
    queue.take(1)
    assert not queue.holds("g1")


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="bound: expected 1 or more; got 0"):
        UpdateQueue(0)


_moments = st.tuples(
    st.sampled_from(["g1", "g2", "g3"]), st.integers(0, 11), st.integers(0, 59), st.integers(0, 9)
)


@settings(deadline=None)
@given(st.lists(_moments, max_size=120), st.integers(1, 40), st.integers(0, 20))
def test_never_over_the_bound_always_in_order_and_the_oldest_of_each_minute_kept(
    moments: list[tuple[str, int, int, int]], bound: int, taken_between: int
) -> None:
    queue = UpdateQueue(bound)
    oldest: dict[tuple[str, int], int] = {}
    gone = []
    for game_id, minutes, seconds, score in moments:
        gone += queue.append(update(f"{minutes}:{seconds:02d}", score, game_id))
        entry = QueuedUpdate(update(f"{minutes}:{seconds:02d}", score, game_id), queue.arrived)
        oldest.setdefault(entry.cell, entry.arrival)
        assert len(queue) <= bound
    gone += queue.restore(queue.take(taken_between))
    kept = [entry.arrival for entry in queue.take(len(moments))]
    assert kept == sorted(kept)
    assert sorted([*kept, *(entry.arrival for entry in gone)]) == list(range(1, len(moments) + 1))
    assert queue.thinned == len(gone)
    if len(oldest) <= bound:
        assert set(oldest.values()) <= set(kept)
