"""Fields: images of a few megapixels that are decoded whole (plain TIFF, JPEG, PNG)."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.errors import UnreadableImageError, UnsuitableImageError
from her2path.io.damage import decoding
from her2path.io.slides.openslide import on_white
from her2path.io.slides.tiff_structure import DAMAGED

MAX_FIELD_PIXELS = 200_000_000
"""Largest image that is decoded whole (0.6 GB as RGB, 1.4 GB while transparency is composed, below the
1.5 GB that a step may take); a larger one must be a tiled pyramid."""

_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset(range(0xD0, 0xDA)) | {0x01}


class ArrayLevels:
    """One level over an array in memory."""

    def __init__(self, rgb: npt.NDArray[np.uint8]) -> None:
        self._rgb = rgb
        self.sizes: tuple[tuple[int, int], ...] = ((rgb.shape[1], rgb.shape[0]),)

    def read(self, level: int, *, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Copy a box that lies wholly within the image."""
        if level != 0:
            raise ValueError(f"a field has no level {level}")
        return self._rgb[row : row + shape[0], col : col + shape[1]].copy()

    def close(self) -> None:
        """Do nothing: no file is held open."""


def read_jpeg(path: Path, *, name: str) -> npt.NDArray[np.uint8]:
    """Decode a JPEG file as RGB; its orientation tag is ignored, as QuPath does.

    Raises
    ------
    UnreadableImageError
        The file is damaged or truncated (its end marker is missing).
    UnsuitableImageError
        It is not 8-bit colour or too large.
    """
    with decoding(name, "the file cannot be read"):
        data = path.read_bytes()
    header = _jpeg_header(data)
    if header is None or data.rfind(b"\xff\xd9") < header.offset:
        raise UnreadableImageError(name, "its JPEG data end early: the file is truncated")
    check_size(header.width, header.height, name=name)
    if header.bits != 8 or header.components != 3:
        detail = f"a JPEG of {header.components} component(s) with {header.bits} bits is not 8-bit colour"
        raise UnsuitableImageError(name, detail)
    with decoding(name, "its JPEG data are damaged"):
        return np.asarray(imagecodecs.jpeg8_decode(data), dtype=np.uint8)


def read_png(path: Path, *, name: str) -> npt.NDArray[np.uint8]:
    """Decode a PNG file as RGB on white.

    Raises
    ------
    UnreadableImageError
        The file is damaged or truncated.
    UnsuitableImageError
        It is not 8-bit colour or too large.
    """
    with decoding(name, "the file cannot be read"):
        data = path.read_bytes()
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise UnreadableImageError(name, "its PNG header is damaged")
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    check_size(width, height, name=name)
    if bits > 8 or colour not in (2, 3, 6):  # PNG colour types: 2 RGB, 3 palette, 6 RGB with alpha
        raise UnsuitableImageError(name, "its pixels are not 8-bit colour; give the scanner's RGB image")
    with decoding(name, "its PNG data are damaged or end early"):
        pixels = np.asarray(imagecodecs.png_decode(data), dtype=np.uint8)
    return on_white(pixels) if pixels.shape[2] == 4 else pixels


def read_tiff_page(page: tifffile.TiffPage, *, name: str) -> npt.NDArray[np.uint8]:
    """Decode the first page of a TIFF that is no pyramid as RGB on white.

    Raises
    ------
    UnreadableImageError
        A strip cannot be decoded.
    UnsuitableImageError
        The image is too large to be decoded whole.
    """
    check_size(page.imagewidth, page.imagelength, name=name)
    with decoding(name, DAMAGED):
        pixels = np.asarray(page.asarray(), dtype=np.uint8)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise UnreadableImageError(name, f"its first page decodes to an array of shape {pixels.shape}")
    return on_white(np.ascontiguousarray(pixels)) if pixels.shape[2] == 4 else np.ascontiguousarray(pixels)


def check_size(width: int, height: int, *, name: str) -> None:
    """Refuse an image that would not fit in memory.

    Raises
    ------
    UnsuitableImageError
        It has more than `MAX_FIELD_PIXELS` pixels.
    """
    if width * height > MAX_FIELD_PIXELS:
        detail = f"{width} x {height} pixels are too many for a file without tiles"
        raise UnsuitableImageError(name, f"{detail}; export it as a tiled pyramidal TIFF", code="too_large")


class _JpegHeader:
    """Geometry of a JPEG and where its frame header stands."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.offset = offset
        self.bits, self.height, self.width, self.components = struct.unpack(
            ">BHHB", data[offset + 4 : offset + 10]
        )


def _jpeg_header(data: bytes) -> _JpegHeader | None:
    """Find the frame header of a JPEG; None if the file ends before it."""
    at = 2
    while at + 10 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            return None
        if marker in _SOF_MARKERS:
            return _JpegHeader(data, at)
        at += 2 if marker in _BARE_MARKERS else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
