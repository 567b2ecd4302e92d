"""Training the LSTM on whole games: every minute of every game is one lesson."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.forecasters.device import Device, resolve_device
from models.forecasters.drift import Drift
from models.forecasters.lstm import LstmSettings
from models.forecasters.lstm_torch import LstmNetwork
from models.game.game_state import states_at
from models.game.games import GameTable
from models.game.horizon import END_MINUTE, HORIZONS, REGULATION_MINUTES
from models.game.pattern import FloatArray

Progress = Callable[[str], None]

POINTS_PER_ROOT_MINUTE = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmTraining:
    """How the network learns. `threads` is fixed, for it decides the order of float32 sums."""

    epochs: int = 6
    batch: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 20240414
    threads: int = 1
    settings: LstmSettings = field(default_factory=LstmSettings)


def train_lstm(
    games: GameTable,
    expected: FloatArray,
    drift: Drift,
    training: LstmTraining | None = None,
    *,
    device: Device = "auto",
    progress: Progress = lambda _: None,
) -> dict[str, npt.NDArray[np.float32]]:
    """Tensors of a trained network by name; on one CPU the same input gives the same bytes.

    Args:
        games: past games.
        expected: their expected margins in points, shape (n,).
        drift: what the network's forecasts are added to.
        training: how to learn.
        device: where to learn.
        progress: called after each epoch with what to show.
    """
    training = training or LstmTraining()
    target = resolve_device(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(training.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            network = LstmNetwork(training.settings).to(target)
            lessons = [
                torch.tensor(array, dtype=torch.float32, device=target)
                for array in _lessons(games, expected, drift)
            ]
            _learn(network, lessons, training, progress)
    finally:
        torch.set_num_threads(threads)
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


def _lessons(
    games: GameTable, expected: FloatArray, drift: Drift
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Paths (n, 48) from tip-off, expected margins (n,), departures (n, 48, 2) to be forecast."""
    every = [states_at(games, expected, minute) for minute in range(REGULATION_MINUTES)]
    departures = np.stack([drift.departures(games, states) for states in every], axis=1)
    return every[-1].paths, expected, departures


def _learn(
    network: LstmNetwork, lessons: list[Tensor], training: LstmTraining, progress: Progress
) -> None:
    games = len(lessons[0])
    batches = -(-games // training.batch)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=training.learning_rate, total_steps=training.epochs * batches
    )
    for _ in range(training.epochs):
        total = 0.0
        order = torch.randperm(games).to(lessons[0].device)
        for rows in torch.split(order, training.batch):
            # Every game is also played the other way round: a mirrored game is as possible.
            sign = torch.where(torch.rand(len(rows)) < 0.5, -1.0, 1.0).to(rows.device)
            paths, before, departures = (lesson[rows] for lesson in lessons)
            forecasts = network(paths * sign[:, None], before * sign)
            loss = _loss(forecasts, departures * sign[:, None, None])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        progress(f"loss {total / games:.4f}")


def _loss(forecasts: Tensor, departures: Tensor) -> Tensor:
    """Mean squared error of (n, 48, 2) departures, each in units of its own spread.

    The margin moves like a random walk, so the spread grows with the root of the minutes left.
    NaN stands where the horizon is reached.
    """
    ends = torch.tensor([END_MINUTE[horizon] for horizon in HORIZONS], device=forecasts.device)
    minutes = torch.arange(forecasts.shape[1], device=forecasts.device)
    left = ends[None, :] - minutes[:, None]
    spread = POINTS_PER_ROOT_MINUTE * torch.clamp(left, min=1).sqrt()
    errors = (departures - forecasts) / spread
    return torch.mean(errors[:, left > 0] ** 2)
