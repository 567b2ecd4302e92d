"""LSTM: one recurrent network that forecasts the halftime margin from any first-half prefix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.errors import BundleError, ForecastError
from models.pattern import (
    HALF_MINUTES,
    FloatArray,
    PatternLike,
    as_expected_margins,
    as_patterns,
)

Device = Literal["auto", "cpu", "cuda"]

# Matrix products of different batch sizes differ in the last bits of a float64; rounding to this
# many decimals of a point makes one pattern's forecast the same in every batch and process.
DECIMALS = 6

MARGIN_POINTS, INCREMENT_POINTS, EXPECTED_POINTS = 10.0, 3.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmSettings:
    """The shape of the network."""

    hidden: int = 32


class LstmNetwork(nn.Module):
    """Halftime margins (n, m) as forecast at the end of each of the m minutes seen.

    The forecast is the present margin plus, times the share of the half that is left, a straight
    line through the expected margin plus what the recurrent state adds. So it equals the margin
    itself at halftime, and an untrained network is persistence.
    """

    def __init__(self, settings: LstmSettings) -> None:
        super().__init__()
        self.settings = settings
        self.recurrent = nn.LSTM(4, settings.hidden, batch_first=True)
        self.head = nn.Linear(settings.hidden, 1)
        self.expected_share = nn.Parameter(torch.tensor(0.5))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, patterns: Tensor, expected: Tensor) -> Tensor:
        """Forecasts (n, m) from margins (n, m) and expected margins (n,), all in points."""
        minutes = torch.arange(1, patterns.shape[1] + 1, device=patterns.device)
        left = 1.0 - minutes.to(patterns.dtype) / HALF_MINUTES
        steps = torch.diff(patterns, dim=1, prepend=torch.zeros_like(patterns[:, :1]))
        before = expected[:, None].expand_as(patterns)
        features = torch.stack(
            (
                patterns / MARGIN_POINTS,
                steps / INCREMENT_POINTS,
                before / EXPECTED_POINTS,
                left.expand_as(patterns),
            ),
            dim=2,
        )
        states, _ = self.recurrent(features)
        added = self.expected_share * before + MARGIN_POINTS * self.head(states).squeeze(2)
        forecasts: Tensor = patterns + left * added
        return forecasts


class Lstm:
    """A trained network, ready to forecast."""

    def __init__(self, network: LstmNetwork, device: Device = "auto") -> None:
        self.device = resolve_device(device)
        self.network = network.to(self.device, torch.float64).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)

    def forecast(
        self, patterns: PatternLike, expected_margins: Sequence[float] | FloatArray
    ) -> FloatArray:
        """Halftime margins (n,) in points, the same to the bit alone and in any batch.

        Args:
            patterns: margins in points at the end of minutes 1..m, shape (n, m), m at most 24.
            expected_margins: pregame expected margins in points, shape (n,).

        Raises:
            PatternError: a shape or a value that no game has.
        """
        paths = as_patterns(patterns, minutes=None)
        expected = as_expected_margins(expected_margins, len(paths))
        if not len(paths):
            return np.zeros(0)
        with torch.inference_mode():
            forecast: Tensor = self.network(
                torch.tensor(paths, device=self.device), torch.tensor(expected, device=self.device)
            )
        last: FloatArray = forecast[:, -1].cpu().numpy()
        return np.round(last, DECIMALS)


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
    device: Device = "auto",
) -> Lstm:
    """A network from its tensors by name; raises BundleError where they do not fit its shape."""
    network = LstmNetwork(LstmSettings(**settings))
    try:
        network.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
    except RuntimeError as error:
        raise BundleError(f"LSTM tensors: expected those of {settings}; {error}") from error
    return Lstm(network, device)
