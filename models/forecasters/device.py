"""Where the LSTM runs: on the CPU with numpy alone, or with torch on a GPU."""

import ctypes
from typing import Literal

from models.errors import ForecastError

Device = Literal["auto", "cpu", "cuda"]
Resolved = Literal["cpu", "cuda"]

DRIVER = "libcuda.so.1"


def resolve_device(device: Device) -> Resolved:
    """What `device` means here: `auto` is cuda where there is one, else cpu.

    Raises ForecastError on `cuda` where there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ForecastError(f"device: expected auto, cpu or cuda; got {device!r}")
    if device == "cpu":
        return "cpu"
    missing = _missing()
    if missing is None:
        return "cuda"
    if device == "cuda":
        raise ForecastError(
            f"device: expected a CUDA device for 'cuda', but {missing}; 'auto' and 'cpu' do without"
        )
    return "cpu"


def _missing() -> str | None:
    """What a GPU is not used for want of; None where nothing is missing."""
    if not _driver_has_a_device():
        return "NVIDIA's driver shows none to this process"
    if not _torch_has_cuda():
        return "torch finds none: install a CUDA build of it"
    return None


def _driver_has_a_device() -> bool:
    """Whether NVIDIA's driver shows this process a device; spares the rest the import of torch."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return False
    count = ctypes.c_int(0)
    error: int = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return error == 0 and count.value > 0


def _torch_has_cuda() -> bool:
    import torch  # noqa: PLC0415 - seconds and 200 MB, for those with a GPU

    return bool(torch.cuda.is_available())
