"""Damage of a nucleus that makes its signals uncountable: a fold, smearing by crushing, full scale on DAPI.

A fold lays one part of a nucleus over another: a narrow band of twice its brightness runs across an
outline that is otherwise that of one nucleus.  Crushing draws chromatin out along one direction:
the edge is lost at both ends, while the sides stay sharp; in poor focus all of it is blurred alike.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_BRIGHT_LEVEL = 1.55
"""Brightness over the median of the nucleus from which two layers may lie over each other; two equal
ones give 2, chromatin texture smoothed over half a micrometre rarely 1.5."""
_BRIGHT_SMOOTH_UM = 0.54
_BAND_SHAPE = 3.0
"""Least length over width of a fold; where two round nuclei overlap, the lens is shorter."""
_BAND_SPAN = 0.5
"""Least length of a fold over the width of its nucleus: it runs across, and blur shortens its ends."""
_DRAWN_OUT = 1.6
"""Least length over width at which smearing is looked for: a round nucleus has no ends."""
_AT_END, _AT_SIDE = 0.8, 0.5
"""Share of the brightness gradient along the nucleus: at least (ends), at most (sides)."""
_FEWEST_RIM_PX = 4


def bright_patches(labels: Labels, smooth: Image, *, mpp: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Measure the largest patch of each object that is far brighter than the object's median.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Consecutive labels from 1.
    smooth : ndarray of float32, shape (M, N)
        DAPI above background.
    mpp : float
        Pixel size in µm.

    Returns
    -------
    area_um2 : ndarray of float64, shape (N,)
        Area of the patch; 0 without one.
    across : ndarray of bool, shape (N,)
        The patch is a narrow band that runs across the object, as a fold does.
    """
    count = int(labels.max(initial=0))
    wide = cv2.GaussianBlur(smooth, (0, 0), max(_BRIGHT_SMOOTH_UM / mpp, 0.5))
    areas, across = np.zeros(count), np.zeros(count, bool)
    for index, box in enumerate(ndimage.find_objects(labels, max_label=count)):
        inside = labels[box] == index + 1
        patch = inside & (wide[box] > _BRIGHT_LEVEL * np.median(wide[box][inside]))
        number, parts, stats, _ = cv2.connectedComponentsWithStats(patch.astype(np.uint8))
        if number > 1:
            largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            areas[index] = stats[largest, cv2.CC_STAT_AREA] * mpp**2
            width, length = _sides(parts == largest)
            across[index] = length >= _BAND_SHAPE * width and length >= _BAND_SPAN * _sides(inside)[0]
    return areas, across


def smearing(labels: Labels, smooth: Image, elongation: Floats) -> Floats:
    """Width of the edge at the ends of each object over that at its sides; 1 where it has no ends.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Consecutive labels from 1.
    smooth : ndarray of float32, shape (M, N)
        DAPI above background.
    elongation : ndarray of float64, shape (N,)
        Length over width of each object.
    """
    ratio = np.ones(len(elongation))
    drawn_out = elongation >= _DRAWN_OUT
    if not drawn_out.any():
        return ratio
    boxes = ndimage.find_objects(labels, max_label=len(elongation))
    for index in np.flatnonzero(drawn_out).tolist():
        rows, cols = boxes[index]
        # One pixel more on every side, so that slopes of the outline itself are seen.
        box = (
            slice(max(rows.start - 1, 0), rows.stop + 1),
            slice(max(cols.start - 1, 0), cols.stop + 1),
        )
        ratio[index] = _end_over_side(labels[box] == index + 1, smooth[box])
    return ratio


def saturated_share(labels: Labels, dapi: Image, *, full_scale: float) -> Floats:
    """Share of the pixels of each object at full scale.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Consecutive labels from 1.
    dapi : ndarray of float32, shape (M, N)
        Pixel values as the camera gave them.
    full_scale : float
        Level at which the camera clips; infinity if it does not.

    Examples
    --------
    >>> saturated_share(np.array([[1, 1, 2]], np.int32), np.float32([[255, 9, 9]]), full_scale=255.0).tolist()
    [0.5, 0.0]
    """
    count = int(labels.max(initial=0))
    clipped = labels[dapi >= np.float32(full_scale)]
    if not clipped.size:
        return np.zeros(count)
    size = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    share: Floats = np.bincount(clipped, minlength=count + 1)[1:] / np.maximum(size, 1)
    return share


def _sides(mask: Mask) -> tuple[float, float]:
    """Width and length in pixels of the smallest rectangle round a mask."""
    points = np.argwhere(mask).astype(np.float32)
    width, length = sorted(float(side) + 1 for side in cv2.minAreaRect(points)[1])
    return width, length


def _end_over_side(mask: Mask, smooth: Image) -> float:
    """Steepest slopes at the sides over those at the ends: widths go the other way."""
    down, right = (cv2.Sobel(smooth, cv2.CV_32F, x, y, scale=1 / 8) for x, y in ((0, 1), (1, 0)))
    slope = np.hypot(down, right)
    steepest = cv2.dilate(slope, np.ones((3, 3), np.uint8))
    rim = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    place = np.argwhere(mask) - np.argwhere(mask).mean(axis=0)
    axis = np.linalg.eigh(place.T @ place)[1][:, 1]
    along = np.abs(down * axis[0] + right * axis[1]) / np.maximum(slope, 1e-6)
    ends, sides = rim & (along >= _AT_END), rim & (along <= _AT_SIDE)
    if min(ends.sum(), sides.sum()) < _FEWEST_RIM_PX:
        return 1.0
    return float(steepest[sides].mean() / max(steepest[ends].mean(), 1e-6))
