"""A picture of how staining is spread: each block coloured by its H-score and by its shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import StainingClass
from her2path.imaging.ihc.cell_lattice import Floats
from her2path.imaging.ihc.heterogeneity import BlockMap

Rgb = npt.NDArray[np.uint8]

COLUMNS = 3
SHOWN_CELLS = 10
"""Blocks with fewer cells are outlined only: a colour would promise more than they hold."""
_TITLES = {
    StainingClass.COMPLETE_INTENSE: "complete, intense",
    StainingClass.COMPLETE_WEAK_MODERATE: "complete, weak to moderate",
    StainingClass.INCOMPLETE_MODERATE_INTENSE: "incomplete, moderate to intense",
    StainingClass.INCOMPLETE_FAINT: "incomplete or faint",
    StainingClass.NONE: "no staining",
}
_GAP, _HEAD = 16, 58
_NARROWEST = 280
_INK = (27, 27, 27)
_OPAQUE = 0.8
_FADED = 0.4
"""How much of the tissue's own colour is taken away, so that it cannot be taken for that of a block."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a slide that a panel shows, in pixels of `mpp` µm."""

    row: int
    col: int
    height: int
    width: int
    mpp: float


def frame_blocks(blocks: BlockMap, *, finest_mpp: float, longest_px: int) -> Frame:
    """Choose the part of the slide that holds the blocks, and how finely it is shown.

    Parameters
    ----------
    blocks : BlockMap
        One block or more.
    finest_mpp : float
        Pixel size of the slide.
    longest_px : int
        Longer edge of the panel.
    """
    top, left = int(blocks.row.min()), int(blocks.col.min())
    rows, columns = int(blocks.row.max()) - top + 1, int(blocks.col.max()) - left + 1
    mpp = max(finest_mpp, blocks.block_um * max(rows, columns) / longest_px)
    size = blocks.block_um / mpp
    # Narrower, and the words above the panel would be cut.
    width = max(_NARROWEST, math.ceil(columns * size))
    return Frame(round(top * size), round(left * size), math.ceil(rows * size), width, mpp)


def draw_block_map(thumbnail: Rgb, blocks: BlockMap, frame: Frame) -> Rgb:
    """Draw six panels: the blocks' H-scores, and their percentages of each staining class.

    Parameters
    ----------
    thumbnail : ndarray of uint8, shape (M, N, 3)
        The tissue.
    blocks : BlockMap
        What was counted.
    frame : Frame
        Which part of the slide the thumbnail shows.

    Returns
    -------
    ndarray of uint8
        Colours run from dark blue (0) to yellow (most) and rise in lightness all the way (cividis [1]_),
        so that they can be told without red and green and in grey.  Blocks with fewer than
        `SHOWN_CELLS` cells are outlined only.

    References
    ----------
    .. [1] Nunez, Anderton & Renslow, PLoS ONE 13:e0199239 (2018).
    """
    grey = cv2.cvtColor(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    pale = np.asarray(np.rint(grey * (1 - _FADED) + 255 * _FADED), np.uint8)
    panels = [_panel(pale, blocks, blocks.h_score / 300, ("H-score", "300"), frame)]
    for place, name in enumerate(StainingClass):
        share = blocks.classes[:, place] / blocks.cells
        panels.append(_panel(pale, blocks, share, (_TITLES[name], "100 %"), frame))
    _scale_bar(panels[0], frame.mpp)
    return _montage(panels)


def _panel(
    pale: Rgb,
    blocks: BlockMap,
    level: Floats,
    words: tuple[str, str],
    frame: Frame,
) -> Rgb:
    canvas = pale.copy()
    colours = _colours(level)
    size = blocks.block_um / frame.mpp
    for number in range(len(blocks.cells)):
        left = blocks.col[number] * size - frame.col
        top = blocks.row[number] * size - frame.row
        x0, y0, x1, y1 = (round(float(v)) for v in (left, top, left + size, top + size))
        colour = tuple(int(v) for v in colours[number])
        if blocks.cells[number] >= SHOWN_CELLS:
            part = canvas[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)]
            part[:] = np.rint(part * (1 - _OPAQUE) + np.array(colour) * _OPAQUE)
        else:
            cv2.rectangle(canvas, (x0, y0), (x1 - 1, y1 - 1), colour, 1)
    return np.vstack([_head(canvas.shape[1], *words), canvas])


def _colours(level: Floats) -> Rgb:
    codes = np.rint(255 * np.clip(level, 0, 1)).astype(np.uint8)
    return cv2.applyColorMap(codes[:, None], cv2.COLORMAP_CIVIDIS)[:, 0, ::-1]  # type: ignore[return-value]


def _head(width: int, title: str, most: str) -> Rgb:
    """Draw the title and the colours' meaning above a panel."""
    head = np.full((_HEAD, width, 3), 255, np.uint8)
    cv2.putText(head, title, (0, 16), _FONT, 0.5, _INK, 1, cv2.LINE_AA)
    left, right = 16, min(width - 60, 216)
    head[28:44, left:right] = _colours(np.linspace(0, 1, right - left))
    cv2.putText(head, "0", (2, 41), _FONT, 0.45, _INK, 1, cv2.LINE_AA)
    cv2.putText(head, most, (right + 6, 41), _FONT, 0.45, _INK, 1, cv2.LINE_AA)
    return head


def _scale_bar(panel: Rgb, mpp: float) -> None:
    """Draw a bar of a round length, about a quarter of the panel, at the bottom left."""
    wanted = panel.shape[1] * mpp / 4
    power = 10 ** math.floor(math.log10(wanted))
    length = power * max(step for step in (1, 2, 5) if step * power <= wanted)
    words = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} um"
    x, y, long = 8, panel.shape[0] - 10, round(length / mpp)
    (wide, _), _ = cv2.getTextSize(words, _FONT, 0.45, 1)
    cv2.rectangle(panel, (x - 4, y - 22), (x + max(long, wide) + 4, y + 6), (255, 255, 255), -1)
    cv2.rectangle(panel, (x, y - 2), (x + long, y + 2), _INK, -1)
    cv2.putText(panel, words, (x, y - 7), _FONT, 0.45, _INK, 1, cv2.LINE_AA)


def _montage(panels: list[Rgb]) -> Rgb:
    height, width = panels[0].shape[:2]
    rows = math.ceil(len(panels) / COLUMNS)
    sheet = np.full(
        (rows * height + (rows + 1) * _GAP, COLUMNS * width + (COLUMNS + 1) * _GAP, 3), 255, np.uint8
    )
    for number, panel in enumerate(panels):
        y = _GAP + (number // COLUMNS) * (height + _GAP)
        x = _GAP + (number % COLUMNS) * (width + _GAP)
        sheet[y : y + height, x : x + width] = panel
    return sheet
