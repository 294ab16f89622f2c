"""Control tissue for a person's eye: each piece as scanned, and beside it with its scored cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.overlay import Overlay
from her2path.imaging.tissue_pieces import draw_tag

MARGIN_UM = 60.0
"""Surroundings that are shown of a piece."""
PANEL_PX = 700
"""Longest edge of a panel."""
FINEST_MPP = 0.5
_GAP_PX = 12
_OUTWARDS = 15 * np.array([-1, -1, 1, 1])
_GLASS = 255

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ControlPanel:
    """One piece of control tissue, twice the same place, shape (M, N, 3) each."""

    plain: Rgb
    """As scanned."""
    scored: Rgb
    """With its cells in the colours of their scores."""
    box: tuple[int, int, int, int]
    """Top, left, bottom and right of the control's cells in it (pixels)."""
    words: str
    """What stands in the corner of the box: its number and name."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Where a panel lies on the slide."""

    row: int
    """Pixels of the panel's size, from the slide's corner."""
    col: int
    height: int
    width: int
    px0_per_px: float

    @property
    def origin_px0(self) -> tuple[float, float]:
        """Left and top of the panel in level-0 pixels."""
        return self.col * self.px0_per_px, self.row * self.px0_per_px


def crop_around(box_px0: tuple[float, float, float, float], *, mpp: float, size_px0: tuple[int, int]) -> Crop:
    """Choose what to show of a piece of control tissue.

    Parameters
    ----------
    box_px0 : tuple of four floats
        Left, top, right and bottom of its cells, level-0 pixels.
    mpp : float
        Level-0 pixel size in µm.
    size_px0 : tuple of two ints
        Width and height of the slide; nothing beyond it is shown.
    """
    margin = MARGIN_UM / mpp
    left, top = (max(edge - margin, 0.0) for edge in box_px0[:2])
    right, bottom = (min(edge + margin, size) for edge, size in zip(box_px0[2:], size_px0, strict=True))
    scale = max(1.0, FINEST_MPP / mpp, (right - left) / PANEL_PX, (bottom - top) / PANEL_PX)
    row, col = math.floor(top / scale), math.floor(left / scale)
    height, width = math.ceil(bottom / scale) - row, math.ceil(right / scale) - col
    return Crop(row, col, height, width, scale)


def control_panel(
    rgb: Rgb,
    crop: Crop,
    *,
    rings_px0: npt.NDArray[np.float32],
    scores: npt.NDArray[np.int8],
    box_px0: tuple[float, float, float, float],
    words: str,
) -> ControlPanel:
    """Draw the scored cells of one piece of control tissue.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        The slide at `crop`.
    crop : Crop
    rings_px0 : ndarray of float32, shape (n, k, 2)
        Outlines of the scored cells, level-0 pixels, x first.
    scores : ndarray of int8, shape (n,)
        0 to 3.
    box_px0 : tuple of four floats
        Left, top, right and bottom of its cells, level-0 pixels.
    words : str
        Its number and name.
    """
    origin = np.asarray(crop.origin_px0, np.float64)
    overlay = Overlay(rgb, px0_per_px=crop.px0_per_px)
    overlay.draw(list(rings_px0.astype(np.float64) - origin), scores.tolist())
    # The box stands around whole cells, not through their centres.
    edges = (np.asarray(box_px0) - np.tile(origin, 2)) / crop.px0_per_px + _OUTWARDS
    left, top, right, bottom = np.rint(edges).astype(int).tolist()
    return ControlPanel(rgb, overlay.finished(), (top, left, bottom, right), words)


def draw_controls(panels: Sequence[ControlPanel]) -> Rgb:
    """Set the panels one below the other: as scanned on the left, scored on the right.

    Parameters
    ----------
    panels : sequence of ControlPanel
        In the order of their numbers; none gives a small white picture, for a file must be there.

    Returns
    -------
    picture : ndarray of uint8, shape (M, N, 3)
    """
    if not panels:
        return np.full((8, 8, 3), _GLASS, np.uint8)
    rows = [_row(panel) for panel in panels]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([_padded(row, width) for row in rows])


def _row(panel: ControlPanel) -> Rgb:
    tagged = np.ascontiguousarray(panel.plain).copy()
    draw_tag(tagged, panel.box, panel.words)
    gap = np.full((len(tagged), _GAP_PX, 3), _GLASS, np.uint8)
    return np.concatenate([tagged, gap, panel.scored], axis=1)


def _padded(row: Rgb, width: int) -> Rgb:
    right = width - row.shape[1]
    white = (_GLASS,) * 3
    return np.asarray(
        cv2.copyMakeBorder(row, 0, _GAP_PX, 0, right, cv2.BORDER_CONSTANT, value=white), np.uint8
    )
