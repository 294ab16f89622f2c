"""Artefacts as areas with an outline, for people and for QuPath, and as sums, for a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from her2path.imaging.artefacts import ArtefactKind, Codes, Mask, artefact_code
from her2path.imaging.tissue import MASK_MPP

_SMOOTHING = 0.75
"""Mask pixels by which an outline may leave the pixels' stairs."""


@dataclass(frozen=True, slots=True)
class ArtefactArea:
    """One connected area of one kind."""

    kind: ArtefactKind
    polygon: shapely.Polygon
    """Level-0 pixels, origin top left; valid, holes kept."""
    area_mm2: float
    """Of the mask's pixels, before the outline was smoothed."""


@dataclass(frozen=True, slots=True)
class KindSum:
    """All areas of one kind on a slide."""

    kind: ArtefactKind
    areas: int
    area_mm2: float
    """On tissue and glass."""
    tissue_frac: float
    """Share of the tissue that it covers, 0 to 1."""


def outline_areas(codes: Codes, *, px0_per_px: float) -> tuple[ArtefactArea, ...]:
    """Draw a polygon around every connected area of every kind.

    Parameters
    ----------
    codes : ndarray of uint8, shape (M, N)
        Code mask.
    px0_per_px : float
        Level-0 pixels per mask pixel.

    Returns
    -------
    tuple of ArtefactArea
        By kind, then in reading order of their first pixel.
    """
    areas: list[ArtefactArea] = []
    for kind in ArtefactKind:
        mask = np.asarray(codes == artefact_code(kind), np.uint8)
        if not mask.any():
            continue
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for label in range(1, count):
            left, top, width, height, pixels = (int(value) for value in stats[label])
            part = labels[top : top + height, left : left + width] == label
            polygon = shapely.transform(_outline(part), lambda xy, at=(left, top): (xy + at) * px0_per_px)
            areas.append(ArtefactArea(kind, _smoothed(polygon, px0_per_px), pixels * MASK_MPP**2 / 1e6))
    return tuple(areas)


def _outline(mask: Mask) -> shapely.Polygon:
    """Unite the runs of a mask's rows; what touches at a corner only stays valid that way."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, stops = np.nonzero(edges == -1)
    united = shapely.union_all(shapely.box(starts, rows, stops, rows + 1))
    if not isinstance(united, shapely.Polygon):
        raise ValueError("an area is connected by the edges of its pixels")
    return united


def _smoothed(polygon: shapely.Polygon, px0_per_px: float) -> shapely.Polygon:
    smooth = polygon.simplify(_SMOOTHING * px0_per_px)
    return smooth if isinstance(smooth, shapely.Polygon) and smooth.is_valid else polygon


def sum_kinds(codes: Codes, tissue: npt.NDArray[np.bool_]) -> tuple[KindSum, ...]:
    """Sum area and share of tissue of every kind that is there, in the order of `ArtefactKind`."""
    total = max(int(tissue.sum()), 1)
    sums = []
    for kind in ArtefactKind:
        mask = codes == artefact_code(kind)
        pixels = int(mask.sum())
        if pixels:
            areas = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0] - 1
            share = float((mask & tissue).sum()) / total
            sums.append(KindSum(kind, areas, pixels * MASK_MPP**2 / 1e6, share))
    return tuple(sums)
