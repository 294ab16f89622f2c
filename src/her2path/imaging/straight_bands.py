"""Straight, elongated bands of a map that are denser than what lies on both sides of them.

Folds and the edge of a coverslip are such bands; glands, vessels and rows of lymphocytes are denser
than their surroundings too, but not over hundreds of micrometres without a gap.  A band counts only
where *every* part of its length is denser than *both* flanks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

ANGLES = 12
"""Directions that are looked along: half a step turns a band by 8 degrees, which a length of five
widths bears."""
PARTS = 4
"""Parts of the length that must all be denser than the flanks."""
_TILE = 512


@dataclass(frozen=True, slots=True)
class BandShape:
    """What is looked for, in pixels of the map."""

    length: int
    """A multiple of `PARTS`."""
    width: int
    gap: int
    """Between the band and its flanks: the band's own blurred edge."""
    flank: int
    """Width of a flank."""

    @property
    def reach(self) -> int:
        """Farthest pixel that a place looks at."""
        return math.ceil(math.hypot(self.length, self.width + 2 * (self.gap + self.flank)) / 2) + 1


@dataclass(frozen=True, slots=True)
class Bands:
    """The best band through every pixel, each float32, shape (M, N)."""

    rise: Plane
    """Least difference of a part of the band and the flank beside it; at most 0 where there is none."""
    flanks: Plane
    """Mean of both flanks of that band."""
    angle: Plane
    """Its direction in radians, 0 = along the rows."""


def find_bands(plane: Plane, shape: BandShape) -> Bands:
    """Look for bands in every direction.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
        A density.  Beyond the border it goes on as it ends.
    shape : BandShape

    Returns
    -------
    Bands
    """
    size = plane.shape
    rise, flanks, angle = (np.zeros(size, np.float32) for _ in range(3))
    rise -= np.inf
    for direction in range(ANGLES):
        turned, back = _turned(plane, math.pi * direction / ANGLES, shape.reach)
        here_rise, here_flanks = (_returned(part, back, size) for part in _along_rows(turned, shape))
        better = here_rise > rise
        np.copyto(rise, here_rise, where=better)
        np.copyto(flanks, here_flanks, where=better)
        np.copyto(angle, np.float32(math.pi * direction / ANGLES), where=better)
    return Bands(rise, flanks, angle)


def _along_rows(plane: Plane, shape: BandShape) -> tuple[Plane, Plane]:
    part = shape.length // PARTS
    band = _box(plane, part, shape.width)
    flank = _box(plane, part, shape.flank)
    away = (shape.width + shape.flank) // 2 + shape.gap
    middle, above, below = band[away:-away], flank[: -2 * away], flank[2 * away :]
    least = np.asarray(cv2.subtract(middle, cv2.max(above, below)), np.float32)
    offsets = [round((place - (PARTS - 1) / 2) * part) for place in range(PARTS)]
    edge = max(offsets)
    # What lies nearer to the canvas' edge is never asked for: it stays 0.
    rises, mean = np.zeros_like(plane), np.zeros_like(plane)
    lowest = rises[away:-away, edge:-edge]
    lowest[:] = np.inf
    for offset in offsets:
        np.minimum(lowest, least[:, edge + offset : plane.shape[1] - edge + offset], out=lowest)
    mean[away:-away] = cv2.blur(cv2.addWeighted(above, 0.5, below, 0.5, 0), (PARTS * part, 1))
    return rises, mean


def _box(plane: Plane, columns: int, rows: int) -> Plane:
    return np.asarray(cv2.blur(plane, (columns, rows), borderType=cv2.BORDER_REPLICATE), np.float32)


def _turned(plane: Plane, angle: float, reach: int) -> tuple[Plane, npt.NDArray[np.float64]]:
    """Turn a map so that `angle` becomes the direction of the rows, and say how to turn it back."""
    height, width = plane.shape
    c, s = math.cos(angle), math.sin(angle)
    columns = math.ceil(abs(width * c) + abs(height * s)) + 2 * reach
    rows = math.ceil(abs(width * s) + abs(height * c)) + 2 * reach
    # From the turned map's pixels to the plane's.
    matrix = np.array([[c, -s, width / 2 - c * columns / 2 + s * rows / 2],
                       [s, c, height / 2 - s * columns / 2 - c * rows / 2]])  # fmt: skip
    turned = cv2.warpAffine(
        plane,
        matrix,
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.float32), matrix


def _returned(plane: Plane, matrix: npt.NDArray[np.float64], size: tuple[int, ...]) -> Plane:
    flags = cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(plane, matrix, (size[1], size[0]), flags=flags), np.float32)


def find_bands_by_tiles(plane: Plane, shape: BandShape, where: npt.NDArray[np.bool_]) -> Bands:
    """Look for bands in tiles of a large map, and only in tiles with a place of `where`.

    The tiles' grid belongs to the map, so the same map gives the same bands.
    """
    rise, flanks, angle = (np.zeros(plane.shape, np.float32) for _ in range(3))
    for top in range(0, plane.shape[0], _TILE):
        for left in range(0, plane.shape[1], _TILE):
            own = np.s_[top : top + _TILE, left : left + _TILE]
            if not where[own].any():
                continue
            above, before = max(top - shape.reach, 0), max(left - shape.reach, 0)
            found = find_bands(
                plane[above : top + _TILE + shape.reach, before : left + _TILE + shape.reach], shape
            )
            part = np.s_[top - above : top - above + _TILE, left - before : left - before + _TILE]
            rise[own], flanks[own], angle[own] = found.rise[part], found.flanks[part], found.angle[part]
    return Bands(rise, flanks, angle)
