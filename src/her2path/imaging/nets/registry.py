"""Networks by id: their layers, and how the layers are wired, said once for every runtime.

A network is written as calls of an `Ops`: torch trains it (`architectures`), OpenVINO runs it
(`graph`), and both build the same thing from the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from her2path.errors import ModelError
from her2path.imaging.ihc.rays import ANGLES

INPUTS = ("hematoxylin", "dab", "residual")
"""Channels of the input: amounts by the slide's own stain model, decadic OD."""
FINE_OUTPUTS = ("nucleus", "expressed", "amount")
"""Channels at two input pixels: how deep within a nucleus (0 edge, 1 centre); whether the nearest piece of
the cell's contour is stained by the cell itself; how strongly, as the square root of OD x µm."""
COARSE_OUTPUTS = (
    "tumour",
    *(f"nucleus_radius_{ray}" for ray in range(ANGLES)),
    *(f"cell_radius_{ray}" for ray in range(ANGLES)),
)
"""Channels at four input pixels: of a tumour cell; outlines of its nucleus and of itself along rays, µm."""
NUCLEUS_RADII, CELL_RADII = slice(1, 1 + ANGLES), slice(1 + ANGLES, 1 + 2 * ANGLES)
"""Places of the two outlines in `COARSE_OUTPUTS`."""

Image = TypeVar("Image")


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with its bias."""

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    activated: bool = True
    """Normalised in training and followed by a rectifier."""


class Ops(Protocol[Image]):
    """What a runtime offers to build a network from."""

    def conv(self, name: str, image: Image) -> Image:
        """Apply the layer of that name, with its rectifier if it has one."""
        ...

    def doubled(self, image: Image) -> Image:
        """Repeat every pixel twice in both directions."""
        ...

    def joined(self, one: Image, other: Image) -> Image:
        """Rectified sum."""
        ...


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network without weights."""

    id: str
    layers: Mapping[str, Layer]
    grid_px: int
    """Input edges are multiples of this, on the slide's grid, so that pooling falls alike everywhere."""
    reach_px: int
    """Farthest input pixel that can influence an output, plus one cell of the grid."""

    def wire(self, image: Image, ops: Ops[Image]) -> tuple[Image, Image]:
        """Build the network: channels of `FINE_OUTPUTS` and `COARSE_OUTPUTS` before any sigmoid.

        References
        ----------
        .. [1] Ronneberger et al., MICCAI 2015, p. 234 (U-Net).
        .. [2] Schmidt et al., MICCAI 2018, p. 265 (radii of star-convex outlines).
        """
        fine = ops.conv("fine", ops.conv("stem", image))
        middle = ops.conv("middle_2", ops.conv("middle_1", ops.conv("to_middle", fine)))
        deep = ops.conv("to_deep", middle)
        for name in self.layers:
            if name.startswith("deep_"):
                deep = ops.conv(name, deep)
        middle = ops.joined(middle, ops.doubled(ops.conv("from_deep", deep)))
        middle = ops.conv("middle_3", middle)
        fine = ops.joined(fine, ops.doubled(ops.conv("from_middle", middle)))
        fine = ops.conv("fine_2", fine)
        return ops.conv("fine_out", fine), ops.conv("coarse_out", ops.conv("coarse_1", middle))


def _layers(fine: int, middle: int, deep: int, dilations: tuple[int, ...]) -> Mapping[str, Layer]:
    layers = {
        "stem": Layer(len(INPUTS), fine, 4, stride=2, padding=1),
        "fine": Layer(fine, fine, 3, padding=1),
        "to_middle": Layer(fine, middle, 2, stride=2),
        "middle_1": Layer(middle, middle, 3, padding=1),
        "middle_2": Layer(middle, middle, 3, padding=1),
        "to_deep": Layer(middle, deep, 2, stride=2),
    }
    for number, dilation in enumerate(dilations, start=1):
        layers[f"deep_{number}"] = Layer(deep, deep, 3, padding=dilation, dilation=dilation)
    return MappingProxyType(
        layers
        | {
            "from_deep": Layer(deep, middle, 1, activated=False),
            "middle_3": Layer(middle, middle, 3, padding=1),
            "from_middle": Layer(middle, fine, 1, activated=False),
            "fine_2": Layer(fine, fine, 3, padding=1),
            "fine_out": Layer(fine, len(FINE_OUTPUTS), 1, activated=False),
            "coarse_1": Layer(middle, 2 * middle, 1),
            "coarse_out": Layer(2 * middle, len(COARSE_OUTPUTS), 1, activated=False),
        }
    )


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        found.id: found
        for found in (
            Architecture("star-unet-24-32-96", _layers(24, 32, 96, (1, 2, 2)), grid_px=8, reach_px=80),
        )
    }
)
"""Every network that weights may be for.  A change of wiring is a new id."""


def architecture(name: str, *, model_id: str) -> Architecture:
    """Return an architecture by id; ModelError for an unknown one."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(
            model_id,
            f"its architecture {name!r} is unknown to this version (known: {known}); update her2path",
        ) from None


def check_weights(
    found: Architecture, weights: Mapping[str, npt.NDArray[np.float32]], *, model_id: str
) -> None:
    """Demand the weight and bias of every layer in its shape; ModelError otherwise."""
    for name, layer in found.layers.items():
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        for key, wanted in ((f"{name}.weight", shape), (f"{name}.bias", (layer.outputs,))):
            if key not in weights or weights[key].shape != wanted or weights[key].dtype != np.float32:
                raise ModelError(
                    model_id, f"its weights are not those of {found.id} ({key}); install it again"
                )
