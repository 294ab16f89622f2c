"""Arithmetic of the working grid: how many pixels a slide has there and how it is cut into tiles.

The grid's origin is the top-left corner of level 0; working pixel ``(row, col)`` covers level-0
pixels ``col * s`` to ``(col + 1) * s`` with ``s`` the downsampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_SNAP = 0.02
"""A downsampling this close to an integer becomes that integer: averaging whole pixels is exact and
several times as fast, and all sizes are in µm of the pixel really used."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What one tile owns, in working pixels; neighbours touch and never overlap."""

    row: int
    col: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.row < 0 or self.col < 0 or self.height < 1 or self.width < 1:
            raise ValueError(f"not a tile: {self}")


def working_downsample(slide_mpp: float, target_mpp: float) -> float:
    """Level-0 pixels per working pixel; 1 where the slide is coarser than the target.

    Examples
    --------
    >>> working_downsample(0.25, 0.5), working_downsample(0.2525, 0.5), working_downsample(0.7, 0.5)
    (2.0, 2.0, 1.0)
    >>> round(working_downsample(0.2282, 0.5), 4)
    2.1911
    """
    if not (math.isfinite(slide_mpp) and math.isfinite(target_mpp) and slide_mpp > 0 and target_mpp > 0):
        raise ValueError(f"pixel sizes must be positive, got {slide_mpp} and {target_mpp}")
    exact = max(target_mpp / slide_mpp, 1.0)
    nearest = float(round(exact))
    return nearest if abs(exact - nearest) <= _SNAP * exact else exact


def working_size(size_px0: tuple[int, int], downsample: float) -> tuple[int, int]:
    """Width and height in working pixels; the last ones may reach beyond the image.

    Examples
    --------
    >>> working_size((101, 100), 2.0)
    (51, 50)
    """
    width, height = (math.ceil(edge / downsample - 1e-9) for edge in size_px0)
    return width, height


def tile_grid(size: tuple[int, int], tile_px: int) -> Iterator[Tile]:
    """Cut a grid of `size` (width, height) into tiles in reading order; border tiles are smaller.

    Examples
    --------
    >>> [(t.row, t.col, t.height, t.width) for t in tile_grid((5, 3), 3)]
    [(0, 0, 3, 3), (0, 3, 3, 2)]
    """
    if tile_px < 1:
        raise ValueError(f"a tile needs at least one pixel, got {tile_px}")
    width, height = size
    for row in range(0, height, tile_px):
        for col in range(0, width, tile_px):
            yield Tile(row, col, min(tile_px, height - row), min(tile_px, width - col))
