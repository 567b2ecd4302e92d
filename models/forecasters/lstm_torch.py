"""The network of the LSTM in torch: what is trained, and what a GPU runs."""

import numpy as np
import torch
from torch import Tensor, nn

from models.forecasters.lstm import (
    EXPECTED_POINTS,
    INCREMENT_POINTS,
    MARGIN_POINTS,
    LstmSettings,
    Tensors,
)
from models.game.horizon import END_MINUTE, HORIZONS, REGULATION_MINUTES
from models.game.pattern import FloatArray


class LstmNetwork(nn.Module):
    """Departures (n, m, 2) from the drift, as forecast at each of m minutes from tip-off on.

    The recurrent state is scaled with the root of the minutes left to each horizon, as the spread
    of a random walk is: so a departure ends at 0, and an untrained network adds none.
    """

    def __init__(self, settings: LstmSettings) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(4, settings.hidden, batch_first=True)
        self.head = nn.Linear(settings.hidden, len(HORIZONS))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, paths: Tensor, expected: Tensor) -> Tensor:
        """From margins (n, m) at minutes 0..m − 1 and expected margins (n,), all in points."""
        minutes = torch.arange(paths.shape[1], device=paths.device, dtype=paths.dtype)
        steps = torch.diff(paths, dim=1, prepend=torch.zeros_like(paths[:, :1]))
        features = torch.stack(
            (
                paths / MARGIN_POINTS,
                steps / INCREMENT_POINTS,
                expected[:, None].expand_as(paths) / EXPECTED_POINTS,
                (1.0 - minutes / REGULATION_MINUTES).expand_as(paths),
            ),
            dim=2,
        )
        states, _ = self.recurrent(features)
        ends = torch.tensor([END_MINUTE[horizon] for horizon in HORIZONS], device=paths.device)
        left = torch.clamp(ends[None, :] - minutes[:, None], min=0.0)
        departures: Tensor = self.head(states) * torch.sqrt(left)
        return departures


class TorchNetwork:
    """A trained network on a device of torch's, in float64; it has run once."""

    def __init__(self, tensors: Tensors, settings: LstmSettings, device: str) -> None:
        network = LstmNetwork(settings)
        network.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
        self._device = device
        self._network = network.to(device, torch.float64).eval()
        for parameter in self._network.parameters():
            parameter.requires_grad_(False)
        # A device that cannot compute shows it here, and the first game does not wait for it.
        self(np.zeros((1, 1)), np.zeros(1))

    def __call__(self, paths: FloatArray, expected: FloatArray) -> FloatArray:
        """Departures (n, m, 2) in points after each minute of paths (n, m)."""
        with torch.inference_mode():
            found: Tensor = self._network(
                torch.tensor(paths, device=self._device),
                torch.tensor(expected, device=self._device),
            )
        departures: FloatArray = found.cpu().numpy()
        return departures
