"""From the pixels of a pyramid level to working pixels, by exact area means.

A working pixel is the mean of the level pixels that it covers, weighted by the covered area.  The
weights are computed from global coordinates and every sum runs in the same order, so a pixel's
value never depends on the box that it is read with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

_INTEGER_TOLERANCE = 1e-6
"""Ratios this close to an integer are that integer (0.5 / 0.25 computed in floats)."""
_STRIP = 64
"""Output rows per pass: small enough for the processor's cache."""


@dataclass(frozen=True, slots=True)
class Span:
    """Level pixels from `start` (inclusive) to `stop` (exclusive) along one axis."""

    start: int
    stop: int


def as_integer(ratio: float) -> int | None:
    """Return the integer that `ratio` stands for; None if it stands for none."""
    nearest = round(ratio)
    return nearest if nearest >= 1 and abs(ratio - nearest) <= _INTEGER_TOLERANCE * nearest else None


def source_span(start: int, length: int, ratio: float) -> Span:
    """Level pixels needed for `length` working pixels from `start`, with `ratio` level pixels each."""
    if whole := as_integer(ratio):
        return Span(start * whole, (start + length) * whole)
    return Span(math.floor(start * ratio), math.ceil((start + length) * ratio))


def area_mean(
    level: npt.NDArray[np.uint8], *, origin: tuple[int, int], shape: tuple[int, int], ratio: float
) -> npt.NDArray[np.uint8]:
    """Average level pixels into working pixels.

    Parameters
    ----------
    level : ndarray of uint8, shape (M, N, 3)
        Exactly the level pixels of `source_span` of rows and columns.
    origin : tuple of two ints
        First working row and column.
    shape : tuple of two ints
        Working rows and columns wanted.
    ratio : float
        Level pixels per working pixel, >= 1.

    Returns
    -------
    ndarray of uint8, shape (*shape, 3)
        Means rounded to the nearest integer.

    Raises
    ------
    ValueError
        `ratio` is below 1 or `level` is not what `source_span` asks for.

    Examples
    --------
    >>> level = np.array([[[0, 0, 0], [100, 100, 100]]] * 2, dtype=np.uint8)
    >>> area_mean(level, origin=(0, 0), shape=(1, 1), ratio=2.0).ravel().tolist()
    [50, 50, 50]
    """
    rows = source_span(origin[0], shape[0], ratio)
    cols = source_span(origin[1], shape[1], ratio)
    if ratio < 1 or level.shape[:2] != (rows.stop - rows.start, cols.stop - cols.start):
        raise ValueError(f"level pixels {level.shape} do not fit {shape} working pixels at ratio {ratio}")
    whole = as_integer(ratio)
    if whole == 1:
        return level
    if whole is not None:
        mean = cv2.resize(level, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
        return np.asarray(mean, dtype=np.uint8)
    across = _Weights.along(origin[1], shape[1], ratio, cols)
    down = _Weights.along(origin[0], shape[0], ratio, rows)
    out = np.empty((*shape, 3), dtype=np.uint8)
    for top in range(0, shape[0], _STRIP):
        strip = slice(top, min(top + _STRIP, shape[0]))
        columns_first = np.asarray(cv2.transpose(down.apply(level, strip)), dtype=np.float32)
        mean = across.apply(columns_first, slice(0, shape[1]))
        out[strip] = np.rint(cv2.transpose(mean))
    return out


@dataclass(frozen=True, slots=True)
class _Weights:
    """For each working pixel: its first level pixel and the weights of that one and the next ones."""

    first: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float32]

    @classmethod
    def along(cls, start: int, length: int, ratio: float, span: Span) -> _Weights:
        edges = np.arange(start, start + length + 1, dtype=np.float64) * ratio
        left, right = edges[:-1], edges[1:]
        first = np.floor(left).astype(np.intp)
        offsets = np.arange(math.ceil(ratio) + 1)
        pixels = first[:, None] + offsets
        covered = np.minimum(right[:, None], pixels + 1) - np.maximum(left[:, None], pixels)
        weights = np.maximum(covered, 0) / ratio
        return cls(first - span.start, weights.astype(np.float32))

    def apply(self, source: npt.NDArray[np.uint8 | np.float32], rows: slice) -> npt.NDArray[np.float32]:
        # Separate products and sums in a fixed order: a fused or reordered sum would make the last
        # bit depend on where in the array a pixel lies.
        first, weights = self.first[rows], self.weights[rows]
        last = len(source) - 1
        total = source[first] * weights[:, 0, None, None]
        for k in range(1, weights.shape[1]):
            total += source[np.minimum(first + k, last)] * weights[:, k, None, None]
        return np.asarray(total, dtype=np.float32)
