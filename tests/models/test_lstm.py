import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.errors import BundleError, ForecastError, PatternError
from models.lstm import Lstm, LstmNetwork, LstmSettings, load_lstm, resolve_device
from models.pattern import FloatArray, PatternLike

PATTERNS = np.random.default_rng(1).integers(-4, 5, (64, 24)).cumsum(axis=1) * 1.0
EXPECTED = np.random.default_rng(2).normal(3, 6, 64)


@pytest.fixture(scope="module")
def lstm(shipped: Bundle) -> Lstm:
    return shipped.load_lstm("cpu")


@pytest.fixture(scope="module")
def alone(lstm: Lstm) -> FloatArray:
    return np.concatenate(
        [lstm.forecast(PATTERNS[row : row + 1, :18], EXPECTED[row : row + 1]) for row in range(64)]
    )


def test_an_untrained_network_is_persistence_plus_the_expected_margin() -> None:
    network = LstmNetwork(LstmSettings(hidden=4))
    forecast = Lstm(network, "cpu").forecast(PATTERNS[:, :18], EXPECTED)
    assert forecast == pytest.approx(PATTERNS[:, 17] + 0.25 * 0.5 * EXPECTED, abs=1e-6)


def test_at_halftime_the_forecast_is_the_margin(lstm: Lstm) -> None:
    assert (lstm.forecast(PATTERNS, EXPECTED) == PATTERNS[:, 23]).all()


@pytest.mark.parametrize("minutes", [1, 6, 12, 18, 23])
def test_every_prefix_has_a_forecast_that_follows_the_expected_margin(
    lstm: Lstm, minutes: int
) -> None:
    strong, weak = lstm.forecast([PATTERNS[0, :minutes]] * 2, [12.0, -12.0])
    assert strong > weak
    assert np.isfinite([strong, weak]).all()


def test_a_forecast_does_not_see_the_minutes_after_it(lstm: Lstm) -> None:
    with torch.inference_mode():
        whole = lstm.network(torch.tensor(PATTERNS), torch.tensor(EXPECTED))[:, 17].numpy()
    assert lstm.forecast(PATTERNS[:, :18], EXPECTED) == pytest.approx(whole, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.integers(0, 63), min_size=2, max_size=64))
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    lstm: Lstm, alone: FloatArray, rows: list[int]
) -> None:
    assert lstm.forecast(PATTERNS[rows, :18], EXPECTED[rows]).tolist() == alone[rows].tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(lstm: Lstm, alone: FloatArray, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert lstm.forecast(PATTERNS[:, :18], EXPECTED).tolist() == alone.tolist()
    finally:
        torch.set_num_threads(before)


def test_auto_takes_what_there_is() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_a_clear_error() -> None:
    with pytest.raises(ForecastError, match="use 'auto' or 'cpu'"):
        resolve_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_answers_of_the_cpu(shipped: Bundle, alone: FloatArray) -> None:
    forecast = shipped.load_lstm("cuda").forecast(PATTERNS[:, :18], EXPECTED)
    assert forecast == pytest.approx(alone, abs=2e-6)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ForecastError, match="auto, cpu or cuda; got 'gpu'"):
        resolve_device("gpu")  # type: ignore[arg-type]


def test_tensors_of_another_shape_are_refused(shipped: Bundle) -> None:
    with pytest.raises(BundleError, match="LSTM tensors"):
        load_lstm(shipped.network, {"hidden": 8}, "cpu")


@pytest.mark.parametrize("patterns", [np.zeros((1, 25)), np.zeros(18), [[float("nan")] * 18]])
def test_wrong_patterns_are_refused(lstm: Lstm, patterns: PatternLike) -> None:
    with pytest.raises(PatternError):
        lstm.forecast(patterns, [0.0])


def test_no_patterns_no_forecasts(lstm: Lstm) -> None:
    assert lstm.forecast(np.zeros((0, 18)), []).shape == (0,)
