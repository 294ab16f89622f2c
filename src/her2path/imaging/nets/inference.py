"""Maps of a tile by a network, on the slide's grid, the same wherever the tile was cut.

The network's edges are laid on multiples of its grid on the *slide*, and what its window cannot
fully see is never used.  OpenVINO computes every pixel by the same sums whatever the size of the
image (a test cuts one image in several ways); the rounding is a second lock on that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.errors import ModelError
from her2path.imaging.nets.registry import CELL_RADII, NUCLEUS_RADII, Architecture, check_weights
from her2path.imaging.stain import StainAmounts

Floats = npt.NDArray[np.float32]
Device = Literal["auto", "cpu", "cuda"]
Run = Callable[[Floats], tuple[Floats, Floats]]

INPUT_GAIN = (2.0, 1.5, 4.0)
"""Brings hematoxylin, DAB and residual to about unit range."""
_INPUT_LOW, _INPUT_HIGH = -1.0, 4.0
_ROUNDED = 1024.0


def network_input(stains: StainAmounts) -> Floats:
    """Scale amounts to what the networks take, shape (3, M, N)."""
    if stains.residual is None:
        raise ValueError("a network needs the residual; separate with it")
    planes = (stains.hematoxylin, stains.dab, stains.residual)
    scaled = np.empty((len(planes), *stains.dab.shape), np.float32)
    for plane, gain, into in zip(planes, INPUT_GAIN, scaled, strict=True):
        np.multiply(plane, np.float32(gain), out=into)
    return np.clip(scaled, _INPUT_LOW, _INPUT_HIGH, out=scaled)


@dataclass(frozen=True, slots=True)
class Maps:
    """Answers of a network for one tile; pixel (0, 0) of each begins at `top`, `left` of the tile."""

    nucleus: Floats
    """Depth within a nucleus, 0 to 1, at two pixels; shape (m, n)."""
    expressed: Floats
    """Probability that the cell there stains the nearest piece of its contour, and the square root of how
    strongly (OD x µm), at two pixels; shape (m, n, 2)."""
    tumour: Floats
    """Probability of a tumour cell, at four pixels; shape (m/2, n/2)."""
    radii_um: Floats
    """Outline of the nucleus at each place, at four pixels; shape (ANGLES, m/2, n/2), not yet rounded: few
    places are asked for."""
    cell_radii_um: Floats
    """The same of the cell."""
    top: int
    left: int
    """Pixels of the tile before the first one on the network's grid."""


class Predictor:
    """A network ready to run; called from several threads at once.

    Parameters
    ----------
    architecture : Architecture
    weights : mapping of str to ndarray of float32
    device : str
        ``cpu`` (OpenVINO), ``cuda`` (torch), or ``auto``: CUDA where torch sees a device.
    threads : int
        Threads that share the work of a call on the CPU.  Calls take turns, so that the memory of one is
        held; meanwhile other workers read and measure.

    Raises
    ------
    ModelError
        The weights do not fit the architecture, or there is no such device.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: Mapping[str, Floats],
        *,
        model_id: str,
        device: Device = "cpu",
        threads: int = 1,
    ) -> None:
        check_weights(architecture, weights, model_id=model_id)
        self.architecture = architecture
        self._run = _cuda(architecture, weights, model_id, device) or _openvino(
            architecture, weights, threads
        )

    def __call__(self, stains: StainAmounts, *, origin: tuple[int, int]) -> Maps:
        """Compute the maps of a tile whose first pixel has the row and column `origin` on the slide."""
        grid = self.architecture.grid_px
        top, left = -origin[0] % grid, -origin[1] % grid
        height, width = (
            (edge - first) // grid * grid for edge, first in zip(stains.dab.shape, (top, left), strict=True)
        )
        cut = np.s_[top : top + height, left : left + width]
        image = network_input(
            StainAmounts(
                stains.hematoxylin[cut],
                stains.dab[cut],
                None if stains.residual is None else stains.residual[cut],
            )
        )
        fine, coarse = self._run(image[None])
        return Maps(
            nucleus=rounded(_sigmoid(fine[0, 0])),
            expressed=np.stack([rounded(_sigmoid(fine[0, 1])), rounded(fine[0, 2])], axis=-1),
            tumour=rounded(_sigmoid(coarse[0, 0])),
            radii_um=coarse[0, NUCLEUS_RADII],
            cell_radii_um=coarse[0, CELL_RADII],
            top=top,
            left=left,
        )


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def rounded(values: Floats) -> Floats:
    """Round answers to 1024ths: the second lock on their independence of the tile."""
    found = values * np.float32(_ROUNDED)
    np.rint(found, out=found)
    found /= np.float32(_ROUNDED)
    return found


def _openvino(architecture: Architecture, weights: Mapping[str, Floats], threads: int) -> Run:
    # OpenVINO takes a third of a second to load, which the classical method need not wait for.
    import openvino as ov  # noqa: PLC0415

    from her2path.imaging.nets import graph  # noqa: PLC0415

    compiled = ov.Core().compile_model(
        graph.build(architecture, weights),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads},
    )
    own = threading.local()

    def run(image: Floats) -> tuple[Floats, Floats]:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        # The request keeps its memory for the next image, so what it found is copied, once.
        found = own.request.infer([image], share_inputs=True, share_outputs=True)
        return np.array(found[0]), np.array(found[1])

    return run


def _cuda(
    architecture: Architecture, weights: Mapping[str, Floats], model_id: str, device: Device
) -> Run | None:
    if device == "cpu":
        return None
    # torch takes seconds to load, which a measurement on the CPU need not wait for.
    import torch  # noqa: PLC0415

    from her2path.imaging.nets.architectures import plain_network  # noqa: PLC0415

    if not torch.cuda.is_available():
        if device == "cuda":
            raise ModelError(model_id, "no CUDA device is seen; set `device: cpu` or mend the driver")
        return None
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    network = plain_network(architecture, weights).to("cuda")

    def run(image: Floats) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            fine, coarse = network(torch.from_numpy(image).to("cuda"))
        return fine.cpu().numpy(), coarse.cpu().numpy()

    return run
