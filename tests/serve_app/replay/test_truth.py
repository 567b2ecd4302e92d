from collections.abc import Callable

from models.game.last_score import last_score_class
from serve_app.replay.poll_stream import Update
from serve_app.replay.recording import Recording
from serve_app.replay.truth import (
    halftime_of_recording,
    last_score_of_recording,
    pattern_of_recording,
    sighting,
)

MakeRecording = Callable[..., Recording]


def update(sequence: int, quarter: int, seconds: float, home: int, away: int) -> Update:
    return Update(0, 0, "g", quarter, round(seconds * 1000), home, away, sequence)


def test_before_the_first_score_the_margin_is_zero(make_recording: MakeRecording) -> None:
    assert pattern_of_recording(make_recording([])) == [0.0] * 18
    assert halftime_of_recording(make_recording([])) == 0.0


def test_a_score_at_the_end_of_a_minute_belongs_to_it(make_recording: MakeRecording) -> None:
    recording = make_recording(
        [(1, 660.0, 2, 0), (1, 599.9, 0, 3), (2, 360.0, 3, 0), (2, 359.9, 3, 0)]
    )
    assert pattern_of_recording(recording) == [2.0, 2.0, *[-1.0] * 15, 2.0]
    assert halftime_of_recording(recording) == 5.0


def test_the_last_score_is_the_one_before_the_trigger(make_recording: MakeRecording) -> None:
    recording = make_recording([(2, 380.0, 3, 0), (2, 371.5, 0, 2), (2, 359.0, 2, 0)])
    assert last_score_of_recording(recording) == last_score_class(-1, 11.5)
    assert last_score_of_recording(make_recording([])) == 0


def test_a_free_throw_at_the_start_of_the_third_quarter_is_after_the_half(
    make_recording: MakeRecording,
) -> None:
    recording = make_recording([(2, 0.0, 2, 0), (3, 720.0, 1, 0)])
    assert halftime_of_recording(recording) == 2.0


def test_a_score_that_was_taken_back_counts_as_it_stands(make_recording: MakeRecording) -> None:
    recording = make_recording([(1, 700.0, 3, 0), (1, 690.0, -1, 0)])
    assert pattern_of_recording(recording)[0] == 2.0


def test_a_sighting_takes_the_highest_sequence_at_a_clock() -> None:
    updates = [update(3, 1, 700, 2, 0), update(1, 1, 700, 5, 0), update(2, 1, 650, 2, 1)]
    seen = sighting(updates)
    assert seen.pattern[:2] == [2.0, 1.0]
    assert seen.missing_minutes == list(range(3, 19))


def test_a_sighting_of_halftime_ends_with_the_second_quarter() -> None:
    updates = [update(0, 2, 0.5, 50, 40), update(1, 3, 720, 51, 40), update(2, 3, 700, 53, 40)]
    assert sighting(updates).halftime_margin == 10.0
