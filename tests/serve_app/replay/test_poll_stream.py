from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.game.clock import parse_time_remaining
from models.game.league import NBA
from serve_app.replay.pace import NBA_PACE
from serve_app.replay.poll_stream import POLL_MS, Update, clock_text, poll_stream
from serve_app.replay.recording import Recording
from serve_app.replay.truth import halftime_of_recording, pattern_of_recording, sighting

TIP_OFF = 1_713_139_200_000
MakeRecording = Callable[..., Recording]


def of_quarter(updates: list[Update], quarter: int) -> list[Update]:
    return [update for update in updates if update.quarter == quarter]


def elapsed(update: Update) -> int:
    length = NBA.length_seconds(update.quarter) * 1000
    return NBA.start_elapsed(update.quarter) * 1000 + length - update.remaining_ms


@pytest.mark.parametrize(
    ("remaining_ms", "text"),
    [(720_000, "12:00"), (360_000, "6:00"), (32_100, "0:32.1"), (0, "0:00"), (61_050, "1:01.05")],
)
def test_clock_text_reads_back(remaining_ms: int, text: str) -> None:
    assert clock_text(remaining_ms) == text
    assert parse_time_remaining(text) * 1000 == remaining_ms


def test_without_scores_every_poll_is_a_heartbeat(make_recording: MakeRecording) -> None:
    updates = poll_stream(make_recording([]), TIP_OFF)
    assert (updates[0].quarter, updates[0].remaining_ms) == (1, 720_000)
    assert (updates[-1].quarter, updates[-1].remaining_ms) == (4, 0)
    gaps = {b.sent_ms - a.sent_ms for a, b in pairwise(updates)}
    assert gaps == {POLL_MS}
    assert {(update.score_home, update.score_away) for update in updates} == {(0, 0)}


def test_a_change_is_posted_with_its_own_clock_and_not_the_polls(
    make_recording: MakeRecording,
) -> None:
    updates = poll_stream(make_recording([(1, 717.0, 2, 0), (1, 716.0, 0, 3)]), TIP_OFF)
    assert [(u.remaining_ms, u.score_home, u.score_away) for u in updates[:4]] == [
        (720_000, 0, 0),
        (717_000, 2, 0),
        (716_000, 2, 3),
        (710_000, 2, 3),
    ]
    assert updates[1].sent_ms == updates[2].sent_ms
    assert updates[1].timestamp_ms < updates[2].timestamp_ms


def test_two_free_throws_at_one_clock_come_in_order(make_recording: MakeRecording) -> None:
    updates = poll_stream(make_recording([(1, 710.0, 1, 0), (1, 710.0, 1, 0)]), TIP_OFF)
    at_the_line = [update for update in updates if update.remaining_ms == 710_000]
    scores = [update.score_home for update in at_the_line]
    assert scores == sorted(scores)
    assert {1, 2} <= set(scores)


def test_tenths_only_in_the_last_minute(make_recording: MakeRecording) -> None:
    updates = of_quarter(poll_stream(make_recording([]), TIP_OFF + 300), 1)
    assert all(u.remaining_ms % 1000 == 0 for u in updates if u.remaining_ms > 60_000)
    assert any(u.remaining_ms % 1000 for u in updates if u.remaining_ms < 60_000)


def test_the_breaks_show_the_end_of_the_quarter_before(make_recording: MakeRecording) -> None:
    updates = poll_stream(make_recording([]), TIP_OFF)
    for quarter, seconds in ((1, NBA_PACE.quarter_break), (2, NBA_PACE.halftime_break)):
        still = [u for u in of_quarter(updates, quarter) if u.remaining_ms == 0]
        assert abs(len(still) - seconds * 1000 / POLL_MS) <= 1


def test_until_halftime_stops_in_the_third_quarter(make_recording: MakeRecording) -> None:
    recording = make_recording([(3, 700.0, 2, 0), (4, 100.0, 3, 0)])
    updates = poll_stream(recording, TIP_OFF, until="halftime")
    whole = poll_stream(recording, TIP_OFF)
    assert updates == whole[: len(updates)]
    assert 5 <= len(of_quarter(updates, 3)) <= 15
    assert not of_quarter(updates, 4)


def test_the_prefix_of_a_second_play_names_every_update(make_recording: MakeRecording) -> None:
    updates = poll_stream(make_recording([(1, 700.0, 2, 0)]), TIP_OFF, game_id="again-1")
    assert {update.game_id for update in updates} == {"again-1"}


@settings(deadline=None)
@given(data=st.data(), offset=st.integers(0, 4_999))
def test_a_stream_tells_the_game_as_it_was(
    recordings: st.SearchStrategy[Recording], data: st.DataObject, offset: int
) -> None:
    recording = data.draw(recordings)
    updates = poll_stream(recording, TIP_OFF + offset)
    assert [update.sequence for update in updates] == list(range(len(updates)))
    times = [update.timestamp_ms for update in updates]
    assert times == sorted(set(times))
    clocks = [(update.quarter, elapsed(update)) for update in updates]
    assert clocks == sorted(clocks)
    changes = recording.changes()
    posted = {(u.quarter, u.remaining_ms, u.score_home, u.score_away) for u in updates}
    for i in changes.tolist():
        length = NBA.length_seconds(int(recording.period[i])) * 1000
        assert (
            int(recording.period[i]),
            length - int(recording.played[i]),
            int(recording.score_home[i]),
            int(recording.score_away[i]),
        ) in posted
    seen = sighting(updates)
    assert seen.pattern == pattern_of_recording(recording)
    assert seen.halftime_margin == halftime_of_recording(recording)
    assert seen.missing_minutes == []
    assert (updates[-1].score_home, updates[-1].score_away) == (
        int(recording.score_home[-1]),
        int(recording.score_away[-1]),
    )
