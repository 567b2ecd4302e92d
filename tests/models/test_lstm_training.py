import numpy as np
import torch

from models.games import GameTable
from models.lstm import LstmSettings, load_lstm
from models.lstm_training import LstmTraining, train_lstm
from models.pattern import FloatArray

TRAINING = LstmTraining(epochs=3, batch=32, threads=1, settings=LstmSettings(hidden=4))


def halves(games: GameTable) -> FloatArray:
    return games.margins[:, :24].astype(np.float64)


def test_the_same_input_gives_the_same_tensors(games: GameTable) -> None:
    expected = np.linspace(-10, 10, len(games))
    one, two = (train_lstm(halves(games), expected, TRAINING, device="cpu") for _ in range(2))
    assert one.keys() == two.keys()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_it_leaves_the_random_state_and_the_threads_as_they_were(games: GameTable) -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    train_lstm(halves(games), np.zeros(len(games)), TRAINING, device="cpu")
    assert (torch.random.get_rng_state() == state).all()
    assert torch.get_num_threads() == threads


def test_progress_is_told_once_per_epoch(games: GameTable) -> None:
    told: list[str] = []
    train_lstm(halves(games), np.zeros(len(games)), TRAINING, device="cpu", progress=told.append)
    assert len(told) == 3


def test_it_learns_a_drift_that_is_there() -> None:
    # Every game drifts by its expected margin over the half; persistence at 18 misses a quarter.
    random = np.random.default_rng(3)
    expected = random.normal(0, 8, 1500)
    drift = expected[:, None] * np.arange(1, 25) / 24
    games = drift + random.normal(0, 0.5, (1500, 24))
    training = LstmTraining(epochs=12, batch=64, learning_rate=1e-2, threads=1)
    tensors = train_lstm(games, expected, training, device="cpu")
    forecast = load_lstm(tensors, {"hidden": 32}, "cpu").forecast(games[:, :18], expected)
    persistence = np.abs(games[:, 23] - games[:, 17]).mean()
    assert np.abs(games[:, 23] - forecast).mean() < 0.6 * persistence
