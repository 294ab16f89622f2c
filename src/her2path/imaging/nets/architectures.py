"""The networks of the registry as torch modules: for training, and for CUDA.

Nothing but `training` and the CUDA branch of `inference` imports this module: torch takes
seconds to load, and no measurement on a CPU needs it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from her2path.imaging.nets.registry import Architecture, Layer

Weights = Mapping[str, npt.NDArray[np.float32]]
_EPSILON = 1e-5


def _convolution(layer: Layer, *, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(
        layer.inputs,
        layer.outputs,
        layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        bias=bias,
    )


class Network(nn.Module):
    """A network of the registry; logits and radii, before any sigmoid.

    Parameters
    ----------
    architecture : Architecture
    normalised : bool
        With batch normalisation, as in training; without it the layers are those of `folded` weights.
    """

    def __init__(self, architecture: Architecture, *, normalised: bool) -> None:
        super().__init__()
        self.architecture = architecture
        self.normalised = normalised
        self.convolutions = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        for name, layer in architecture.layers.items():
            own_norm = normalised and layer.activated
            self.convolutions[name] = _convolution(layer, bias=not own_norm)
            if own_norm:
                self.norms[name] = nn.BatchNorm2d(layer.outputs, eps=_EPSILON)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fine and coarse outputs of (B, 3, M, N), both float32."""
        fine, coarse = self.architecture.wire(image, self)
        return fine.float(), coarse.float()

    def conv(self, name: str, image: torch.Tensor) -> torch.Tensor:
        """See `Ops`."""
        found: torch.Tensor = self.convolutions[name](image)
        if name in self.norms:
            found = self.norms[name](found)
        return torch.relu(found) if self.architecture.layers[name].activated else found

    def doubled(self, image: torch.Tensor) -> torch.Tensor:
        """See `Ops`."""
        return nn.functional.interpolate(image, scale_factor=2, mode="nearest")

    def joined(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """See `Ops`."""
        return torch.relu(one + other)

    def folded(self) -> dict[str, npt.NDArray[np.float32]]:
        """Weights and biases of plain convolutions that equal this network in evaluation."""
        state = {name: values.detach().cpu().double() for name, values in self.state_dict().items()}
        weights = {}
        for name in self.architecture.layers:
            weight = state[f"convolutions.{name}.weight"]
            if name in self.norms:
                mean, gain, shift, variance = (
                    state[f"norms.{name}.{part}"]
                    for part in ("running_mean", "weight", "bias", "running_var")
                )
                gain = gain / torch.sqrt(variance + _EPSILON)
                weight = weight * gain[:, None, None, None]
                bias = shift - mean * gain
            else:
                bias = state[f"convolutions.{name}.bias"]
            weights[f"{name}.weight"] = weight.float().contiguous().numpy()
            weights[f"{name}.bias"] = bias.float().contiguous().numpy()
        return weights


def plain_network(architecture: Architecture, weights: Weights) -> Network:
    """Build a network for inference from folded weights."""
    network = Network(architecture, normalised=False)
    state = {f"convolutions.{name}": torch.from_numpy(np.array(values)) for name, values in weights.items()}
    network.load_state_dict(state)
    return network.eval()
