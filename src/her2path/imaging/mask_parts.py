"""Connected parts, and averages, of what is known for every mask pixel of a slide."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefacts import Mask
from her2path.imaging.block_colours import Plane

Window = tuple[slice, slice]


def connected(mask: Mask) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Label the parts of a mask that hang together, corners included.

    Returns
    -------
    labels : ndarray of int32, shape (M, N)
        From 1; 0 = none.
    stats : ndarray of int32, shape (n + 1, 5)
        Left, top, width, height and area by label; row 0 is no part.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def part_of(
    labels: npt.NDArray[np.int32], stats: npt.NDArray[np.int32], label: int, *, margin: int = 0
) -> tuple[Window, Mask]:
    """Give the window around one part, with a margin, and the part within it."""
    left, top, width, height = (int(value) for value in stats[label, :4])
    rows = slice(max(top - margin, 0), top + height + margin)
    window = (rows, slice(max(left - margin, 0), left + width + margin))
    return window, np.asarray(labels[window] == label, np.bool_)


def smoothed(plane: Plane, sigma: float) -> Plane:
    """Average a plane with Gaussian weights; `sigma` in its pixels."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
