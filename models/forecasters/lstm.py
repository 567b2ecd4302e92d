"""LSTM: one recurrent network that forecasts from any prefix of a game, to both horizons.

It has 16 units. On a CPU numpy runs it, for torch costs a process 2 CPU-seconds and 200 MB before
its first forecast; torch trains it, and runs it on a GPU (`lstm_torch`).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.errors import BundleError
from models.forecasters.device import Device, resolve_device
from models.forecasters.drift import Drift
from models.game.game_state import States, states_at
from models.game.games import GameTable
from models.game.horizon import END_MINUTE, HORIZONS, REGULATION_MINUTES
from models.game.pattern import FloatArray

logger = logging.getLogger(__name__)

Tensors = Mapping[str, npt.NDArray[np.generic]]

# Matrix products of different batch sizes and libraries differ in the last bits of a float64;
# rounding to this many decimals of a point makes one pattern's forecast the same in all of them.
DECIMALS = 6

BLOCK = 1024  # paths that are held in memory at a time

MARGIN_POINTS, INCREMENT_POINTS, EXPECTED_POINTS = 10.0, 3.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmSettings:
    """The shape of the network."""

    hidden: int = 16


class Network(Protocol):
    """A trained network, wherever it runs."""

    def __call__(self, paths: FloatArray, expected: FloatArray) -> FloatArray:
        """Departures (n, m, 2) in points after each minute of paths (n, m)."""
        ...


class NumpyNetwork:
    """The network of `lstm_torch.LstmNetwork`, in float64 on the CPU.

    A step of the recurrence (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
    2000; gates in torch's order: input, forget, cell, output) is one product and two tanh, for the
    logistic function is 0.5 + 0.5 · tanh(x / 2).
    """

    def __init__(self, tensors: Tensors, settings: LstmSettings) -> None:
        units = settings.hidden
        # x / 2 where the gate is a logistic one; then share + share · tanh.
        half = np.repeat([0.5, 0.5, 1.0, 0.5], units)
        taken = {name: np.asarray(array, dtype=np.float64) for name, array in tensors.items()}
        self._seen = taken["recurrent.weight_ih_l0"].T * half
        self._kept = taken["recurrent.weight_hh_l0"].T * half
        self._bias = (taken["recurrent.bias_ih_l0"] + taken["recurrent.bias_hh_l0"]) * half
        self._head, self._head_bias = taken["head.weight"].T, taken["head.bias"]
        self._units = units

    def __call__(self, paths: FloatArray, expected: FloatArray) -> FloatArray:
        """Departures (n, m, 2) in points after each minute of paths (n, m)."""
        minutes = np.arange(paths.shape[1], dtype=np.float64)
        ends = np.array([END_MINUTE[horizon] for horizon in HORIZONS], dtype=np.float64)
        left = np.sqrt(np.maximum(ends[None, :] - minutes[:, None], 0.0))
        departures: FloatArray = (
            self._states(_features(paths, expected)) @ self._head + self._head_bias
        ) * left
        return departures

    def _states(self, features: FloatArray) -> FloatArray:
        """The recurrent state (n, m, units) after each minute of features (n, m, 4)."""
        rows, minutes, _ = features.shape
        units = self._units
        seen = features @ self._seen + self._bias
        states = np.empty((rows, minutes, units))
        state, cell = np.zeros((rows, units)), np.zeros((rows, units))
        for minute in range(minutes):
            gates = np.tanh(seen[:, minute] + state @ self._kept)
            taken, kept, told = (
                0.5 + 0.5 * gates[:, place * units : (place + 1) * units] for place in (0, 1, 3)
            )
            cell = kept * cell + taken * gates[:, 2 * units : 3 * units]
            state = told * np.tanh(cell)
            states[:, minute] = state
        return states


def _features(paths: FloatArray, expected: FloatArray) -> FloatArray:
    """What the network sees (n, m, 4): margin, last step, expected margin, share still to come."""
    minutes = np.arange(paths.shape[1], dtype=np.float64)
    features = np.empty((*paths.shape, 4))
    features[..., 0] = paths / MARGIN_POINTS
    features[..., 1] = np.diff(paths, axis=1, prepend=0.0) / INCREMENT_POINTS
    features[..., 2] = expected[:, None] / EXPECTED_POINTS
    features[..., 3] = 1.0 - minutes / REGULATION_MINUTES
    return features


class Lstm:
    """A trained network on its drift, ready to forecast."""

    def __init__(self, network: Network, drift: Drift) -> None:
        self._network = network
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
            departures[rows] = self._network(paths[rows], expected[rows])
        return departures.round(DECIMALS)


def load_lstm(
    tensors: Tensors, settings: Mapping[str, int], drift: Drift, device: Device = "auto"
) -> Lstm:
    """A network from its tensors by name; raises BundleError where they do not fit its shape."""
    shape = LstmSettings(**settings)
    expected = _shapes(shape)
    found = {name: array.shape for name, array in tensors.items()}
    if found != expected:
        raise BundleError(f"LSTM tensors: expected {expected} of {settings}; got {found}")
    if resolve_device(device) == "cuda":
        from models.forecasters.lstm_torch import TorchNetwork  # noqa: PLC0415 - imports torch

        try:
            return Lstm(TorchNetwork(tensors, shape, "cuda"), drift)
        except RuntimeError:  # no memory left on it, for example
            if device == "cuda":
                raise
            logger.exception("the LSTM does not run on the GPU; it runs on the CPU")
    return Lstm(NumpyNetwork(tensors, shape), drift)


def _shapes(settings: LstmSettings) -> dict[str, tuple[int, ...]]:
    """The tensors of a network by name, as torch calls them."""
    units, gates = settings.hidden, 4 * settings.hidden
    return {
        "recurrent.weight_ih_l0": (gates, 4),
        "recurrent.weight_hh_l0": (gates, units),
        "recurrent.bias_ih_l0": (gates,),
        "recurrent.bias_hh_l0": (gates,),
        "head.weight": (len(HORIZONS), units),
        "head.bias": (len(HORIZONS),),
    }
