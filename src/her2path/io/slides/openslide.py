"""Slides in every format that OpenSlide reads.

MIRAX, Leica and Ventana scanners place the scanned part within a larger empty plane and state its box.
Level 0 is that box alone here, as in QuPath: otherwise regions drawn there would lie elsewhere, and so
would cells that go there.

An `openslide.OpenSlide` latches its first error: every later call on it fails with the same one.
After an error the handle is therefore dropped, and the next read opens a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt
import openslide

from her2path.io.damage import decoding

_BLOCK = 512
"""Edge of the fixed blocks that a level is read in where OpenSlide cannot address single pixels."""


class OpenSlideLevels:
    """The levels of a slide through OpenSlide; never its label, macro image or free-text properties."""

    def __init__(self, path: Path, *, name: str) -> None:
        self._path = path
        self._name = name
        self._lock = Lock()
        self._handle: openslide.OpenSlide | None = None
        handle = self._opened()
        self._downsamples: tuple[float, ...] = tuple(handle.level_downsamples)
        self._left, self._top = 0, 0
        """Corner of the box on the plane, in its level-0 pixels."""
        self.sizes: tuple[tuple[int, int], ...] = tuple(handle.level_dimensions)
        if (box := _scanned_box(handle.properties)) is not None:
            self._left, self._top, width, height = box
            # Whole pixels of a level that lie within the box.
            self.sizes = tuple(
                (max(int(width / ds), 1), max(int(height / ds), 1)) for ds in self._downsamples
            )

    def read(self, level: int, *, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """RGB of a box that lies wholly within `level`, transparent pixels white.

        Raises
        ------
        UnreadableImageError
            OpenSlide cannot decode a part of it.
        """
        if float(self._downsamples[level]).is_integer():
            return self._region(level, row, col, shape)
        # OpenSlide takes the corner in level-0 pixels and interpolates where it falls between level
        # pixels.  Fixed blocks make that shift (a fraction of a pixel) independent of the box.
        width, height = self.sizes[level]
        out = np.empty((*shape, 3), dtype=np.uint8)
        for top in range(row // _BLOCK * _BLOCK, row + shape[0], _BLOCK):
            for left in range(col // _BLOCK * _BLOCK, col + shape[1], _BLOCK):
                block = self._region(level, top, left, (min(_BLOCK, height - top), min(_BLOCK, width - left)))
                r0, c0 = max(top, row), max(left, col)
                r1 = min(top + block.shape[0], row + shape[0])
                c1 = min(left + block.shape[1], col + shape[1])
                out[r0 - row : r1 - row, c0 - col : c1 - col] = block[
                    r0 - top : r1 - top, c0 - left : c1 - left
                ]
        return out

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = None

    def _opened(self) -> openslide.OpenSlide:
        with self._lock:
            if self._handle is None:
                with decoding(self._name, "OpenSlide cannot open it"):
                    self._handle = openslide.OpenSlide(self._path)
            return self._handle

    def _region(self, level: int, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        handle = self._opened()
        scale = self._downsamples[level]
        corner = (self._left + round(col * scale), self._top + round(row * scale))
        with decoding(self._name, f"level {level} at row {row}, column {col} cannot be decoded"):
            try:
                rgba = np.asarray(handle.read_region(corner, level, (shape[1], shape[0])))
            except openslide.OpenSlideError:
                with self._lock:
                    # Another thread may still be reading with it, so it is dropped, not closed.
                    if self._handle is handle:
                        self._handle = None
                raise
        return on_white(rgba)


def _scanned_box(properties: Mapping[str, str]) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of the scanned part; None where the slide does not state all of them."""
    names = ("bounds-x", "bounds-y", "bounds-width", "bounds-height")
    stated = [properties.get(f"openslide.{name}", "") for name in names]
    if not all(re.fullmatch(r"-?[0-9]{1,10}", text) for text in stated):
        return None
    left, top, width, height = map(int, stated)
    return (left, top, width, height) if width > 0 and height > 0 else None


def on_white(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Compose RGBA (not premultiplied), shape (M, N, 4), on a white background."""
    rgb = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), dtype=np.uint8)
    alpha = rgba[..., 3]
    if cv2.minMaxLoc(alpha)[0] == 255:
        return rgb
    for top in range(0, len(rgb), _BLOCK):  # in strips: the floats of a large field would not fit
        strip = slice(top, top + _BLOCK)
        share = alpha[strip, :, None].astype(np.float32) / 255
        rgb[strip] = np.rint(rgb[strip] * share + 255 * (1 - share))
    return rgb
