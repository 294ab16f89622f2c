"""Matter on a slide that no stain explains: ink and opaque dirt.

Ink has a hue outside the mixtures of the two stains and grey, or is black, and it is *smooth*: it lies
above the tissue, which shows through it with less contrast than its own density would give.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefacts import Mask
from her2path.imaging.block_colours import BlockColours
from her2path.imaging.stain import StainModel
from her2path.imaging.tissue import MASK_MPP, TissueFeatures


@dataclass(frozen=True, slots=True)
class MarkCuts:
    """From where matter is no tissue."""

    ink_od: float = 0.25
    """Density (sum of the channels) below which a hue is too faint to be told."""
    ink_hue: float = 0.055
    """Distance from the mixtures of both stains and grey, in shares of the density: eight real cores
    stay below 0.03 where they are so dense, ink lies at 0.1 to 0.3."""
    smooth: float = 0.25
    """Roughness over density of black matter; tissue has 0.3 to 1."""
    black_od: float = 0.9
    pen_um: float = 250.0
    """Longest side from which black, smooth matter is a stroke of a pen and not dirt."""
    speck_um2: float = 2000.0
    """Smallest area of a mark."""


def detect_pen(
    colours: BlockColours, features: TissueFeatures, model: StainModel, *, cuts: MarkCuts | None = None
) -> tuple[Mask, Mask]:
    """Find ink, and smooth black dirt that is too small for a stroke.

    Parameters
    ----------
    colours : BlockColours
        Of the whole slide, shape (M, N).
    features : TissueFeatures
        Of the same shape.
    model : StainModel
        Stain vectors of the slide.
    cuts : MarkCuts, optional

    Returns
    -------
    pen, dirt : ndarray of bool, shape (M, N)
    """
    cuts = cuts or MarkCuts()
    density = colours.density
    dense = density > cuts.ink_od
    distance = hue_distance(colours, model)
    coloured = _opened(dense & (distance > cuts.ink_hue))
    smooth = features.roughness < cuts.smooth * density
    grey = np.abs(features.tint) < 0.08 * density
    black = _opened((density > cuts.black_od) & smooth & grey)
    pen, dirt = np.zeros(density.shape, np.bool_), np.zeros(density.shape, np.bool_)
    for mask, is_ink in ((coloured, True), (black, False)):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] * MASK_MPP**2 >= cuts.speck_um2
        longest = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1) * MASK_MPP
        stroke = large & (is_ink | (longest >= cuts.pen_um))
        speck = large & ~stroke
        stroke[0] = speck[0] = False
        pen |= stroke[labels]
        dirt |= speck[labels]
    return pen, dirt


def hue_distance(colours: BlockColours, model: StainModel) -> npt.NDArray[np.float32]:
    """Measure how far a colour lies outside the mixtures of both stains and grey.

    Colours are shares of the density (red, green, blue sum to 1), in which mixtures of three absorbers
    fill a triangle.

    Returns
    -------
    distance : ndarray of float32, shape (M, N)
        0 inside the triangle; meaningless where there is hardly any density.
    """
    total = np.maximum(colours.density, 1e-3)
    point = np.stack([colours.red / total, colours.green / total], axis=-1)
    corners = [np.asarray(v) / sum(v) for v in (model.hematoxylin, model.dab, (1.0, 1.0, 1.0))]
    triangle = np.array([corner[:2] for corner in corners], np.float64)
    side = triangle[1] - triangle[0]
    rest = triangle[2] - triangle[0]
    if side[0] * rest[1] - side[1] * rest[0] < 0:
        triangle = triangle[::-1]
    outside = np.zeros(total.shape, np.float32)
    nearest = np.full(total.shape, np.inf, np.float32)
    for i in range(3):
        start, end = triangle[i], triangle[(i + 1) % 3]
        edge = end - start
        from_start = point - start
        along = np.clip((from_start @ edge) / (edge @ edge), 0, 1)
        gap = np.hypot(*np.moveaxis(from_start - along[..., None] * edge, -1, 0))
        beyond = edge[0] * from_start[..., 1] - edge[1] * from_start[..., 0] < 0
        outside = np.where(beyond, 1, outside)
        nearest = np.minimum(nearest, gap)
    return np.asarray(np.where(outside > 0, nearest, 0), np.float32)


def _opened(mask: Mask) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc), np.bool_)
