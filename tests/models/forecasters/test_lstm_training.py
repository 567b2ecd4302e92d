from dataclasses import replace

import numpy as np
import pytest
import torch

from models.forecasters.drift import Drift
from models.forecasters.library import Library
from models.forecasters.lstm import LstmSettings, load_lstm
from models.forecasters.lstm_training import LstmTraining, train_lstm
from models.game.game_state import increments, states_at
from models.game.games import GameTable
from tests.models.forecasters.test_drift import with_margins

TRAINING = LstmTraining(epochs=2, batch=64, threads=1, settings=LstmSettings(hidden=4))


def test_the_same_input_gives_the_same_tensors(library: Library, drift: Drift) -> None:
    games, expected = library.games, library.expected_margins
    one, two = (train_lstm(games, expected, drift, TRAINING, device="cpu") for _ in range(2))
    assert one.keys() == two.keys()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    assert all(np.isfinite(tensor).all() for tensor in one.values())
    other = train_lstm(games, expected, drift, replace(TRAINING, seed=1), device="cpu")
    assert any(one[name].tobytes() != other[name].tobytes() for name in one)


def test_it_leaves_the_random_state_and_the_threads_as_they_were(
    library: Library, drift: Drift
) -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    train_lstm(library.games, library.expected_margins, drift, TRAINING, device="cpu")
    assert (torch.random.get_rng_state() == state).all()
    assert torch.get_num_threads() == threads


def streaks(count: int, seed: int) -> GameTable:
    """Games in which a run goes on: the path tells what the present margin does not."""
    random = np.random.default_rng(seed)
    gains = random.normal(0, 1, (count, 48))
    for minute in range(1, 48):
        gains[:, minute] += 0.9 * gains[:, minute - 1]
    margins = np.round(gains.cumsum(axis=1))
    return with_margins(margins, np.zeros_like(margins), margins[:, -1])


def test_it_learns_what_the_path_tells_beyond_the_drift() -> None:
    past, unseen = streaks(600, 3), streaks(300, 4)
    expected = np.zeros(600)
    drift = Drift.fit(past, expected)
    told: list[str] = []
    training = LstmTraining(
        epochs=10, batch=64, learning_rate=2e-2, threads=1, settings=LstmSettings(hidden=8)
    )
    tensors = train_lstm(past, expected, drift, training, device="cpu", progress=told.append)
    losses = [float(line.removeprefix("loss ")) for line in told]
    assert len(losses) == 10
    assert losses[-1] < 0.9 * losses[0]

    states = states_at(unseen, np.zeros(300), 18)
    actual = increments(unseen, 18)
    lstm = load_lstm(tensors, {"hidden": 8}, drift, "cpu")
    by_lstm, by_drift = (
        np.mean((actual - model.increments(states)) ** 2, axis=0) for model in (lstm, drift)
    )
    assert by_lstm[0] < 0.75 * by_drift[0]
    assert by_lstm[1] < 0.95 * by_drift[1]


def test_games_without_departures_teach_nothing(library: Library) -> None:
    level = with_margins(np.zeros((200, 48)), np.zeros((200, 48)), np.zeros(200))
    expected = np.zeros(200)
    drift = Drift.fit(level, expected)
    tensors = train_lstm(level, expected, drift, TRAINING, device="cpu")
    states = states_at(level, expected, 18)
    assert load_lstm(tensors, {"hidden": 4}, drift, "cpu").increments(states) == pytest.approx(
        np.zeros((200, 2)), abs=1e-6
    )
