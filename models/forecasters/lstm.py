"""LSTM: one recurrent network that forecasts from any prefix of a game, to both horizons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.errors import BundleError, ForecastError
from models.forecasters.drift import Drift
from models.game.game_state import States, states_at
from models.game.games import GameTable
from models.game.horizon import END_MINUTE, HORIZONS, REGULATION_MINUTES
from models.game.pattern import FloatArray

Device = Literal["auto", "cpu", "cuda"]

# Matrix products of different batch sizes differ in the last bits of a float64; rounding to this
# many decimals of a point makes one pattern's forecast the same in every batch and process.
DECIMALS = 6

BLOCK = 4096  # paths that are held in memory at a time

MARGIN_POINTS, INCREMENT_POINTS, EXPECTED_POINTS = 10.0, 3.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmSettings:
    """The shape of the network."""

    hidden: int = 16


class LstmNetwork(nn.Module):
    """Departures (n, m, 2) from the drift, as forecast at each of m minutes from tip-off on.

    The recurrent state is scaled with the root of the minutes left to each horizon, as the spread
    of a random walk is: so a departure ends at 0, and an untrained network adds none.
    """

    def __init__(self, settings: LstmSettings) -> None:
        super().__init__()
        self.settings = settings
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


class Lstm:
    """A trained network on its drift, ready to forecast."""

    def __init__(self, network: LstmNetwork, drift: Drift, device: Device = "auto") -> None:
        self.device = resolve_device(device)
        self.network = network.to(self.device, torch.float64).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)
        self._drift = drift

    def increments(self, states: States) -> FloatArray:
        """Increments (n, 2) up to each of `HORIZONS` in points, drift included.

        The same to the bit alone and in any batch; 0 up to a horizon that is reached.
        """
        departures = self._departures(states.paths, states.expected)
        return self._drift.increments(states) + departures[:, -1]

    def over_courses(
        self, games: GameTable, expected: FloatArray
    ) -> Callable[[States], FloatArray]:
        """`increments` for the states of these games (n,) at any minute, in their order.

        The same to the bit, but the network reads every course once instead of anew each minute.
        """
        last = states_at(games, expected, REGULATION_MINUTES - 1)
        departures = self._departures(last.paths, last.expected)

        def increments(states: States) -> FloatArray:
            return self._drift.increments(states) + departures[:, states.minute]

        return increments

    def _departures(self, paths: FloatArray, expected: FloatArray) -> FloatArray:
        """The network's departures (n, m, 2) in points after each minute of paths (n, m)."""
        departures = np.zeros((*paths.shape, len(HORIZONS)))
        for start in range(0, len(paths), BLOCK):
            rows = slice(start, start + BLOCK)
            with torch.inference_mode():
                found: Tensor = self.network(
                    torch.tensor(paths[rows], device=self.device),
                    torch.tensor(expected[rows], device=self.device),
                )
            departures[rows] = found.cpu().numpy()
        return departures.round(DECIMALS)


def resolve_device(device: Device) -> torch.device:
    """The torch device: `auto` is cuda where there is one, else cpu.

    Raises ForecastError on `cuda` where there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ForecastError(f"device: expected auto, cpu or cuda; got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ForecastError(
            "device: expected a CUDA device for 'cuda', but torch finds none; "
            "use 'auto' or 'cpu', or install a CUDA build of torch"
        )
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def load_lstm(
    tensors: Mapping[str, npt.NDArray[np.generic]],
    settings: Mapping[str, int],
    drift: Drift,
    device: Device = "auto",
) -> Lstm:
    """A network from its tensors by name; raises BundleError where they do not fit its shape."""
    network = LstmNetwork(LstmSettings(**settings))
    try:
        network.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
    except RuntimeError as error:
        raise BundleError(f"LSTM tensors: expected those of {settings}; {error}") from error
    return Lstm(network, drift, device)
