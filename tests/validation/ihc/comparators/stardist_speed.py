"""Speed of StarDist's architecture (random weights) on the same pixels; what it finds is not looked at.

A U-Net of depth 3 with 32 filters, two convolutions a level, one pooling before (grid 2, 2), a
convolution of 128 features, then object probability and 32 distances: the published 2D model.
Tiles of 1024 pixels at 0.5 µm with 2 threads; the suppression of overlaps is not counted.

References
----------
.. [1] Schmidt et al., MICCAI 2018, p. 265; Weigert & Schmidt, ISBIC 2022.
"""

from __future__ import annotations

import time

import numpy as np

from tests.validation.measures import Measure

TILE_PX = 1024
WORKING_MPP = 0.5
RUNS = 5
THREADS = 2


def seconds_per_mm2() -> Measure:
    """Time the network alone; median of some runs after one to warm up."""
    # Imported here: nothing else of the validation needs torch.
    import torch  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    network = _network().eval().to(memory_format=torch.channels_last)
    tile = torch.rand(1, 3, TILE_PX, TILE_PX).to(memory_format=torch.channels_last)
    seconds = []
    with torch.inference_mode():
        for _ in range(RUNS + 1):
            started = time.perf_counter()
            network(tile)
            seconds.append(time.perf_counter() - started)
    area_mm2 = (TILE_PX * WORKING_MPP / 1000) ** 2
    return Measure(
        "speed, network alone (StarDist's architecture, random weights)",
        f"{RUNS} tiles of {TILE_PX} px",
        float(np.median(seconds[1:])) / area_mm2,
        "s per mm²",
    )


def _network():  # type: ignore[no-untyped-def]  # torch is not loaded where types are checked
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    def level(into: int, out: int) -> nn.Sequential:
        convolutions = (nn.Conv2d(into, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1))
        return nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1], nn.ReLU())

    class StarDist(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grid = level(3, 32)
            self.down = nn.ModuleList([level(32, 32), level(32, 64), level(64, 128)])
            self.middle = level(128, 256)
            self.up = nn.ModuleList([level(256 + 128, 128), level(128 + 64, 64), level(64 + 32, 32)])
            self.features = nn.Sequential(nn.Conv2d(32, 128, 3, padding=1), nn.ReLU())
            self.heads = nn.Conv2d(128, 33, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pool, grow = nn.functional.max_pool2d, nn.functional.interpolate
            x = pool(self.grid(x), 2)
            kept = []
            for block in self.down:
                kept.append(block(x))
                x = pool(kept[-1], 2)
            x = self.middle(x)
            for block, beside in zip(self.up, reversed(kept), strict=True):
                x = block(torch.cat([grow(x, scale_factor=2.0), beside], dim=1))
            return self.heads(self.features(x))

    return StarDist()
