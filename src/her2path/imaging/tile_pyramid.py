"""A slide as a pyramid of square tiles: its levels, and the tiles of all of them in one pass.

Every pixel of the finest level is asked for once.  A block of tiles is held at a time and one row of
the tree above it, so memory depends on the number of levels and not on the size of the slide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
TILE_PX = 256
"""Edge of a tile: small enough that a view of a screen decodes little beyond what it shows."""
_BLOCK_LEVEL = 2
"""A block is read at once: 4 x 4 tiles of the finest level."""


@dataclass(frozen=True, slots=True)
class TileLevel:
    """One level of the pyramid."""

    downsample: float
    """Level-0 pixels of the slide per pixel."""
    width: int
    height: int

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return -(-self.width // TILE_PX)

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-self.height // TILE_PX)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of one level."""

    level: int
    row: int
    column: int
    rgb: Rgb
    """Shape (`TILE_PX`, `TILE_PX`, 3); white beyond the slide."""


def plan_levels(
    size_px0: tuple[int, int], *, finest_downsample: float, most_px: int
) -> tuple[TileLevel, ...]:
    """Choose the levels, the finest first, each half the one before, down to a single tile.

    Parameters
    ----------
    size_px0 : tuple of int
        Width and height of the slide.
    finest_downsample : float
        Level-0 pixels per pixel below which nothing more is to be seen; at least 1.
    most_px : int
        Most pixels of the finest level, about: a larger slide is shown more coarsely.

    Examples
    --------
    >>> [(level.width, level.downsample) for level in plan_levels((2000, 500), finest_downsample=1, \
most_px=250_000)]
    [(1000, 2.0), (500, 4.0), (250, 8.0)]
    """
    width, height = size_px0
    downsample = max(1.0, finest_downsample, math.sqrt(width * height / most_px))
    size = math.ceil(width / downsample), math.ceil(height / downsample)
    levels = [TileLevel(downsample, *size)]
    while max(size) > TILE_PX:
        size = -(-size[0] // 2), -(-size[1] // 2)
        downsample *= 2
        levels.append(TileLevel(downsample, *size))
    return tuple(levels)


def cut_tiles(
    levels: tuple[TileLevel, ...], read: Callable[[int, int, int], Rgb], keep: Callable[[Tile], None]
) -> None:
    """Hand every tile of every level to `keep` once, as soon as its pixels are known.

    Parameters
    ----------
    levels : tuple of TileLevel
        From `plan_levels`.
    read : callable of (row, column, side) to ndarray of uint8, shape (side, side, 3)
        Square of pixels of the finest level by its top left pixel; white beyond the slide.  No pixel
        is asked for twice.
    keep : callable of Tile
        The tiles of a level do not come in their order.
    """
    _node(levels, _Cutting(read, keep), len(levels) - 1, (0, 0))


@dataclass(frozen=True, slots=True)
class _Cutting:
    read: Callable[[int, int, int], Rgb]
    keep: Callable[[Tile], None]


def _node(levels: tuple[TileLevel, ...], cutting: _Cutting, level: int, place: tuple[int, int]) -> Rgb:
    """Return the pixels of one tile after all tiles below it were kept."""
    row, column = place
    if level <= _BLOCK_LEVEL:
        return _block(levels, cutting, level, place)
    below = np.full((2 * TILE_PX, 2 * TILE_PX, 3), 255, np.uint8)
    for down in range(2):
        for right in range(2):
            child = (2 * row + down, 2 * column + right)
            if child[0] < levels[level - 1].rows and child[1] < levels[level - 1].columns:
                below[_span(down), _span(right)] = _node(levels, cutting, level - 1, child)
    pixels = halved(below)
    cutting.keep(Tile(level, row, column, pixels))
    return pixels


def _block(levels: tuple[TileLevel, ...], cutting: _Cutting, level: int, place: tuple[int, int]) -> Rgb:
    """Read the finest pixels below one tile at once and cut them."""
    side = TILE_PX << level
    pixels = cutting.read(place[0] * side, place[1] * side, side)
    for depth in range(level + 1):
        across = 1 << (level - depth)
        for down in range(across):
            for right in range(across):
                row, column = place[0] * across + down, place[1] * across + right
                if row < levels[depth].rows and column < levels[depth].columns:
                    cutting.keep(Tile(depth, row, column, pixels[_span(down), _span(right)]))
        if depth < level:
            pixels = halved(pixels)
    return pixels


def halved(pixels: Rgb) -> Rgb:
    """Average squares of 2 x 2 pixels, rounded; edges of even length only."""
    wide = pixels.astype(np.uint16)
    sums = wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2]
    return ((sums + 2) >> 2).astype(np.uint8)


def _span(place: int) -> slice:
    return slice(place * TILE_PX, (place + 1) * TILE_PX)
