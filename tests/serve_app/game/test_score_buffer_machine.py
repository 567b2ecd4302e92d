"""The score buffer under any updates in any order: a state machine that hypothesis drives."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from models.game.clock import GameClock
from models.game.league import NBA
from serve_app.game.observation import Observation
from serve_app.game.score_buffer import LiveScoreBuffer

SCORES = st.integers(0, 250)


@dataclass(frozen=True)
class Update:
    """An update as `add_score_update` takes it."""

    quarter: int
    time_remaining: str
    home: int
    away: int
    timestamp: float | None = None
    sequence: int | None = None

    def post(self, buffer: LiveScoreBuffer) -> bool:
        """Whether the buffer knew it already."""
        effect = buffer.add_score_update(
            self.timestamp,
            self.quarter,
            self.time_remaining,
            self.home,
            self.away,
            sequence=self.sequence,
        )
        return effect.duplicate


@st.composite
def clocks(draw: st.DrawFn) -> tuple[int, str]:
    quarter = draw(st.integers(1, NBA.last_quarter) | st.integers(1, 2))
    length = NBA.length_seconds(quarter)
    left = draw(st.sampled_from([0, length]) | st.floats(0, length).map(lambda s: round(s, 1)))
    return quarter, GameClock(quarter, float(left)).time_remaining


def view(buffer: LiveScoreBuffer) -> tuple[object, ...]:
    """All that others read from a buffer."""
    return (
        len(buffer),
        buffer.latest,
        buffer.get_current_differential(),
        [buffer.margin_at_minute(minute) for minute in range(1, 60)],
        buffer.pattern_so_far(),
        buffer.get_pattern_at_6min_2q(),
        buffer.missing_minutes(),
        buffer.trigger_state(),
        buffer.state(),
        buffer.minute_state(),
        buffer.margin_course(),
        buffer.halftime_margin(),
        buffer.final_scores(),
    )


class BufferMachine(RuleBasedStateMachine):
    """Anything may be posted; what is known only grows, and every margin was seen."""

    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        self.buffer = LiveScoreBuffer("g", "BOS", "LAL")
        self.taken: list[Observation] = []
        self.margins = {0}
        self.furthest = (0.0, 0)

    @rule(
        target=posted,
        clock=clocks(),
        home=SCORES,
        away=SCORES,
        timestamp=st.none() | st.floats(0, 4e9),
        sequence=st.none() | st.integers(0, 50),
    )
    def post(
        self, clock: tuple[int, str], home: int, away: int, timestamp: float, sequence: int
    ) -> Update:
        update = Update(*clock, home, away, timestamp, sequence)
        length = len(self.buffer)
        effect = self.buffer.add_score_update(timestamp, *clock, home, away, sequence=sequence)
        if not effect.duplicate:
            self.taken.append(effect.observation)
        self.margins.add(home - away)
        self.furthest = max(self.furthest, effect.observation.key)
        assert len(self.buffer) - length in {0, 1}
        return update

    @rule(update=posted)
    def post_what_still_stands_again(self, update: Update) -> None:
        """A repeat of the score that stands at its clock, or of one that was stamped."""
        clock = GameClock.parse(update.quarter, update.time_remaining)
        again = Observation(clock, update.home, update.away, update.timestamp, update.sequence)
        stands = self.buffer.observation_at(again.key) == again
        if stands or again.is_stamped:
            before = view(self.buffer)
            assert update.post(self.buffer)
            assert view(self.buffer) == before

    @invariant()
    def every_margin_was_seen(self) -> None:
        seen = {self.buffer.margin_at_minute(minute) for minute in range(1, 60)}
        seen |= {int(margin) for margin in self.buffer.pattern_so_far()}
        current, halftime = self.buffer.get_current_differential(), self.buffer.halftime_margin()
        seen |= {margin for margin in (current, halftime) if margin is not None}
        assert seen <= self.margins

    @invariant()
    def the_course_tells_every_margin(self) -> None:
        course = self.buffer.margin_course()
        for seconds in range(30, 3600, 60):
            told = [0, *(margin for at, margin in course if at <= seconds)]
            assert told[-1] == self.buffer.margin_at(seconds)
        assert [at for at, _ in course] == sorted(at for at, _ in course)

    @invariant()
    def the_latest_is_the_furthest(self) -> None:
        latest = self.buffer.latest
        assert latest is None or latest.key == self.furthest

    @invariant()
    def a_pattern_has_its_18_minutes_and_few_gaps(self) -> None:
        pattern = self.buffer.get_pattern_at_6min_2q()
        assert (pattern is not None) == self.buffer.is_ready_for_prediction()
        if pattern is not None:
            assert len(pattern) == 18
            assert len(self.buffer.missing_minutes()) <= 2

    def teardown(self) -> None:
        """A buffer that is read back from what it took is the same."""
        again = LiveScoreBuffer("g", "BOS", "LAL")
        again.restore(self.taken)
        assert view(again) == view(self.buffer)


TestBufferMachine = BufferMachine.TestCase
TestBufferMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(clocks(), SCORES, SCORES), max_size=60),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_where_stamps_are_distinct_the_order_of_arrival_does_not_matter(
    scores: list[tuple[tuple[int, str], int, int]], by_time: bool, random: object
):
    updates = [
        Update(*clock, home, away, float(place), None)
        if by_time
        else Update(*clock, home, away, None, place)
        for place, (clock, home, away) in enumerate(scores)
    ]
    in_order = LiveScoreBuffer("g", "BOS", "LAL")
    for update in updates:
        assert not update.post(in_order)
    shuffled = [*updates, *updates[::3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    mixed = LiveScoreBuffer("g", "BOS", "LAL")
    repeats = [update.post(mixed) for update in shuffled]
    assert view(mixed) == view(in_order)
    assert repeats.count(True) == len(updates[::3])
