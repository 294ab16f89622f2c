"""Folds of the tissue: bands of two or three layers, denser and softer than what lies beside them.

A fold lays tissue over tissue.  Even the palest places of the band are denser than on both sides, by one
or two layers and in the same hue, because all layers are the same tissue; and as the layers lie at
different heights, not all of them are in focus, so that the band is softer than its surroundings.  A cord
of cells between glass or stroma is denser, too, but as sharp as everything around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from her2path.imaging.artefact_marks import disc
from her2path.imaging.artefacts import Mask
from her2path.imaging.block_colours import BlockColours, Plane
from her2path.imaging.mask_parts import Window, connected, part_of, smoothed
from her2path.imaging.straight_bands import BandShape, find_bands_by_tiles
from her2path.imaging.tissue import MASK_MPP

_Shapes = tuple[tuple[BandShape, int], ...]

_LONG: _Shapes = ((BandShape(24, 3, 1, 4), 1), (BandShape(16, 3, 1, 3), 2), (BandShape(20, 5, 1, 3), 2))
"""Folds are 15 to 80 µm wide, many are straight over 200 to 300 µm; each shape with the mask pixels that
one of its own pixels averages."""
_SHORT: _Shapes = ((BandShape(12, 3, 1, 3), 1), (BandShape(12, 5, 1, 4), 1), (BandShape(8, 4, 1, 3), 2))
"""Pieces of 100 to 130 µm, of which a fold that bends or crosses another is made."""
_HUE_OD = 0.04
"""Density (sum of the channels) from which a place has a hue."""


@dataclass(frozen=True, slots=True)
class FoldCuts:
    """From where a band is a fold."""

    rise: float = 0.40
    """Rise of the palest pixels over their density beside a long band, where a fold begins: on eight real
    cores 99.9 % of places have less than 0.4, and what has more is short."""
    rim: float = 0.22
    """The same, down to where it goes on."""
    piece_rise: float = 0.25
    """Rise over the density beside a short piece, where a fold begins; an epithelium has as much."""
    piece_rim: float = 0.05
    """The same, down to where it goes on."""
    soft: float = -0.14
    """Softness (see `her2path.imaging.focus.measure_softness`) of a piece where a fold begins ..."""
    soft_rim: float = -0.08
    """... and down to where it goes on: the middle of folds has -0.1 to -0.4, cords of cells 0.0 to 0.2."""
    soft_mean: float = -0.12
    """Most mean softness of a fold, however much denser it is."""
    begins: float = 0.25
    """Least share of a band from which a fold begins."""
    od: float = 0.08
    """Density added to the flanks', so that noise of pale tissue is no rise."""
    hue: float = 0.15
    """Most by which a band is bluer (blue minus red over the sum) than the tissue beside it ..."""
    brown: float = 0.05
    """... and the most difference of hue towards brown: a row of stained cells is browner than what lies
    beside it, and to leave it out is the worse fault."""
    layer: float = 0.22
    """Least density beside a fold over its own: two or three layers lie there, not a gland on glass."""
    length_um: float = 180.0
    """Least length: rows of glands are shorter."""
    slender: float = 3.0
    """Least length over mean width."""


def detect_folds(
    colours: BlockColours, softness: Plane, tissue: Mask, *, cuts: FoldCuts | None = None
) -> Mask:
    """Find folds of the tissue.

    Parameters
    ----------
    colours : BlockColours
        Of the whole slide, shape (M, N).
    softness : ndarray of float32, shape (M, N)
        From `her2path.imaging.focus.measure_softness`.
    tissue : ndarray of bool, shape (M, N)
    cuts : FoldCuts, optional

    Returns
    -------
    mask : ndarray of bool, shape (M, N)
    """
    cuts = cuts or FoldCuts()
    fold = _Judge(
        colours.density, smoothed(colours.floor, 1.0), softness, *_hue(colours, tissue), tissue, cuts
    )
    mask = np.zeros(tissue.shape, np.bool_)
    straight = _rise(colours.floor, _LONG, tissue, cuts.od)
    fold.mark(mask, straight > cuts.rim, straight > cuts.rise)
    pieces = _rise(colours.floor, _SHORT, tissue, cuts.od)
    soft = ((pieces > cuts.piece_rim) & (softness < cuts.soft_rim) & tissue).astype(np.uint8)
    joined = np.where(tissue, cv2.morphologyEx(soft, cv2.MORPH_CLOSE, disc(1)), np.uint8(0))
    without_threads = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    fold.mark(mask, without_threads, (pieces > cuts.piece_rise) & (softness < cuts.soft))
    return mask


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is known of every place, each of shape (M, N), to tell a fold from another band."""

    density: Plane
    palest: Plane
    softness: Plane
    hue: Plane
    """Blue minus red, over a mask pixel's density ..."""
    coloured: Plane
    """... and 1 where there is enough of it in tissue, else 0."""
    tissue: Mask
    cuts: FoldCuts

    def mark(self, mask: Mask, bands: Mask, begins: Mask) -> None:
        """Add those connected bands that are folds, with their rims, to a mask; in place."""
        labels, stats = connected(bands & self.tissue)
        for label, (_, _, width, height, area) in enumerate(stats.tolist()):
            length = math.hypot(width, height)
            if not label or length * MASK_MPP < self.cuts.length_um or self.cuts.slender * area > length**2:
                continue
            window, part = part_of(labels, stats, label, margin=_MARGIN)
            if (begins[window] & part).sum() >= self.cuts.begins * part.sum():
                mask[window] |= self._fold(window, part)

    def _fold(self, window: Window, part: Mask) -> Mask:
        """Give the fold that a band belongs to; nothing where it is none."""
        density, tissue, cuts = self.density[window], self.tissue[window], self.cuts
        near, far = (cv2.dilate(part.astype(np.uint8), disc(radius)) > 0 for radius in (2, 6))
        beside = density[far & ~near & tissue]
        layers = beside.size > 0 and np.median(beside) >= cuts.layer * density[part].mean()
        browner = self._browner(window, part, near)
        soft = self.softness[window][part].mean() < cuts.soft_mean
        if not (layers and soft and -cuts.hue < browner < cuts.brown):
            return np.zeros_like(part)
        palest = self.palest[window]
        return np.asarray(part | (near & tissue & (palest > 0.6 * palest[part].mean())), np.bool_)

    def _browner(self, window: Window, part: Mask, near: Mask) -> float:
        """Measure how much browner a band is than the tissue beside it, place by place."""
        hue, coloured = self.hue[window], self.coloured[window]
        own = _averaged(hue, coloured * part, 1.2)
        return float((own - _averaged(hue, coloured * ~near, 5.0))[part].mean())


_MARGIN = 12
"""Mask pixels around a band that are compared with it."""


def _rise(floor: Plane, shapes: _Shapes, tissue: Mask, od: float) -> Plane:
    """Measure how much denser than both flanks the best band through every place is, over the flanks."""
    best = np.zeros(tissue.shape, np.float32)
    for shape, step in shapes:
        size = (tissue.shape[1] // step, tissue.shape[0] // step)
        plane = cv2.resize(floor, size, interpolation=cv2.INTER_AREA)
        there = cv2.resize(tissue.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        bands = find_bands_by_tiles(np.asarray(plane, np.float32), shape, there)
        found = bands.rise / (np.maximum(bands.flanks, 0) + od)
        best = np.maximum(best, cv2.resize(found, tissue.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.asarray(best, np.float32)


def _hue(colours: BlockColours, tissue: Mask) -> tuple[Plane, Plane]:
    density = colours.density
    hue = np.clip((colours.blue - colours.red) / np.maximum(density, _HUE_OD), -1, 1)
    return np.asarray(hue, np.float32), (tissue & (density > _HUE_OD)).astype(np.float32)


def _averaged(plane: Plane, weight: Plane, sigma: float) -> Plane:
    return np.asarray(smoothed(plane * weight, sigma) / np.maximum(smoothed(weight, sigma), 1e-3), np.float32)
