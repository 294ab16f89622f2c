"""The networks of the registry as OpenVINO graphs, built from weights without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as ops

from her2path.imaging.nets.registry import INPUTS, Architecture

Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Graph:
    """`Ops` that add nodes to a graph."""

    architecture: Architecture
    weights: Weights

    def conv(self, name: str, image: ov.Node) -> ov.Node:
        layer = self.architecture.layers[name]
        both = [layer.padding, layer.padding]
        found = ops.convolution(
            image,
            ops.constant(self.weights[f"{name}.weight"]),
            strides=[layer.stride, layer.stride],
            pads_begin=both,
            pads_end=both,
            dilations=[layer.dilation, layer.dilation],
        )
        bias = ops.constant(self.weights[f"{name}.bias"].reshape(1, -1, 1, 1))
        found = ops.add(found, bias)
        return ops.relu(found) if layer.activated else found

    def doubled(self, image: ov.Node) -> ov.Node:
        return ops.interpolate(
            image,
            ops.constant(np.array([2.0, 2.0], np.float32)),
            mode="nearest",
            shape_calculation_mode="scales",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
            axes=ops.constant(np.array([2, 3], np.int64)),
        )

    def joined(self, one: ov.Node, other: ov.Node) -> ov.Node:
        return ops.relu(ops.add(one, other))


def build(architecture: Architecture, weights: Weights) -> ov.Model:
    """Build the graph of a network for one image of any size.

    Parameters
    ----------
    architecture : Architecture
    weights : mapping of str to ndarray of float32
        ``<layer>.weight`` (outputs, inputs, k, k) and ``<layer>.bias`` of every layer.

    Returns
    -------
    openvino.Model
        Input (1, 3, M, N); outputs fine (1, 3, M/2, N/2) and coarse (1, 65, M/4, N/4), see
        `FINE_OUTPUTS` and `COARSE_OUTPUTS`; chances before their sigmoid.
    """
    image = ops.parameter(ov.PartialShape([1, len(INPUTS), -1, -1]), ov.Type.f32)
    fine, coarse = architecture.wire(image, _Graph(architecture, weights))
    return ov.Model([fine, coarse], [image], architecture.id)
