"""Artefacts that are told by their shape: air bubbles and the edge of the coverslip.

Both bend light away: a dark, colourless line, round or straight, on tissue and glass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefact_marks import disc
from her2path.imaging.artefacts import Mask
from her2path.imaging.block_colours import BlockColours
from her2path.imaging.mask_parts import Window, connected, part_of, smoothed
from her2path.imaging.straight_bands import BandShape, find_bands_by_tiles
from her2path.imaging.tissue import MASK_MPP

_LINE_SHAPE = BandShape(32, 2, 2, 4)
"""The edge's dark line is 10 to 30 µm wide and straight over millimetres."""


@dataclass(frozen=True, slots=True)
class ShapeCuts:
    """From where a shape counts."""

    dark_od: float = 0.45
    """Density (sum of the channels) over the surroundings of a refracting line."""
    grey: float = 0.16
    """Most hue (blue minus red over the sum, either sign) of such a line."""
    ring_um: tuple[float, float] = (30.0, 3000.0)
    """Radii of bubbles."""
    ring_scatter: float = 0.11
    """Most standard deviation of a ring's radius, as a share of it: rings are thin, and an oval bubble has
    up to 0.10; a gland's wall is 20 µm thick."""
    ring_hue: float = 0.08
    """Most hue (blue minus red over the sum, either sign) of what a ring adds to the tissue beside it: 0.00
    to 0.07 of bubbles, 0.10 of grey-brown glands."""
    ring_green: float = 0.10
    """Most excess of green (over the mean of red and blue, in shares of the sum, twice) of the same: nuclei
    in brown cells are neither brown nor blue, but absorb green most, and have 0.17."""
    ring_arc: float = 0.6
    """Least share of the circle within the image that is dark."""
    line_od: float = 0.18
    """Rise of the coverslip's edge over both sides; every part of 250 µm must have it."""
    line_um: float = 400.0
    """Least length of the coverslip's edge."""


_RING_MARGIN = 7
"""Mask pixels around a ring that are looked at."""


def detect_bubbles(colours: BlockColours, *, cuts: ShapeCuts | None = None) -> Mask:
    """Find air bubbles by their dark, colourless rings; what a ring encloses belongs to it.

    Returns
    -------
    mask : ndarray of bool, shape (M, N)
    """
    cuts = cuts or ShapeCuts()
    mask = np.zeros(colours.red.shape, np.uint8)
    labels, stats = connected(_refracting(colours, cuts))
    for label in range(1, len(stats)):
        if stats[label, cv2.CC_STAT_AREA] < 8:
            continue
        window, part = part_of(labels, stats, label, margin=_RING_MARGIN)
        circle = _circle(part, mask.shape, window, cuts)
        if circle is not None and _colourless(colours, window, part, cuts):
            column, row, radius = circle
            cv2.circle(mask, (round(column), round(row)), math.ceil(radius), 1, -1)
            mask[window] |= part
    return mask > 0


def detect_coverslip_edge(
    colours: BlockColours, tissue: Mask, blurred: Mask, *, cuts: ShapeCuts | None = None
) -> Mask:
    """Find the edge of the coverslip, and the tissue beyond it where that is out of focus.

    Parameters
    ----------
    colours : BlockColours
        Of the whole slide, shape (M, N).
    tissue, blurred : ndarray of bool, shape (M, N)
        Tissue, and what of it is out of focus.
    cuts : ShapeCuts, optional

    Returns
    -------
    mask : ndarray of bool, shape (M, N)
    """
    cuts = cuts or ShapeCuts()
    density = colours.density
    matter = tissue | (density > cuts.line_od)
    bands = find_bands_by_tiles(density, _LINE_SHAPE, matter)
    # The line's own hue: what it adds to the tissue below, not what that tissue looks like.
    tint = colours.blue - colours.red
    added = tint - cv2.blur(tint, (9, 9), borderType=cv2.BORDER_REPLICATE)
    extra = density - cv2.blur(density, (9, 9), borderType=cv2.BORDER_REPLICATE)
    grey = np.abs(smoothed(added, 2.0)) < 2 * cuts.grey * np.maximum(smoothed(extra, 2.0), 0.02)
    line = (bands.rise > cuts.line_od) & grey
    mask = np.zeros(tissue.shape, np.bool_)
    labels, stats = connected(cv2.dilate(line.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    for label in range(1, len(stats)):
        window, part = part_of(labels, stats, label)
        rows, columns = np.nonzero(part)
        middle = np.array([columns.mean() + window[1].start, rows.mean() + window[0].start])
        spread, axes = np.linalg.eigh(
            np.cov(np.stack([columns, rows])) if len(rows) > 2 else np.zeros((2, 2))
        )
        # A line of length L has a variance of L²/12 along it.
        length, thickness = (math.sqrt(12 * max(value, 0.0)) for value in spread[::-1])
        if length * MASK_MPP < cuts.line_um or thickness > max(0.12 * length, 4):
            continue
        mask[window] |= part
        mask |= _beyond(middle, axes[:, 0], tissue, blurred)
    return mask


def _beyond(
    middle: npt.NDArray[np.float64], across: npt.NDArray[np.float64], tissue: Mask, blurred: Mask
) -> Mask:
    """Take the side of a line on which most of the tissue is out of focus, if there is one."""
    rows, columns = np.mgrid[: tissue.shape[0], : tissue.shape[1]]
    side = (columns - middle[0]) * across[0] + (rows - middle[1]) * across[1]
    for there in (side > 0, side < 0):
        inside, other = tissue & there, tissue & ~there
        if inside.any() and blurred[inside].mean() > 0.5 > (blurred[other].mean() if other.any() else 0.0):
            return np.asarray(inside, np.bool_)
    return np.zeros(tissue.shape, np.bool_)


def _colourless(colours: BlockColours, window: Window, part: Mask, cuts: ShapeCuts) -> bool:
    """Say whether what a ring adds to the tissue below is grey; the wall of a stained gland is not."""
    near = cv2.dilate(part.astype(np.uint8), disc(2)) > 0
    around = (cv2.dilate(part.astype(np.uint8), disc(6)) > 0) & ~near
    red, green, blue = (
        float(plane[window][part].mean() - plane[window][around].mean())
        for plane in (colours.red, colours.green, colours.blue)
    )
    total = red + green + blue
    hue, excess = abs(blue - red), abs(2 * green - red - blue)
    return total > 0 and hue < cuts.ring_hue * total and excess < cuts.ring_green * total


def _refracting(colours: BlockColours, cuts: ShapeCuts) -> Mask:
    """Dark, colourless places that stand out from what lies within 100 µm."""
    density = colours.density
    around = cv2.blur(density, (25, 25), borderType=cv2.BORDER_REPLICATE)
    grey = np.abs(colours.blue - colours.red) < cuts.grey * density
    return np.asarray(grey & (density - around > cuts.dark_od), np.bool_)


def _circle(
    part: Mask, shape: tuple[int, ...], window: Window, cuts: ShapeCuts
) -> tuple[float, float, float] | None:
    """Fit a circle by least squares [Kåsa 1976]; None unless the pixels form most of a thin ring."""
    rows, columns = np.nonzero(part)
    x, y = columns + window[1].start, rows + window[0].start
    system = np.stack([x, y, np.ones(len(x))], axis=1)
    (a, b, c), *_ = np.linalg.lstsq(system, (x.astype(np.float64) ** 2 + y**2), rcond=None)
    centre_x, centre_y = a / 2, b / 2
    squared = c + centre_x**2 + centre_y**2
    if squared <= 0:
        return None
    radius = math.sqrt(squared)
    away = np.hypot(x - centre_x, y - centre_y)
    low, high = cuts.ring_um
    if not low <= radius * MASK_MPP <= high or away.std() > max(cuts.ring_scatter * radius, 1.0):
        return None
    steps = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    around_x, around_y = centre_x + radius * np.cos(steps), centre_y + radius * np.sin(steps)
    visible = (around_x >= 0) & (around_x < shape[1]) & (around_y >= 0) & (around_y < shape[0])
    angles = np.unique(np.floor(np.mod(np.arctan2(y - centre_y, x - centre_x), 2 * math.pi) / (math.pi / 36)))
    if visible.sum() < 12 or len(angles) < cuts.ring_arc * visible.sum():
        return None
    return centre_x, centre_y, radius + 1
