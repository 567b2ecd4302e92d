"""Training the LSTM on whole first halves: every minute of every game is one lesson."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.lstm import Device, LstmNetwork, LstmSettings, resolve_device
from models.pattern import HALF_MINUTES, FloatArray

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmTraining:
    """How the network learns. `threads` is fixed, for it decides the order of float32 sums."""

    epochs: int = 8
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    seed: int = 20240414
    threads: int = 2
    settings: LstmSettings = field(default_factory=LstmSettings)


def train_lstm(
    first_halves: FloatArray,
    expected: FloatArray,
    training: LstmTraining | None = None,
    *,
    device: Device = "auto",
    progress: Progress = lambda _: None,
) -> dict[str, npt.NDArray[np.float32]]:
    """Tensors of a trained network by name; on one CPU the same input gives the same bytes.

    Args:
        first_halves: margins in points at the end of minutes 1..24, shape (n, 24).
        expected: pregame expected margins in points, shape (n,).
        training: how to learn.
        device: where to learn.
        progress: called after each epoch with what to show.
    """
    training = training or LstmTraining()
    target_device = resolve_device(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(training.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            network = LstmNetwork(training.settings).to(target_device)
            margins = torch.tensor(first_halves, dtype=torch.float32, device=target_device)
            before = torch.tensor(expected, dtype=torch.float32, device=target_device)
            _learn(network, margins, before, training, progress)
    finally:
        torch.set_num_threads(threads)
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


def _learn(
    network: LstmNetwork,
    margins: Tensor,
    before: Tensor,
    training: LstmTraining,
    progress: Progress,
) -> None:
    games = len(margins)
    batches = -(-games // training.batch)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=training.learning_rate, total_steps=training.epochs * batches
    )
    for _ in range(training.epochs):
        total = 0.0
        order = torch.randperm(games).to(margins.device)
        for rows in torch.split(order, training.batch):
            # Every game is also played the other way round: a mirrored game is as possible.
            sign = torch.where(torch.rand(len(rows)) < 0.5, -1.0, 1.0).to(margins.device)
            loss = _loss(network, margins[rows] * sign[:, None], before[rows] * sign)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        progress(f"loss {total / games:.4f}")


def _loss(network: LstmNetwork, margins: Tensor, before: Tensor) -> Tensor:
    """Squared error of the forecasts at minutes 1..23, each in units of its own spread.

    The margin moves like a random walk, so the spread grows with the root of the minutes left.
    """
    forecasts = network(margins[:, :-1], before)
    left = torch.arange(HALF_MINUTES - 1, 0, -1, device=margins.device, dtype=margins.dtype)
    points_per_root_minute = 2.4
    errors = (margins[:, -1:] - forecasts) / (points_per_root_minute * left.sqrt())
    return torch.mean(errors**2)
