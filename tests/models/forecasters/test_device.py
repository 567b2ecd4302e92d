import ctypes
import sys

import pytest
import torch

from models.errors import ForecastError
from models.forecasters import device as device_module
from models.forecasters.device import resolve_device


class Driver:
    """NVIDIA's driver, as far as it is asked; each call answers with an error number."""

    def __init__(self, devices: int, error: int = 0) -> None:
        self.devices, self.error = devices, error

    def cuInit(self, _: int) -> int:  # noqa: N802 - NVIDIA's name
        return self.error

    def cuDeviceGetCount(self, count: object) -> int:  # noqa: N802 - NVIDIA's name
        count._obj.value = self.devices  # type: ignore[attr-defined]
        return 0


@pytest.fixture
def has_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(1))


def test_auto_takes_what_there_is() -> None:
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("driver", [Driver(0), Driver(1, error=100)])
def test_a_driver_without_a_device_spares_the_import_of_torch(
    monkeypatch: pytest.MonkeyPatch, driver: Driver
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver)
    monkeypatch.setitem(sys.modules, "torch", None)  # its import would fail
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize("has_cuda", [True, False])
@pytest.mark.usefixtures("has_driver")
def test_with_a_device_torch_has_the_word(
    monkeypatch: pytest.MonkeyPatch, *, has_cuda: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert resolve_device("auto") == ("cuda" if has_cuda else "cpu")
    if has_cuda:
        assert resolve_device("cuda") == "cuda"
    else:
        with pytest.raises(ForecastError, match="install a CUDA build of it; 'auto' and 'cpu'"):
            resolve_device("cuda")


def test_cuda_without_a_driver_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "DRIVER", "libnone.so.1")
    assert resolve_device("auto") == "cpu"
    with pytest.raises(
        ForecastError, match="expected a CUDA device for 'cuda', but NVIDIA's driver"
    ):
        resolve_device("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ForecastError, match="auto, cpu or cuda; got 'gpu'"):
        resolve_device("gpu")  # type: ignore[arg-type]
