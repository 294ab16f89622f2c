"""What a fine-tuning runs on: asked for by an operator, settled by what is there."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Literal

import torch

from her2path.errors import ConfigError
from her2path.imaging.nets.inference import Device
from her2path.training.record import processor

log = logging.getLogger(__name__)
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """A device that is there."""

    device: Literal["cpu", "cuda"]
    processes: int
    """GPUs, or processes on the CPU."""
    precision: Precision
    workers: int
    """Processes that make lessons for each of them; 0 = none beside it.  They change no result."""

    @property
    def name(self) -> str:
        """What decides the last bits of a sum: the GPU, or the instructions of the processor."""
        return torch.cuda.get_device_name() if self.device == "cuda" else processor()


def settle(device: Device, devices: int | None, *, workers: int) -> Hardware:
    """Settle on a device.

    Parameters
    ----------
    device : str
        `cpu`, `cuda`, or `auto`: GPUs where there are any.
    devices : int or None
        GPUs, or processes on the CPU; None = all GPUs, or one process.
    workers : int
        See `Hardware`.

    Raises
    ------
    ConfigError
        The device is not there, or there are fewer of them.
    """
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cuda" and not seen:
        raise ConfigError(
            (
                "device: no CUDA device is seen; give `--device cpu`, or mend the driver (`nvidia-smi` "
                "should list the GPU) or the installation of torch (it may be one for the CPU only)",
            )
        )
    if device == "cpu" or not seen:
        # Elsewhere than in tiles, half precision would be slower on a processor.
        if devices is not None and devices > 1 and is_first_process():
            log.warning(
                "no GPU is used: `devices` means %d processes on this processor, which learn %d times as "
                "many patches in each step; leave it out for one",
                devices,
                devices,
            )
        fast = torch.cpu._is_amx_tile_supported()
        return Hardware("cpu", devices or 1, "bf16-mixed" if fast else "32-true", workers)
    if devices is not None and devices > seen:
        raise ConfigError((f"devices: {devices} GPUs are asked for and {seen} seen; give {seen} or fewer",))
    half: Precision = "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return Hardware("cuda", devices or seen, half, workers)


def is_first_process() -> bool:
    """Tell whether this process writes files: of several GPUs' processes one does."""
    # Lightning starts the others with their number in the environment.
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"
