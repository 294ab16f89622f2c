"""Outlines of parted nuclei: where each ends, and which of them is haze without an edge.

A nucleus ends at a share of the height by which it rises over its own surroundings, not over the
background of the image: in thick tissue and beside bright neighbours the ground between nuclei is
lit by what lies out of focus, and a level over the background of the image would take it along.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Labels = npt.NDArray[np.int32]
Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_FLOOR_UM = 5.0
"""Half the side of the square whose darkest place is the ground: wider than the radius of most nuclei,
so that it holds some ground beside each, and narrow enough to follow haze."""
_LIT_GROUND = 0.5
"""Rise of the share at which an object ends, per share of its brightness that the ground has: where the
ground is lit, the darkest place near by is darker than the ground beside the object itself."""
_RING_UM = 1.2
_FREE_SHARE = 0.3
"""Share of the ring round an object that must be free of neighbours for its contrast to be judged."""
_MIN_CONTRAST = 0.17
"""Least drop from an object to the ring round it, as a share of its height over the background.  A nucleus
out of focus by its own thickness still falls by a quarter; haze and autofluorescence fall by less."""
_MIN_SHARE = 0.05
"""Least drop as a share of the level of the image's nuclei: ghosts of nuclei far from the plane of focus."""
_MIN_SNR = 5.0
"""Least drop in standard deviations of the smoothed background."""


def trim_to_ground(labels: Labels, smooth: Image, *, edge_level: float, mpp: float) -> Labels:
    """Cut every object where it falls below a share of its height over the ground round it.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Objects, possibly with haze at their rim.
    smooth : ndarray of float32, shape (M, N)
        DAPI above the background of the image.
    edge_level : float
        Share of the height at which an object ends (0 to 1).
    mpp : float
        Pixel size in µm.
    """
    over_background = np.where(smooth >= edge_level * _bright_level(labels, smooth)[labels], labels, 0)
    own = np.flatnonzero(over_background)
    level = _bright_level(over_background, smooth)[over_background.ravel()[own]]
    ground = _ground(smooth, mpp).ravel()[own]
    share = edge_level + _LIT_GROUND * np.clip(ground / np.maximum(level, 1e-6), 0, 1)
    trimmed = np.zeros(labels.size, np.int32)
    kept = own[smooth.ravel()[own] >= ground + share * (level - ground)]
    trimmed[kept] = labels.ravel()[kept]
    return trimmed.reshape(labels.shape)


def drop_haze(labels: Labels, smooth: Image, *, spread: float, typical: float, mpp: float) -> Labels:
    """Drop objects without an edge; the numbers of the others are kept.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
    smooth : ndarray of float32, shape (M, N)
        DAPI above the background of the image.
    spread : float
        Standard deviation of the smoothed background.
    typical : float
        Level of the image's nuclei above its background.
    mpp : float
        Pixel size in µm.
    """
    count = int(labels.max(initial=0))
    side = 2 * max(round(_RING_UM / mpp), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(labels.astype(np.float32), disc).astype(np.int32)
    # Where two rings meet, the higher number has both parts: the other ring is smaller, not wrong.
    near = np.flatnonzero(grown)
    number, value = labels.ravel()[near], smooth.ravel()[near]
    own = number > 0
    ring = grown.ravel()[near][~own]
    inside = mean_of(number[own], value[own], count)
    drop = inside - mean_of(ring, value[~own], count)
    size, free = (np.bincount(n, minlength=count + 1) for n in (number[own], ring))
    # The ring of a disc of the same area.
    whole = 2 * np.sqrt(np.pi * size) * (side // 2)
    hazy = (drop < _MIN_CONTRAST * inside) | (drop < max(_MIN_SNR * spread, _MIN_SHARE * typical))
    hazy &= free > _FREE_SHARE * whole
    hazy[0] = False
    return np.where(hazy[labels], 0, labels).astype(np.int32)


def number_pieces(labels: Labels, *, min_px: float) -> Labels:
    """Keep the largest piece of every label, fill it, drop specks, number by reading order."""
    out = np.zeros_like(labels)
    number = 0
    for index, box in enumerate(ndimage.find_objects(labels)):
        if box is None:
            continue
        piece = _largest_piece(labels[box] == index + 1)
        if piece.sum() >= min_px:
            number += 1
            view = out[box]
            view[piece & (view == 0)] = number
    first = np.full(number + 1, out.size, np.int64)
    np.minimum.at(first, out.ravel(), np.arange(out.size))
    rank = np.zeros(number + 1, np.int32)
    rank[1 + np.argsort(first[1:], kind="stable")] = np.arange(1, number + 1)
    return rank[out]


def _bright_level(labels: Labels, smooth: Image) -> npt.NDArray[np.float64]:
    """Per label (0 first) the mean of the half that is brighter than its mean."""
    own = np.flatnonzero(labels)
    number, value = labels.ravel()[own], smooth.ravel()[own]
    mean = mean_of(number, value, int(labels.max(initial=0)))
    bright = value >= mean[number]
    return mean_of(number[bright], value[bright], len(mean) - 1)


def _ground(smooth: Image, mpp: float) -> Image:
    """Smoothed darkest level round every pixel, not below the background."""
    radius = max(round(_FLOOR_UM / mpp), 1)
    darkest = cv2.erode(smooth, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    ground: Image = np.clip(cv2.GaussianBlur(darkest, (0, 0), radius), 0, None).astype(np.float32)
    return ground


def mean_of(numbers: Labels, values: Image, count: int) -> npt.NDArray[np.float64]:
    """Mean of the values of every number from 0 to `count`; 0 of none."""
    total = np.bincount(numbers, values, count + 1)
    mean: npt.NDArray[np.float64] = total / np.maximum(np.bincount(numbers, minlength=count + 1), 1)
    return mean


def _largest_piece(mask: Mask) -> Mask:
    padded = np.pad(mask, 1).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(padded)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled[1:-1, 1:-1] > 0
