from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.forecasters.live_models import ask_dejavu, ask_lstm
from models.forecasters.lstm import Lstm, LstmSettings, NumpyNetwork, load_lstm
from models.game.game_state import GameState, States
from models.game.pattern import FloatArray
from tests.models.conftest import live_states, random_states, wild_tensors

Model = Dejavu | Lstm
Margins = tuple[float, float]


@pytest.fixture(scope="module")
def dejavu(library: Library, drift: Drift) -> Dejavu:
    return Dejavu(library, drift, DejavuSettings(neighbours=30, prior_games=5.0))


@pytest.fixture(scope="module")
def lstm(drift: Drift) -> Lstm:
    return load_lstm(wild_tensors(4), {"hidden": 4}, drift, "cpu")


@pytest.fixture(params=["dejavu", "lstm"])
def model(request: pytest.FixtureRequest) -> Model:
    found: Model = request.getfixturevalue(request.param)
    return found


def ask(model: Model, states: list[GameState], expected: FloatArray | list[float]) -> list[Margins]:
    margins = list(expected)
    if isinstance(model, Lstm):
        return ask_lstm(model, states, margins)
    nobody = [None] * len(states)
    return [
        answer.margins for answer in ask_dejavu(model, states, margins, nobody, [0] * len(states))
    ]


@pytest.mark.parametrize("minute", [0, 1, 12, 18, 23, 24, 40, 47, 48])
def test_at_a_whole_minute_it_is_the_models_own_answer_to_the_bit(
    model: Model, minute: int
) -> None:
    states = random_states(minute, 30)
    answers = ask(model, live_states(states), states.expected)
    own = states.present[:, None] + model.increments(states)
    assert [list(answer) for answer in answers] == own.tolist()


def some_clocks() -> list[GameState]:
    """States at many clocks, whole minutes and overtimes among them."""
    random = np.random.default_rng(3)
    gains = random.integers(-3, 4, 4000)

    def margin_at(seconds: float) -> float:
        return float(gains[: int(seconds // 12)].sum())

    clocks = [0.0, 30.0, 59.9, 60.0, 720.0, 1080.0, 1081.5, 1439.5, 1440.0, 2879.0, 2880.0, 2950.0]
    clocks += random.uniform(0, 3180, 40).tolist()
    return [GameState.at(margin_at, clock, last_score=2) for clock in clocks]


def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(model: Model) -> None:
    states = some_clocks()
    expected = np.random.default_rng(4).normal(2, 5, len(states)).tolist()
    alone = [
        ask(model, [state], [before])[0] for state, before in zip(states, expected, strict=True)
    ]
    assert ask(model, states, expected) == alone
    order = np.random.default_rng(5).permutation(len(states)).tolist()
    shuffled = ask(model, [states[row] for row in order], [expected[row] for row in order])
    assert shuffled == [alone[row] for row in order]


def moved(state: GameState, seconds: float) -> GameState:
    return replace(state, elapsed_seconds=60.0 * len(state.pattern) + seconds)


@pytest.mark.parametrize("minute", [0, 7, 18, 23, 30, 47])
def test_between_two_minutes_it_goes_from_the_one_to_the_other(model: Model, minute: int) -> None:
    start = live_states(random_states(minute, 1))[0]
    end = GameState(
        pattern=(*start.pattern, start.margin),
        margin=start.margin,
        elapsed_seconds=60.0 * (minute + 1),
        last_score=start.last_score,
    )
    shares = [0.0, 1e-6, 0.25, 0.5, 0.75, 1 - 1e-6]
    between = ask(model, [moved(start, 60 * share) for share in shares], [2.0] * 6)
    first, last = ask(model, [start, end], [2.0] * 2)
    for share, answer in zip(shares, between, strict=True):
        for place in (0, 1):
            mixed = (1 - share) * first[place] + share * last[place]
            assert answer[place] == pytest.approx(mixed, abs=1e-9)


@pytest.mark.parametrize("minute", [3, 18, 30])
def test_within_a_minute_the_present_margin_counts(model: Model, minute: int) -> None:
    state = moved(live_states(random_states(minute, 1))[0], 30.0)
    leading = replace(state, margin=state.margin + 6.0)
    low, high = ask(model, [state, leading], [2.0] * 2)
    assert high[1] > low[1] + 1


def test_a_reached_horizon_is_the_present_margin(model: Model) -> None:
    states = [state for state in some_clocks() if len(state.pattern) >= 24]
    answers = ask(model, states, [3.0] * len(states))
    assert [halftime for halftime, _ in answers] == [state.margin for state in states]
    over = GameState.of_pattern([4.0] * 48)
    assert ask(model, [over], [3.0]) == [(4.0, 4.0)]


def test_the_last_seconds_bring_the_forecast_to_the_margin(model: Model) -> None:
    state = live_states(random_states(47, 1))[0]
    off = [
        abs(ask(model, [moved(state, 60.0 - left)], [9.0])[0][1] - state.margin)
        for left in (60.0, 6.0, 0.6)
    ]
    assert off[2] == pytest.approx(off[0] / 100, rel=1e-3)
    assert off[1] == pytest.approx(off[0] / 10, rel=1e-3)


@pytest.mark.parametrize("end", [2880.0, 3180.0])
def test_a_tie_in_the_last_seconds_leads_to_the_overtime(model: Model, end: float) -> None:
    def margin_at(seconds: float) -> float:
        return 0.0 if seconds > end - 90 else float(seconds // 100 % 5)

    last_second, overtime = (GameState.at(margin_at, clock) for clock in (end - 0.001, end))
    assert len(overtime.pattern) == 43
    before, after = ask(model, [last_second, overtime], [9.0, 9.0])
    assert abs(after[1]) > 0.1
    assert before[1] == pytest.approx(after[1], abs=1e-3)


def test_an_overtime_is_forecast_as_the_end_of_regulation(model: Model) -> None:
    def margin_at(shift: float) -> Callable[[float], float]:
        return lambda seconds: float(int((seconds - shift) // 30) % 7 - 3)

    regulation = GameState.at(margin_at(0.0), 2700.0)
    overtime = GameState.at(margin_at(300.0), 3000.0)
    assert regulation == overtime
    assert ask(model, [regulation], [1.0]) == ask(model, [overtime], [1.0])


def test_each_state_names_as_many_similar_games_as_it_asks(dejavu: Dejavu) -> None:
    states = some_clocks()[:6]
    similar = [0, 3, 1, 10, 0, 2]
    answers = ask_dejavu(dejavu, states, [1.0] * 6, [None] * 6, similar)
    assert [len(answer.similar_games) for answer in answers] == similar
    alone = ask_dejavu(dejavu, states[3:4], [1.0], [None], [10])
    assert answers[3].similar_games == alone[0].similar_games
    for state, answer in zip(states, answers, strict=True):
        for game in answer.similar_games:
            assert len(game.pattern) == len(state.pattern)


def test_each_state_leaves_out_its_own_game(dejavu: Dejavu, library: Library) -> None:
    games = library.games
    states = [
        GameState.of_pattern(games.margins[row, :18].tolist(), int(games.last_score[row, 17]))
        for row in (3, 9)
    ]
    ids = [str(games.game_id[row]) for row in (3, 9)]
    expected = library.expected_margins[[3, 9]].tolist()
    for exclude in ([None, ids[1]], [ids[0], None], ids):
        answers = ask_dejavu(dejavu, states, expected, exclude, [5, 5])
        for answer, own, left_out in zip(answers, ids, exclude, strict=True):
            first = answer.similar_games[0]
            assert (first.game_id == own) is (left_out is None)


def test_no_states_no_answers(dejavu: Dejavu, lstm: Lstm) -> None:
    assert ask_dejavu(dejavu, [], [], [], []) == []
    assert ask_lstm(lstm, [], []) == []


def test_a_model_is_asked_once_per_minute(drift: Drift) -> None:
    batches: list[States] = []

    class Spy(Lstm):
        def increments(self, states: States) -> FloatArray:
            batches.append(states)
            return drift.increments(states)

    early, late = (live_states(random_states(minute, 2)) for minute in (17, 18))
    spy = Spy(NumpyNetwork(wild_tensors(4), LstmSettings(hidden=4)), drift)
    ask_lstm(spy, [*early, moved(early[0], 30.0), *late], [0.0] * 5)
    assert sorted((batch.minute, len(batch)) for batch in batches) == [(17, 3), (18, 1), (18, 2)]
