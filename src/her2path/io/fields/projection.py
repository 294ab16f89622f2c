"""Focus planes made into one picture, plane by plane, so that memory does not grow with the stack.

Probes: the maximum, so that a signal counts wherever it is sharp.  It lifts the background (by 1.35
standard deviations of the noise with seven planes), but evenly, and narrows its noise; choosing the
plane by a smoothed picture and averaging elsewhere was tried on phantom stacks and read no count
better.  DAPI: block by block the sharpest plane, blended smoothly, because focus drifts over a field
and sections are not flat; a maximum would widen every nucleus by its haze.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[Any]
Image = npt.NDArray[np.float32]

_BLOCK_PX = 48
"""Edge of a block: about the size of a nucleus."""
_EDGE_SIGMA_PX = 2.0
_POWER = 6
"""Sharpness to this power weighs a plane: one that is a tenth sharper weighs nearly twice as much."""


class SignalProjection:
    """Projection of a probe; `depth` is the plane (0 = first) in which each pixel is brightest."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, plane: Plane) -> None:
        """Take the next plane."""
        if self._count == 0:
            self._best = plane.copy()
            self.depth = np.zeros(plane.shape, np.int16)
        else:
            brighter = plane > self._best
            np.copyto(self._best, plane, where=brighter)
            np.copyto(self.depth, np.int16(self._count), where=brighter)
        self._count += 1

    def picture(self) -> Plane:
        """Give the projection, in the type of the planes."""
        return self._best


class NuclearProjection:
    """Projection of DAPI."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, plane: Plane) -> None:
        """Take the next plane."""
        values = plane.astype(np.float32)
        weight = self._weight(values)
        if self._count == 0:
            self._dtype = plane.dtype
            self._sum, self._weights = weight * values, weight
        else:
            self._sum += weight * values
            self._weights += weight
        self._count += 1

    def picture(self) -> Plane:
        """Give the projection, in the type of the planes."""
        return _as_type(self._sum / self._weights, self._dtype)

    def _weight(self, values: Image) -> Image:
        height, width = values.shape
        # At half the pixels: the structure that is compared is several pixels wide.
        half = cv2.resize(values, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
        smooth = cv2.GaussianBlur(half, (0, 0), _EDGE_SIGMA_PX / 2)
        detail = np.asarray(cv2.Laplacian(smooth, cv2.CV_32F), np.float32) ** 2
        grid = (max(round(width / _BLOCK_PX), 1), max(round(height / _BLOCK_PX), 1))
        blocks = cv2.resize(detail, grid, interpolation=cv2.INTER_AREA)
        blocks = np.sqrt(cv2.GaussianBlur(blocks, (0, 0), 0.7, borderType=cv2.BORDER_REPLICATE))
        if self._count == 0:
            # Only the ratio of planes counts; the first one's level keeps the powers within range.
            self._unit = np.maximum(blocks, max(float(blocks.mean()) * 1e-3, 1e-9))
        share = np.clip(blocks / self._unit, 1e-3, 1e3) ** _POWER
        return np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _as_type(values: Image, dtype: np.dtype[Any]) -> Plane:
    if dtype.kind == "f":
        return values.astype(dtype)
    top = np.iinfo(dtype).max
    return np.clip(np.rint(values), 0, top).astype(dtype)
