import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BundleError, ForecastError
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.forecasters.lstm import Lstm, LstmNetwork, LstmSettings, load_lstm, resolve_device
from models.game.game_state import states_at
from tests.models.conftest import random_states

QUERIES = {minute: random_states(minute) for minute in (1, 18, 40)}


def wild_network(hidden: int = 8) -> LstmNetwork:
    """A network with weights of its own at every place, its head included."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = LstmNetwork(LstmSettings(hidden=hidden))
        torch.nn.init.normal_(network.head.weight)
        torch.nn.init.normal_(network.head.bias)
    return network


@pytest.fixture(scope="module")
def lstm(drift: Drift) -> Lstm:
    return Lstm(wild_network(), drift, "cpu")


@pytest.mark.parametrize("minute", [0, 1, 18, 47])
def test_an_untrained_network_adds_nothing_to_the_drift(drift: Drift, minute: int) -> None:
    states = random_states(minute)
    untrained = Lstm(LstmNetwork(LstmSettings(hidden=4)), drift, "cpu")
    assert (untrained.increments(states) == drift.increments(states)).all()


def test_past_a_horizon_nothing_is_to_come(lstm: Lstm) -> None:
    assert lstm.increments(random_states(23))[:, 0].all()
    assert not lstm.increments(random_states(24))[:, 0].any()
    assert lstm.increments(random_states(47))[:, 1].all()
    assert not lstm.increments(random_states(48)).any()


def test_a_forecast_does_not_see_the_minutes_after_it(lstm: Lstm, drift: Drift) -> None:
    later, early = QUERIES[40], random_states(18)
    early = type(early)(18, later.paths[:, :19], later.expected, later.last_score)
    with torch.inference_mode():
        whole = lstm.network(torch.tensor(later.paths), torch.tensor(later.expected))
    departures = lstm.increments(early) - drift.increments(early)
    assert departures == pytest.approx(whole[:, 18].numpy(), abs=1e-6)


def test_the_whole_path_and_the_expected_margin_count(lstm: Lstm) -> None:
    states = random_states(18, 1)
    before = lstm.increments(states)
    path = states.paths.copy()
    path[0, 3] += 5
    for changed in (
        type(states)(18, path, states.expected, states.last_score),
        type(states)(18, states.paths, states.expected + 1, states.last_score),
    ):
        assert (lstm.increments(changed) != before).all()


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.integers(0, 63), min_size=1, max_size=64), minute=st.sampled_from([1, 18, 40])
)
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    lstm: Lstm, rows: list[int], minute: int
) -> None:
    states, chosen = QUERIES[minute], np.array(rows)
    whole = lstm.increments(states)
    assert lstm.increments(states.rows(chosen)).tolist() == whole[chosen].tolist()
    alone = lstm.increments(states.rows(chosen[:1]))
    assert alone.tolist() == whole[chosen[:1]].tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(lstm: Lstm, threads: int) -> None:
    states = QUERIES[18]
    alone = [lstm.increments(states.rows(np.array([row])))[0].tolist() for row in range(64)]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert lstm.increments(states).tolist() == alone
    finally:
        torch.set_num_threads(before)


def test_auto_takes_what_there_is() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_a_clear_error() -> None:
    with pytest.raises(ForecastError, match="use 'auto' or 'cpu'"):
        resolve_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("minute", [1, 18, 40])
def test_cuda_gives_the_answers_of_the_cpu(lstm: Lstm, drift: Drift, minute: int) -> None:
    on_gpu = Lstm(wild_network(), drift, "cuda")
    states = QUERIES[minute]
    assert on_gpu.increments(states) == pytest.approx(lstm.increments(states), abs=2e-6)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ForecastError, match="auto, cpu or cuda; got 'gpu'"):
        resolve_device("gpu")  # type: ignore[arg-type]


def test_tensors_give_the_network_back_and_must_fit(lstm: Lstm, drift: Drift) -> None:
    tensors = {
        name: tensor.numpy().astype(np.float64)
        for name, tensor in lstm.network.state_dict().items()
    }
    again = load_lstm(tensors, {"hidden": 8}, drift, "cpu")
    states = QUERIES[18]
    assert again.increments(states).tolist() == lstm.increments(states).tolist()
    with pytest.raises(BundleError, match="LSTM tensors"):
        load_lstm(tensors, {"hidden": 4}, drift, "cpu")


def test_no_states_no_forecasts(lstm: Lstm) -> None:
    assert lstm.increments(random_states(18, 0)).shape == (0, 2)


def test_reading_whole_courses_at_once_changes_no_bit(lstm: Lstm, library: Library) -> None:
    games, expected = library.games, library.expected_margins
    over_courses = lstm.over_courses(games, expected)
    for minute in (0, 1, 18, 24, 47):
        states = states_at(games, expected, minute)
        assert (over_courses(states) == lstm.increments(states)).all()
