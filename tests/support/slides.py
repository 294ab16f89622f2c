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


def write_scn(
    path: Path, rgb: Rgb, *, corner: tuple[int, int], plane: tuple[int, int], mpp: float = 0.5
) -> Path:
    """Write a Leica SCN slide whose scanned part lies at `corner` (x, y) of a plane (width, height)."""
    nm = round(1000 * mpp)
    height, width = rgb.shape[:2]
    levels = [rgb, cv2.resize(rgb, (width // 4, height // 4), interpolation=cv2.INTER_AREA)]
    sizes = "".join(
        f'<dimension sizeX="{level.shape[1]}" sizeY="{level.shape[0]}" r="{r}" ifd="{r + 1}"/>'
        for r, level in enumerate(levels)
    )
    macro_size = '<dimension sizeX="64" sizeY="64" r="0" ifd="0"/>'
    text = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01" uuid="urn:0">'
        f'<collection name="c" uuid="urn:1" sizeX="{plane[0] * nm}" sizeY="{plane[1] * nm}">'
        + _scn_image((64, 64), macro_size, plane, (0, 0), nm)
        + _scn_image((width, height), sizes, (width, height), corner, nm)
        + "</collection></scn>"
    )
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        options: Any = {"photometric": "rgb", "tile": (64, 64), "metadata": None, "compression": "jpeg"}
        options["compressionargs"] = {"level": 95}
        tiff.write(np.full((64, 64, 3), 200, np.uint8), description=text, **options)
        for level in levels:
            tiff.write(level, **options)
    return path


def _scn_image(
    size: tuple[int, int], levels: str, view: tuple[int, int], corner: tuple[int, int], nm: int
) -> str:
    return (
        '<image name="i" uuid="urn:2"><creationDate>2020-01-01T00:00:00.00Z</creationDate>'
        f'<device model="m" version="v"/><pixels sizeX="{size[0]}" sizeY="{size[1]}">{levels}</pixels>'
        f'<view sizeX="{view[0] * nm}" sizeY="{view[1] * nm}" '
        f'offsetX="{corner[0] * nm}" offsetY="{corner[1] * nm}"/>'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
        "<illuminationSettings><numericalAperture>0.4</numericalAperture>"
        "<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>"
    )
