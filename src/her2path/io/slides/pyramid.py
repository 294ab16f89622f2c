"""A slide of any format as a pyramid of levels, read on the grid of working pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from her2path.io.slides.resampling import area_mean, source_span
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

_LEVEL_TOLERANCE = 1 + 1e-6
"""Downsamplings this close are the same number, computed in floats."""
_MAX_LEVEL_PIXELS = 2**24
"""Level pixels held at once (48 MiB); a larger box is read in parts."""
_PROBE = 256


class Levels(Protocol):
    """Decoded pixels of each level; level 0 is the finest.  Safe to read from several threads."""

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each level."""

    def read(self, level: int, *, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """RGB of a box that lies wholly within `level`, transparent pixels white."""

    def close(self) -> None:
        """Release the file."""


@dataclass(frozen=True, slots=True)
class StatedPixelSize:
    """What a file says of its pixel size: a usable value, or in words what was found instead."""

    value: PixelSize | None
    finding: str
    """For example ``the header states no pixel size``."""


class PyramidSlide:
    """A bright-field slide over any `Levels`; the `SlideSource` that `open_slide` returns."""

    def __init__(self, levels: Levels, *, vendor: str, stated: StatedPixelSize) -> None:
        self._levels = levels
        self._vendor = vendor
        self._stated = stated
        self._downsamples = tuple(_downsample(levels.sizes[0], size) for size in levels.sizes)

    @property
    def vendor(self) -> str:
        """Format family, for example ``aperio``."""
        return self._vendor

    @property
    def size_px0(self) -> tuple[int, int]:
        """Width and height of level 0."""
        return self._levels.sizes[0]

    @property
    def pixel_size(self) -> PixelSize | None:
        """What the file itself says of its pixel size; None if nothing usable."""
        return self._stated.value

    @property
    def pixel_size_finding(self) -> str:
        """What was found in the file where `pixel_size` is None, in words."""
        return self._stated.finding

    @property
    def level_downsamples(self) -> tuple[float, ...]:
        """Downsampling of each level against level 0, ascending, first 1."""
        return self._downsamples

    def read(self, box: WorkingBox, *, downsample: float) -> npt.NDArray[np.uint8]:
        """Read `box` as RGB, shape (height, width, 3); outside the image it is white.

        Raises
        ------
        ValueError
            The box is empty, or `downsample` is below 1: an image is never magnified.
        UnreadableImageError
            A part of the file cannot be decoded.
        """
        if downsample < 1 - 1e-9 or box.height < 1 or box.width < 1:
            raise ValueError(f"cannot read {box} at downsample {downsample}")
        downsample = max(downsample, 1.0)
        level = max(i for i, ds in enumerate(self._downsamples) if ds <= downsample * _LEVEL_TOLERANCE)
        ratio = max(downsample / self._downsamples[level], 1.0)
        out = np.empty((box.height, box.width, 3), dtype=np.uint8)
        for part in _parts(box, ratio):
            rows = source_span(part.row, part.height, ratio)
            cols = source_span(part.col, part.width, ratio)
            pixels = self._padded(
                level, rows.start, cols.start, (rows.stop - rows.start, cols.stop - cols.start)
            )
            top, left = part.row - box.row, part.col - box.col
            out[top : top + part.height, left : left + part.width] = area_mean(
                pixels, origin=(part.row, part.col), shape=(part.height, part.width), ratio=ratio
            )
        return out

    def probe(self) -> None:
        """Decode samples (the corners and centre of the finest and of the coarsest level).

        Raises
        ------
        UnreadableImageError
            One of them cannot be decoded: the file is damaged.
        """
        for level in sorted({0, len(self._levels.sizes) - 1}):
            width, height = self._levels.sizes[level]
            shape = (min(_PROBE, height), min(_PROBE, width))
            for down, across in ((0.0, 0.0), (0.0, 1.0), (0.5, 0.5), (1.0, 0.0), (1.0, 1.0)):
                row, col = int(down * (height - shape[0])), int(across * (width - shape[1]))
                self._levels.read(level, row=row, col=col, shape=shape)

    def _padded(self, level: int, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        width, height = self._levels.sizes[level]
        top, left = max(row, 0), max(col, 0)
        bottom, right = min(row + shape[0], height), min(col + shape[1], width)
        if bottom <= top or right <= left:
            return np.full((*shape, 3), 255, dtype=np.uint8)
        inner = self._levels.read(level, row=top, col=left, shape=(bottom - top, right - left))
        if inner.shape[:2] == shape:
            return inner
        out = np.full((*shape, 3), 255, dtype=np.uint8)
        out[top - row : bottom - row, left - col : right - col] = inner
        return out

    def close(self) -> None:
        """Release the file."""
        self._levels.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _downsample(base: tuple[int, int], size: tuple[int, int]) -> float:
    """Downsampling that a level was made with.

    Writers round a level's size down or up, so the quotient of sizes is not what its pixels cover:
    683 pixels of 5468 cover 8 each, and 4 at the border are lost, although 5468 / 683 = 8.006.
    """
    longest = base.index(max(base))
    quotient = base[longest] / size[longest]
    whole = max(round(quotient), 1)
    lost = [b - whole * s for b, s in zip(base, size, strict=True)]
    # Halving repeatedly loses up to whole - 1 pixels; rounding up adds up to whole - 1.
    return float(whole) if all(abs(n) < whole for n in lost) else quotient


def _parts(box: WorkingBox, ratio: float) -> Iterator[WorkingBox]:
    """Cut a box so that the level pixels of each part stay within `_MAX_LEVEL_PIXELS`."""
    side = max(int(math.sqrt(_MAX_LEVEL_PIXELS) / ratio) - 2, 1)
    if box.height * box.width * ratio * ratio <= _MAX_LEVEL_PIXELS * 1.5:
        yield box
        return
    for row in range(box.row, box.row + box.height, side):
        height = min(side, box.row + box.height - row)
        for col in range(box.col, box.col + box.width, side):
            yield WorkingBox(row, col, height, min(side, box.col + box.width - col))
