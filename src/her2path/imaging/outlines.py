"""Outlines as masks: a pixel belongs to an outline if its middle lies inside, and to no two neighbours.

Coordinates are pixels with edges at integers, so the middle of the first pixel is (0.5, 0.5).  OpenCV's
`fillPoly` also paints the pixels that the line touches, which widens every cell by half a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import measure

Outline = npt.NDArray[np.float64]
"""Shape (n, 2), x first; the first point need not be repeated."""


def inside(rings: Sequence[Outline], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Find the pixels inside an odd number of rings, so that a hole is a ring within another.

    Parameters
    ----------
    rings : sequence of ndarray of float64, shape (n, 2)
        May run over the edges of the image.
    shape : tuple of two ints
        Rows and columns.

    Examples
    --------
    >>> square = np.array([(0.4, 0.4), (2.6, 0.4), (2.6, 2.6), (0.4, 2.6)])
    >>> inside([square], (4, 4)).astype(int).tolist()
    [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    """
    rows, columns = shape
    crossings = np.zeros((rows, columns + 1), np.uint8)
    for ring in rings:
        # Lines through the middles of the rows are crossed here; an edge owns its upper end only.
        one = ring - 0.5
        other = np.roll(one, -1, axis=0)
        ends = np.ceil(np.sort(np.stack([one[:, 1], other[:, 1]]), axis=0)).clip(0, rows).astype(np.intp)
        count = ends[1] - ends[0]
        edge = np.repeat(np.arange(len(one)), count)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + ends[0][edge]
        start, along = one[edge], (other - one)[edge]
        x = start[:, 0] + (row - start[:, 1]) * along[:, 0] / along[:, 1]
        np.add.at(crossings, (row, np.ceil(x).clip(0, columns).astype(np.intp)), np.uint8(1))
    return np.asarray(np.bitwise_xor.accumulate(crossings & 1, axis=1)[:, :columns] > 0)


def paint(outlines: Sequence[Outline], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Give the pixels of each outline its number from 1 on; a later one covers an earlier one.

    Parameters
    ----------
    outlines : sequence of ndarray of float64, shape (n, 2)
        An empty one is left out; its number is not given to another.
    shape : tuple of two ints
        Rows and columns.
    """
    labels = np.zeros(shape, np.int32)
    for number, outline in enumerate(outlines, start=1):
        if len(outline) < 3:
            continue
        left, top = np.floor(outline.min(axis=0)).astype(int).clip(0)
        right, bottom = np.ceil(outline.max(axis=0)).astype(int).clip(0, (shape[1], shape[0]))
        if right > left and bottom > top:
            found = inside([outline - (left, top)], (int(bottom - top), int(right - left)))
            labels[top:bottom, left:right][found] = number
    return labels


def trace(labels: npt.NDArray[np.int32]) -> dict[int, Outline]:
    """Trace the outline of each numbered object, of its largest piece where it has several.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        0 = none.

    Returns
    -------
    dict of int to ndarray of float64, shape (n, 2)
        x and y with pixel edges at integers; a pixel's middle lies inside exactly where the object is, holes
        excepted.

    Examples
    --------
    >>> labels = np.zeros((5, 5), np.int32)
    >>> labels[1:4, 1:4] = 7
    >>> trace(labels)[7].min(axis=0).tolist(), trace(labels)[7].max(axis=0).tolist()
    ([1.0, 1.0], [4.0, 4.0])
    """
    found: dict[int, Outline] = {}
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        inside = np.pad(labels[box] == number, 1)
        # Objects run through pixels' middles at half height, which are edges between two pixels.
        contours: list[Outline] = measure.find_contours(  # type: ignore[no-untyped-call]
            inside.astype(np.float32), 0.5, fully_connected="low"
        )
        longest = max(contours, key=len)
        corner = np.array([box[1].start, box[0].start])
        found[number] = longest[:-1, ::-1] - 0.5 + corner
    return found
