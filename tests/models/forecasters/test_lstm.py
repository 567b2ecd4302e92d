import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from models.errors import BundleError
from models.forecasters import lstm as lstm_module
from models.forecasters import lstm_torch
from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.forecasters.lstm import Lstm, LstmSettings, NumpyNetwork, load_lstm
from models.forecasters.lstm_torch import LstmNetwork, TorchNetwork
from models.game.game_state import states_at
from tests.models.conftest import random_states, wild_tensors

QUERIES = {minute: random_states(minute) for minute in (1, 18, 40)}


SETTINGS = {"hidden": 8}


@pytest.fixture(scope="module")
def lstm(drift: Drift) -> Lstm:
    return load_lstm(wild_tensors(8), SETTINGS, drift, "cpu")


@pytest.mark.parametrize("minute", [0, 1, 18, 47])
def test_an_untrained_network_adds_nothing_to_the_drift(drift: Drift, minute: int) -> None:
    states = random_states(minute)
    network = LstmNetwork(LstmSettings(hidden=4)).state_dict()
    tensors = {name: tensor.numpy() for name, tensor in network.items()}
    untrained = load_lstm(tensors, {"hidden": 4}, drift, "cpu")
    assert (untrained.increments(states) == drift.increments(states)).all()


def test_past_a_horizon_nothing_is_to_come(lstm: Lstm) -> None:
    assert lstm.increments(random_states(23))[:, 0].all()
    assert not lstm.increments(random_states(24))[:, 0].any()
    assert lstm.increments(random_states(47))[:, 1].all()
    assert not lstm.increments(random_states(48)).any()


def test_a_forecast_does_not_see_the_minutes_after_it(lstm: Lstm, drift: Drift) -> None:
    later, early = QUERIES[40], random_states(18)
    early = type(early)(18, later.paths[:, :19], later.expected, later.last_score)
    network = NumpyNetwork(wild_tensors(8), LstmSettings(hidden=8))
    whole = network(later.paths, later.expected)
    departures = lstm.increments(early) - drift.increments(early)
    assert departures == pytest.approx(whole[:, 18], abs=1e-6)


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("hidden", [1, 8, 16])
def test_without_torch_the_answers_are_those_of_torch(hidden: int, scale: float) -> None:
    tensors = wild_tensors(hidden, scale)
    settings = LstmSettings(hidden=hidden)
    trained, network = TorchNetwork(tensors, settings, "cpu"), NumpyNetwork(tensors, settings)
    for states in QUERIES.values():
        theirs = trained(states.paths, states.expected)
        ours = network(states.paths, states.expected)
        assert theirs.std() > 0.1
        assert np.abs(ours - theirs).max() < 1e-10


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
def test_threads_change_no_bit(drift: Drift, threads: int) -> None:
    wide = load_lstm(wild_tensors(16), {"hidden": 16}, drift, "cpu")
    states = random_states(18, 1024)
    with threadpool_limits(1):
        alone = [wide.increments(states.rows(np.array([row])))[0].tolist() for row in range(64)]
    with threadpool_limits(threads):
        assert wide.increments(states)[:64].tolist() == alone


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("minute", [1, 18, 40])
def test_cuda_gives_the_answers_of_the_cpu(lstm: Lstm, drift: Drift, minute: int) -> None:
    on_gpu = load_lstm(wild_tensors(8), SETTINGS, drift, "cuda")
    states = QUERIES[minute]
    assert on_gpu.increments(states) == pytest.approx(lstm.increments(states), abs=2e-6)


def test_a_gpu_that_does_not_compute_is_left_alone_unless_it_was_asked_for(
    drift: Drift, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def out_of_memory(*_: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(lstm_module, "resolve_device", lambda _: "cuda")
    monkeypatch.setattr(lstm_torch, "TorchNetwork", out_of_memory)
    found = load_lstm(wild_tensors(8), SETTINGS, drift, "auto")
    assert found.increments(QUERIES[18]).shape == (64, 2)
    assert "CUDA out of memory" in caplog.text
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        load_lstm(wild_tensors(8), SETTINGS, drift, "cuda")


def test_tensors_must_fit(drift: Drift) -> None:
    with pytest.raises(BundleError, match=r"'head.bias': \(2,\)} of {'hidden': 4}; got"):
        load_lstm(wild_tensors(8), {"hidden": 4}, drift, "cpu")
    without_head = {n: array for n, array in wild_tensors(8).items() if "head" not in n}
    with pytest.raises(BundleError, match="LSTM tensors"):
        load_lstm(without_head, SETTINGS, drift, "cpu")


def test_no_states_no_forecasts(lstm: Lstm) -> None:
    assert lstm.increments(random_states(18, 0)).shape == (0, 2)


def test_reading_whole_courses_at_once_changes_no_bit(lstm: Lstm, library: Library) -> None:
    games, expected = library.games, library.expected_margins
    over_courses = lstm.over_courses(games, expected)
    for minute in (0, 1, 18, 24, 47):
        states = states_at(games, expected, minute)
        assert (over_courses(states) == lstm.increments(states)).all()
