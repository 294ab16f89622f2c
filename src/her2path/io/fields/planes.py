"""Readers of single fluorescence files: planes by channel and focus, in windows, unprojected.

They report what a file states (axes, names, wavelengths, pixel size) and interpret nothing.
A file that is cut short is refused when it is opened, not when the missing part is reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import openslide
from PIL import Image

from her2path.errors import UnsuitableImageError
from her2path.io.damage import decoding
from her2path.io.fields.channels import ChannelHint
from her2path.io.fields.metadata import hamamatsu_hint, square_pixel
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.float32]

_FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


class PlaneReader(Protocol):
    """One file: `samples` colours of `channels` x `z_planes` planes."""

    vendor: str
    size_px0: tuple[int, int]
    channels: int
    z_planes: int
    loose: int
    """Pages whose meaning the file does not state (1 = none)."""
    samples: int
    dtype: str
    full_scale: float
    pixel_size: PixelSize | None
    hints: tuple[ChannelHint, ...]
    """One per channel; empty if the file names none."""
    lossy: bool
    """Compressed so that the colours of small things run into each other (JPEG)."""

    def read(self, channel: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:
        """Read a window, shape (height, width, samples); with loose pages `channel` counts these."""

    def close(self) -> None:
        """Release the file."""


class OpenSlidePlanes:
    """A whole-slide file through OpenSlide: RGB of which one colour may carry the signal."""

    channels = z_planes = loose = 1
    samples = 3
    lossy = True  # scanners write JPEG tiles
    dtype = "uint8"
    full_scale = 255.0

    def __init__(self, path: Path, *, name: str) -> None:
        self._name = name
        with decoding(name, "OpenSlide cannot open it"):
            self._slide = openslide.OpenSlide(str(path))
            properties = dict(self._slide.properties)
            self.size_px0: tuple[int, int] = self._slide.dimensions
        self.vendor: str = properties.get("openslide.vendor", "openslide")
        self.pixel_size = _vendor_pixel_size(properties)
        hint = hamamatsu_hint(properties)
        self.hints: tuple[ChannelHint, ...] = (hint,) if hint else ()

    def read(self, channel: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:  # noqa: ARG002  (one plane)
        """Read a window as RGB; parts that were not scanned are black."""
        with decoding(self._name, "its pixels cannot be decoded"):
            rgba = np.asarray(self._slide.read_region((box.col, box.row), 0, (box.width, box.height)))
        return np.where(rgba[..., 3:] > 0, rgba[..., :3], 0).astype(np.uint8)

    def close(self) -> None:
        """Release the file."""
        self._slide.close()


class PicturePlanes:
    """A PNG or JPEG capture; it states no pixel size that could be trusted."""

    channels = z_planes = loose = 1
    pixel_size: PixelSize | None = None
    hints: tuple[ChannelHint, ...] = ()

    def __init__(self, path: Path, *, name: str) -> None:
        with decoding(name, "it is damaged or of no known image format"), Image.open(path) as picture:
            self.vendor = (picture.format or "picture").lower()
            self.lossy = self.vendor not in ("png", "bmp")
            if picture.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
                detail = f"its colours are coded as {picture.mode}; export it as RGB or grey levels"
                raise UnsuitableImageError(name, detail, code="pixel_type")
            pixels = np.asarray(picture.convert("RGB") if picture.mode in ("P", "RGBA") else picture)
        if pixels.ndim == 2:
            pixels = pixels[..., np.newaxis]
        self._pixels = pixels
        self.dtype = str(pixels.dtype)
        self.full_scale = full_scale_of(self.dtype, name=name)
        self.size_px0 = (int(pixels.shape[1]), int(pixels.shape[0]))
        self.samples = int(pixels.shape[2])

    def read(self, channel: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:  # noqa: ARG002  (one plane)
        """Cut a window out of the decoded picture."""
        return self._pixels[box.row : box.row + box.height, box.col : box.col + box.width]

    def close(self) -> None:
        """Nothing is held open."""


def full_scale_of(dtype: str, *, name: str) -> float:
    """Largest value of a pixel type; other types than 8 or 16 bit and float32 are refused."""
    try:
        return _FULL_SCALE[dtype]
    except KeyError:
        raise UnsuitableImageError(
            name, f"pixels of type {dtype} are not supported; export as 8 or 16 bit", code="pixel_type"
        ) from None


def _vendor_pixel_size(properties: dict[str, str]) -> PixelSize | None:
    try:
        x, y = (float(properties[f"openslide.mpp-{axis}"]) for axis in "xy")
    except (KeyError, ValueError):
        return None
    return square_pixel(x, y, origin="vendor")
