"""Control tissue for a person's eye: each piece as scanned, and beside it with its scored cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.tissue_pieces import draw_tag

MARGIN_UM = 60.0
"""Surroundings that are shown of a piece, glass on all sides of it."""
_GAP_PX = 12
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
