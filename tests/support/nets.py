"""Networks with random weights, for tests of everything but what they know."""

from __future__ import annotations

import numpy as np

from her2path.imaging.nets.registry import ARCHITECTURES

ARCHITECTURE_ID = "star-unet-24-32-96"


def random_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights whose answers differ from place to place."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, layer in ARCHITECTURES[ARCHITECTURE_ID].layers.items():
        fan = layer.inputs * layer.kernel**2
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        weights[f"{name}.weight"] = rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32)
        weights[f"{name}.bias"] = rng.normal(0, 0.1, layer.outputs).astype(np.float32)
    # Radii of a few µm, so that outlines are found and overlap.
    weights["coarse_out.weight"][1:] *= 0.2
    weights["coarse_out.bias"][1:] += 4
    return weights
