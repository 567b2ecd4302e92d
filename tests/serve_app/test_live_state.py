"""What the live buffer tells a forecast is what training and backtest see of the same events."""

from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.game.clock import GameClock
from models.game.game_state import GameState
from models.game.games import GameTable, load_games
from models.game.last_score import last_score_class
from serve_app.game.observation import Observation
from serve_app.game.score_buffer import LiveScoreBuffer

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"
EVENT_COLUMNS = ("game_id", "period", "seconds_remaining", "score_home", "score_away")
Event = tuple[int, float, int, int]  # period, seconds remaining, home's and away's points


def buffer(*events: Event) -> LiveScoreBuffer:
    live = LiveScoreBuffer("g1", "BOS", "LAL")
    for event in events:
        live.observe(observation(event))
    return live


def observation(event: Event) -> Observation:
    period, remaining, home, away = event
    return Observation(GameClock(period, remaining), home, away)


def polled(*events: Event, until: int) -> LiveScoreBuffer:
    """The buffer of a game whose score was also seen at the end of each of its first minutes."""
    live = LiveScoreBuffer("g1", "BOS", "LAL")
    for event in events:
        live.observe(observation(event))
    for minute in range(1, until + 1):
        poll(live, minute)
    return live


def poll(live: LiveScoreBuffer, minute: int) -> None:
    """See the score at a minute's end, where it was not seen at just that clock."""
    quarter = -(-minute // 12)
    key = live.end_key(60.0 * minute)
    before = live.last_at((60.0 * minute, quarter))
    if before is None or before.clock.elapsed_seconds < key[0]:
        home, away = (before.score_home, before.score_away) if before else (0, 0)
        live.observe(observation((quarter, 60.0 * (12 * quarter - minute), home, away)))


def state_of(games: GameTable, row: int, minute: int) -> GameState:
    return GameState.of_pattern(
        games.margins[row, :minute].tolist(), int(games.last_score[row, minute - 1])
    )


def random_game(random: Random) -> list[Event]:
    """Events in game order: some two at a clock, some of both sides, some corrected downwards.

    Now and then points at the first instant of the third quarter or of an overtime.
    """
    home = away = 0
    events: list[Event] = []
    for period in range(1, 4 + random.choice((1, 1, 2, 3))):
        length = 720.0 if period <= 4 else 300.0
        clocks = {round(random.uniform(0, length), 1) for _ in range(int(length / 30))}
        clocks |= {60.0 * random.randint(0, int(length / 60) - 1) for _ in range(3)}
        if random.random() < 0.3:
            clocks.add(length)
        for remaining in sorted(clocks, reverse=True):
            for _ in range(random.choice((1, 1, 1, 2))):
                home += random.choice((0, 0, 1, 2, 3)) - (random.random() < 0.02 and home > 0)
                away += random.choice((0, 0, 1, 2, 3)) - (random.random() < 0.02 and away > 0)
                events.append((period, remaining, home, away))
        events.append((period, 0.0, home, away))
    return events


def write_games(folder: Path, courses: list[list[Event]]) -> GameTable:
    ids = [f"game{number:03d}" for number in range(len(courses))]
    rows = [(name, *event) for name, course in zip(ids, courses, strict=True) for event in course]
    pq.write_table(
        pa.table(dict(zip(EVENT_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))),
        folder / "events.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "game_id": ids,
                "date": pa.array(["2024-01-05"] * len(ids)).cast(pa.date32()),
                "season": [2023] * len(ids),
                "season_type": ["regular"] * len(ids),
                "home": ["BOS"] * len(ids),
                "away": ["LAL"] * len(ids),
                "final_home": [course[-1][2] for course in courses],
                "final_away": [course[-1][3] for course in courses],
            }
        ),
        folder / "games.parquet",
    )
    return load_games(folder / "games.parquet", folder / "events.parquet")


def assert_same_states(games: GameTable, courses: list[list[Event]]) -> int:
    """Feed every course live, minute by minute; the number of states that were compared."""
    compared = 0
    for row, course in enumerate(courses):
        live = buffer()
        place = 0
        for minute in range(1, 49):
            while place < len(course) and belongs(course[place], minute):
                live.observe(observation(course[place]))
                place += 1
            poll(live, minute)
            if minute == 48 and games.margins[row, 47] == 0:
                continue  # An overtime begins: that state is not of regulation.
            assert live.state() == state_of(games, row, minute), (games.game_id[row], minute)
            compared += 1
        # Nothing that came later changes what is known of a minute.
        for event in course[place:]:
            live.observe(observation(event))
        ends = [60.0 * minute for minute in range(1, 49)]
        assert [live.margin_at(end) for end in ends] == games.margins[row].tolist()
        assert [live.last_score_at(end) for end in ends] == games.last_score[row].tolist()
    return compared


def belongs(event: Event, minute: int) -> bool:
    """Whether an event is in the first `minute` minutes; half and regulation end with a period."""
    period, remaining, _, _ = event
    closing = {24: 2, 48: 4}.get(minute, 99)
    return GameClock(period, remaining).elapsed_seconds <= 60 * minute and period <= closing


def test_live_states_are_those_of_the_table_at_every_minute(tmp_path: Path):
    courses = [random_game(Random(seed)) for seed in range(40)]  # noqa: S311
    games = write_games(tmp_path, courses)
    assert assert_same_states(games, courses) > 40 * 46
    assert (games.last_score != 0).mean() > 0.2


def test_live_states_are_those_of_the_table_on_real_games(tmp_path: Path):
    if not REAL_DATA.exists():
        pytest.skip(f"needs the real games in {REAL_DATA}")
    table = pq.read_table(REAL_DATA / "games.parquet")
    # A few of every season, and more of the one that has scores corrected downwards.
    late = table.filter(pc.equal(table["season"], 2023))
    chosen = [*table["game_id"][::300].to_pylist(), *late["game_id"][::20].to_pylist()]
    only = pc.field("game_id").isin(chosen)
    for name in ("games", "score_events"):
        file = f"{name}.parquet"
        pq.write_table(pq.read_table(REAL_DATA / file, filters=only), tmp_path / file)
    games = load_games(tmp_path / "games.parquet", tmp_path / "score_events.parquet")
    events = pq.read_table(tmp_path / "score_events.parquet")
    courses: dict[str, list[Event]] = {name: [] for name in games.game_id.tolist()}
    for name, *event in zip(*(events[column].to_pylist() for column in EVENT_COLUMNS), strict=True):
        courses[name].append((event[0], event[1], event[2], event[3]))
    assert assert_same_states(games, list(courses.values())) > 150 * 46


def test_between_two_minutes_the_state_has_the_present_margin_and_the_minutes_behind_it():
    live = buffer((1, 690.0, 2, 0), (1, 650.0, 2, 3), (1, 631.5, 5, 3))
    assert live.state() == GameState(
        pattern=(2.0,), margin=2.0, elapsed_seconds=88.5, last_score=last_score_class(1, 0.0)
    )
    assert buffer((1, 720.0, 0, 0)).state() == GameState(
        pattern=(), margin=0.0, elapsed_seconds=0.0
    )
    assert buffer().state() is None


def test_who_scored_last_and_how_long_ago():
    first = buffer((1, 700.0, 2, 0), (1, 690.0, 2, 0))
    assert first.last_score_at(30.0) == last_score_class(1, 10.0)
    both = buffer((1, 700.0, 2, 3))
    assert both.last_score_at(22.0) == last_score_class(-1, 2.0)
    for unknown in (buffer((1, 700.0, 2, 2)), buffer((1, 700.0, 4, 2), (1, 698.0, 2, 2))):
        assert unknown.last_score_at(22.0) == 0
    assert first.last_score_at(10.0) == 0  # before anyone scored


def test_free_throws_at_the_start_of_the_third_quarter_are_after_the_half():
    live = polled((2, 5.0, 50, 50), until=24)
    at_the_half = live.state()
    assert at_the_half is not None
    assert (at_the_half.margin, at_the_half.elapsed_seconds) == (0.0, 1440.0)
    live.observe(observation((3, 720.0, 50, 50)))
    assert live.state() == at_the_half
    live.observe(observation((3, 720.0, 51, 50)))
    after = live.state()
    assert after is not None
    assert after.pattern == at_the_half.pattern
    assert (after.margin, after.last_score) == (1.0, last_score_class(1, 0.001))
    assert after.elapsed_seconds > 1440.0
    assert live.margin_at_minute(24) == 0


def test_an_overtime_is_forecast_as_the_end_of_regulation():
    live = polled((4, 3.0, 100, 100), until=48)
    tied = live.state()
    assert tied is not None
    assert (tied.elapsed_seconds, tied.margin) == (2880.0 - 300.0, 0.0)
    live.observe(observation((5, 300.0, 101, 100)))
    live.observe(observation((5, 200.0, 103, 100)))
    state = live.state()
    assert state is not None
    assert (state.elapsed_seconds, state.margin) == (2880.0 - 200.0, 3.0)
    assert live.margin_at(2880.0) == 0


def test_no_state_is_made_up_over_more_than_one_in_nine_minutes_that_nobody_saw():
    live = polled((1, 700.0, 2, 0), until=30)
    assert live.state() is not None
    # Minute 32 goes unseen, then every other one: at 41 it is 5 of 41.
    for minute, known in ((31, True), (33, True), (35, True), (37, True), (39, True), (41, False)):
        live.observe(observation((-(-minute // 12), 60.0 * (-minute % 12), 40, 30)))
        assert (live.state() is not None) is known, minute
    poll(live, 32)
    assert live.state() is not None


def test_margins_that_no_game_has_seen_make_no_state():
    live = polled((1, 700.0, 120, 0), until=18)
    assert live.is_ready_for_prediction()
    assert live.state() is None
    assert live.trigger_state() is None


def test_the_state_at_the_trigger_keeps_to_what_was_before_it():
    live = polled((2, 361.0, 20, 10), (2, 359.0, 20, 13), until=18)
    state = live.trigger_state()
    assert state is not None
    assert list(state.pattern) == live.get_pattern_at_6min_2q()
    assert (state.margin, state.elapsed_seconds) == (10.0, 1080.0)
    assert state.last_score == last_score_class(1, 1.0)


class TestFinal:
    @pytest.mark.parametrize(
        ("last", "scores"),
        [
            ((4, 0.0, 100, 90), (100, 90)),
            ((4, 0.1, 100, 90), None),
            ((4, 60.0, 100, 90), None),
            ((4, 0.0, 100, 100), None),
            ((5, 0.0, 100, 107), (100, 107)),
            ((5, 0.0, 100, 100), None),
            ((3, 0.0, 100, 90), None),
        ],
    )
    def test_it_is_known_at_the_end_of_a_last_period_alone(
        self, last: Event, scores: tuple[int, int] | None
    ):
        live = buffer((1, 700.0, 2, 0), last)
        assert live.final_scores() == scores

    def test_before_the_first_update_nothing_is_known(self):
        assert buffer().final_scores() is None
