from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.game.score_buffer import LiveScoreBuffer
from serve_app.replay.noise import NoiseLog, NoiseRates, add_noise
from serve_app.replay.poll_stream import Update, clock_text, poll_stream
from serve_app.replay.recording import Recording
from serve_app.replay.truth import halftime_of_recording, pattern_of_recording, sighting

TIP_OFF = 1_713_139_200_000
QUIET = NoiseRates(late=0.0, repeated=0.0, reordered=0.0, dropped=0.0, corrected=0.0)
MakeRecording = Callable[..., Recording]


def buffer_of(updates: list[Update]) -> LiveScoreBuffer:
    buffer = LiveScoreBuffer("0022300001", "BOS", "WAS")
    for update in updates:
        buffer.add_score_update(
            update.timestamp_ms / 1000,
            update.quarter,
            clock_text(update.remaining_ms),
            update.score_home,
            update.score_away,
            sequence=update.sequence,
        )
    return buffer


@pytest.fixture(scope="module")
def stream(make_recording: MakeRecording) -> list[Update]:
    events = [(q, 700.0 - 20 * i, 2 * (i % 2), 3 * (i % 3 == 0)) for q in (1, 2) for i in range(30)]
    return poll_stream(make_recording(events), TIP_OFF, until="halftime")


def test_no_rates_no_noise(stream: list[Update]) -> None:
    assert add_noise(stream, 7, QUIET) == (stream, NoiseLog())


def test_of_nothing_there_is_no_noise() -> None:
    assert add_noise([], 7) == ([], NoiseLog())


def test_the_same_seed_gives_the_same_noise(stream: list[Update]) -> None:
    assert add_noise(stream, 7) == add_noise(stream, 7)
    assert add_noise(stream, 7) != add_noise(stream, 8)


def test_each_game_has_a_noise_of_its_own(stream: list[Update]) -> None:
    other = [update._replace(game_id="0022300002") for update in stream]
    sent, _ = add_noise(stream, 7)
    sent_other, _ = add_noise(other, 7)
    assert [u.sequence for u in sent] != [u.sequence for u in sent_other]


def test_the_log_counts_every_kind(stream: list[Update]) -> None:
    sent, log = add_noise(stream, 7, NoiseRates(dropped=0.02, corrected=0.02))
    assert all(log.counts().values())
    assert len(sent) == len(stream) + log.repeated + log.corrected - len(log.dropped)


def test_repeats_are_the_same_update_again(stream: list[Update]) -> None:
    sent, log = add_noise(stream, 7, replace(QUIET, repeated=0.1))
    copies = Counter(update._replace(sent_ms=0) for update in sent)
    assert set(copies) == {update._replace(sent_ms=0) for update in stream}
    assert sum(count == 2 for count in copies.values()) == log.repeated > 0


def test_reordered_updates_are_swapped_neighbours(stream: list[Update]) -> None:
    sent, log = add_noise(stream, 7, replace(QUIET, reordered=0.1))
    sequences = [update.sequence for update in sent]
    assert sorted(sequences) == list(range(len(stream)))
    moved = [i for i, sequence in enumerate(sequences) if i != sequence]
    assert len(moved) == 2 * log.reordered > 0
    assert all(abs(sequences[i] - i) == 1 for i in moved)


def test_late_updates_keep_their_timestamp_and_come_behind_newer_ones(stream: list[Update]) -> None:
    rates = replace(QUIET, late=0.1)
    sent, log = add_noise(stream, 7, rates)
    held = [update for update in sent if update.sent_ms - update.timestamp_ms >= 5_000]
    assert 0 < len(held) <= log.late
    assert all(u.sent_ms - u.timestamp_ms <= rates.late_polls * 5_000 for u in held)
    newest = -1
    overtaken = 0
    for update in sent:
        overtaken += update.sequence < newest
        newest = max(newest, update.sequence)
    assert overtaken == len(held)


def test_dropped_updates_are_never_sent(stream: list[Update]) -> None:
    sent, log = add_noise(stream, 7, replace(QUIET, dropped=0.1))
    assert log.dropped
    assert not {u.sequence for u in log.dropped} & {u.sequence for u in sent}
    assert len(sent) + len(log.dropped) == len(stream)


def test_a_correction_follows_at_the_same_clock_and_is_true(stream: list[Update]) -> None:
    sent, log = add_noise(stream, 7, replace(QUIET, corrected=0.1))
    true = {(u.quarter, u.remaining_ms): (u.score_home, u.score_away) for u in stream}
    every = {(u.quarter, u.remaining_ms, u.score_home, u.score_away) for u in stream}
    last: dict[tuple[int, int], tuple[int, int]] = {}
    wrong = 0
    for update in sorted(sent, key=lambda u: u.timestamp_ms):
        wrong += (update.quarter, update.remaining_ms, *update[5:7]) not in every
        last[update.quarter, update.remaining_ms] = (update.score_home, update.score_away)
    assert 0 < wrong <= log.corrected
    assert last == true
    assert min(min(u.score_home, u.score_away) for u in sent) >= 0
    assert [u.sequence for u in sorted(sent, key=lambda u: u.timestamp_ms)] == list(
        range(len(sent))
    )


rates_without_drops = st.builds(
    lambda late, repeated, reordered, corrected, polls: NoiseRates(
        late=late,
        repeated=repeated,
        reordered=reordered,
        corrected=corrected,
        dropped=0.0,
        late_polls=polls,
    ),
    *(st.sampled_from([0.0, 0.02, 0.2, 1.0]) for _ in range(4)),
    st.integers(1, 50),
)


@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), rates=rates_without_drops)
def test_a_buffer_sees_the_true_pattern_through_any_noise_without_drops(
    recordings: st.SearchStrategy[Recording], data: st.DataObject, seed: int, rates: NoiseRates
) -> None:
    recording = data.draw(recordings)
    sent, _ = add_noise(poll_stream(recording, TIP_OFF, until="halftime"), seed, rates)
    assert [u.sent_ms for u in sent] == sorted(u.sent_ms for u in sent)
    buffer = buffer_of(sent)
    assert buffer.get_pattern_at_6min_2q() == pattern_of_recording(recording)
    assert buffer.halftime_margin() == halftime_of_recording(recording)


@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), dropped=st.sampled_from([0.05, 0.5, 0.97]))
def test_with_drops_a_buffer_sees_what_the_sent_updates_show(
    recordings: st.SearchStrategy[Recording], data: st.DataObject, seed: int, dropped: float
) -> None:
    stream = poll_stream(data.draw(recordings), TIP_OFF, until="halftime")
    sent, _ = add_noise(stream, seed, NoiseRates(dropped=dropped))
    seen, buffer = sighting(sent), buffer_of(sent)
    if buffer.crossed_trigger:
        assert buffer.pattern_so_far() == seen.pattern
        assert buffer.missing_minutes() == seen.missing_minutes
