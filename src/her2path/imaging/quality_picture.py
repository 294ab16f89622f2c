"""The slide in small with its tissue outlined and its artefacts marked by kind, for a person's eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefact_areas import ArtefactArea
from her2path.imaging.artefacts import KIND_RGB

TISSUE_RGB = (70, 70, 70)
FIELD_RGB = (255, 255, 255)
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


def mark_fields(
    picture: npt.NDArray[np.uint8],
    places_px0: Mapping[str, tuple[int, int, int, int]],
    *,
    px0_per_px: float,
) -> npt.NDArray[np.uint8]:
    """Draw the chosen fields of a fluorescence scan with their names.

    Parameters
    ----------
    picture : ndarray of uint8, shape (M, N, 3)
        The scan in small, RGB.
    places_px0 : mapping of str to (top, left, height, width)
        Fields in level-0 pixels; those that cover the whole picture are not drawn.
    px0_per_px : float
        Level-0 pixels per pixel of the picture.
    """
    drawn = np.ascontiguousarray(picture).copy()
    for name, place in places_px0.items():
        top, left, height, width = (round(value / px0_per_px) for value in place)
        if height >= picture.shape[0] - 1 and width >= picture.shape[1] - 1:
            continue
        cv2.rectangle(drawn, (left, top), (left + width, top + height), FIELD_RGB, 2, cv2.LINE_AA)
        label = name.rsplit(".", maxsplit=1)[-1]
        at = (left + 6, top + 22)
        cv2.putText(drawn, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, FIELD_RGB, 2, cv2.LINE_AA)
    return drawn


def _rings(area: ArtefactArea, px0_per_px: float) -> list[npt.NDArray[np.int32]]:
    rings = (area.polygon.exterior, *area.polygon.interiors)
    return [_points(np.asarray(ring.coords, np.float64), px0_per_px) for ring in rings]


def _points(xy_px0: npt.NDArray[np.float64], px0_per_px: float) -> npt.NDArray[np.int32]:
    # Pixel centres have whole coordinates in OpenCV, edges in level-0 coordinates.
    fixed = np.rint((xy_px0 / px0_per_px - 0.5) * 2**_SHIFT)
    return np.asarray(fixed, np.int32).reshape(-1, 1, 2)
