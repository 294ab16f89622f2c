"""The slide in small with its tissue outlined and its artefacts marked by kind, for a person's eye."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefact_areas import ArtefactArea
from her2path.imaging.artefacts import KIND_RGB

TISSUE_RGB = (70, 70, 70)
_TINT = 0.25
"""Opacity of an area's filling: the tissue below stays visible."""
_SHIFT = 3
"""OpenCV draws to 1/8 pixel."""


def draw_quality(
    rgb: npt.NDArray[np.uint8],
    tissue: npt.NDArray[np.bool_],
    areas: Sequence[ArtefactArea],
    *,
    px0_per_px: float,
    px0_per_mask_px: float,
) -> npt.NDArray[np.uint8]:
    """Draw the outline of the tissue and every artefact.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        The slide in small.
    tissue : ndarray of bool, shape (P, Q)
    areas : sequence of ArtefactArea
    px0_per_px : float
        Level-0 pixels per pixel of `rgb`.
    px0_per_mask_px : float
        Level-0 pixels per pixel of `tissue`.

    Returns
    -------
    ndarray of uint8, shape (M, N, 3)
    """
    plain = np.ascontiguousarray(rgb)
    filled = plain.copy()
    drawn = [(KIND_RGB[area.kind], _rings(area, px0_per_px)) for area in areas]
    for colour, rings in drawn:
        cv2.fillPoly(filled, rings, colour, cv2.LINE_AA, _SHIFT)
    canvas = np.asarray(cv2.addWeighted(filled, _TINT, plain, 1 - _TINT, 0), np.uint8)
    found, _ = cv2.findContours(tissue.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    centres = [(np.asarray(outline, np.float64)[:, 0] + 0.5) * px0_per_mask_px for outline in found]
    border = [_points(centre, px0_per_px) for centre in centres]
    cv2.polylines(canvas, border, True, TISSUE_RGB, 1, cv2.LINE_AA, _SHIFT)
    for colour, rings in drawn:
        # A white line below keeps each colour readable on tissue of the same colour.
        cv2.polylines(canvas, rings, True, (255, 255, 255), 4, cv2.LINE_AA, _SHIFT)
        cv2.polylines(canvas, rings, True, colour, 2, cv2.LINE_AA, _SHIFT)
    return canvas


def _rings(area: ArtefactArea, px0_per_px: float) -> list[npt.NDArray[np.int32]]:
    rings = (area.polygon.exterior, *area.polygon.interiors)
    return [_points(np.asarray(ring.coords, np.float64), px0_per_px) for ring in rings]


def _points(xy_px0: npt.NDArray[np.float64], px0_per_px: float) -> npt.NDArray[np.int32]:
    # Pixel centres have whole coordinates in OpenCV, edges in level-0 coordinates.
    fixed = np.rint((xy_px0 / px0_per_px - 0.5) * 2**_SHIFT)
    return np.asarray(fixed, np.int32).reshape(-1, 1, 2)
