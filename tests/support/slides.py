"""Small slides for tests: textured images and the TIFF pyramids that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

Rgb = npt.NDArray[np.uint8]


def textured(height: int, width: int, *, seed: int = 1) -> Rgb:
    """Smooth coloured texture on a light ground, so that JPEG and resampling have something to do."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(190 + smooth / smooth.std() * 30, 0, 255).astype(np.uint8)


def write_pyramid(path: Path, rgb: Rgb, *, levels: int = 3, mpp: float | None = 0.25, **options: Any) -> Path:
    """Write a tiled pyramid, each level half the one before (rounded down), JPEG 4:2:0 by default."""
    options = {"compression": "jpeg", "photometric": "rgb", "tile": (256, 256), "metadata": None} | options
    with tifffile.TiffWriter(path) as tiff:
        for level in range(levels):
            resolution = (
                {} if mpp is None else {"resolution": (1e4 / mpp / 2**level,) * 2, "resolutionunit": 3}
            )
            tiff.write(rgb, subfiletype=1 if level else 0, **resolution, **options)
            rgb = cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return path
