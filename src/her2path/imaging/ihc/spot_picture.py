"""Hot spots side by side at full resolution, each as it is and with its cells outlined."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcScore
from her2path.imaging.ihc.overlay import EXCLUDED_RGB, SCORE_RGB, Overlay

Rgb = npt.NDArray[np.uint8]

SPOTS_PER_ROW = 2
_GAP, _HEAD = 12, 52
_INK = (27, 27, 27)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class SpotCrop:
    """One hot spot, on which cells are drawn one after the other."""

    def __init__(self, rgb: Rgb, *, corner_px0: tuple[float, float], px0_per_px: float, words: str) -> None:
        """Take the tissue of the window, shape (S, S, 3), and where its corner lies (x first)."""
        self._plain = rgb
        self._overlay = Overlay(rgb, px0_per_px=px0_per_px)
        self._corner = np.array(corner_px0)
        self._end = self._corner + np.array(rgb.shape[1::-1]) * px0_per_px
        self._words = words
        # Half as far again as a large cell reaches: a cell further away shows nothing here.
        reach = 0.1 * rgb.shape[0] * px0_per_px
        self._near = tuple(float(v) for v in (*(self._corner - reach), *(self._end + reach)))

    def near(self, x_px0: npt.NDArray[np.float64], y_px0: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        """Tell which cells with these centres could reach into the window, as places, ascending."""
        left, top, right, bottom = self._near
        inside = (left <= x_px0) & (x_px0 <= right) & (top <= y_px0) & (y_px0 <= bottom)
        return np.flatnonzero(inside)

    def draw(self, rings_px0: Sequence[npt.NDArray[np.float64]], scores: Sequence[int | None]) -> None:
        """Draw cells; see `Overlay.draw`."""
        self._overlay.draw([ring - self._corner for ring in rings_px0], scores)

    def finished(self) -> Rgb:
        """Return the window without and with its cells, side by side under its words."""
        pair = np.hstack([self._plain, _column(self._plain.shape[0], 4), self._overlay.finished()])
        head = np.full((_HEAD, pair.shape[1], 3), 255, np.uint8)
        cv2.putText(head, self._words, (2, 36), _FONT, 1.0, _INK, 2, cv2.LINE_AA)
        return np.vstack([head, pair])


def draw_spots(crops: list[SpotCrop], *, mpp: float, words: Sequence[str] = tuple(IhcScore)) -> Rgb:
    """Set hot spots side by side, two in a row, with a scale bar and the meaning of the colours.

    Parameters
    ----------
    crops : list of SpotCrop
        Of one size; empty where no area is conspicuous.
    mpp : float
        Pixel size of the crops in µm.
    words : sequence of str
        What the four classes of scored cells are called, weakest first.
    """
    if not crops:
        blank = np.full((120, 640, 3), 255, np.uint8)
        cv2.putText(blank, "no stained area to show", (20, 66), _FONT, 0.7, _INK, 1, cv2.LINE_AA)
        return blank
    pairs = [crop.finished() for crop in crops]
    height, width = pairs[0].shape[:2]
    columns = min(SPOTS_PER_ROW, len(pairs))
    rows = math.ceil(len(pairs) / columns)
    sheet = np.full((rows * (height + _GAP) + 48, columns * (width + _GAP) + _GAP, 3), 255, np.uint8)
    for number, pair in enumerate(pairs):
        y = (number // columns) * (height + _GAP)
        x = _GAP + (number % columns) * (width + _GAP)
        sheet[y : y + height, x : x + width] = pair
    _legend(sheet, mpp, words)
    return sheet


def _column(height: int, width: int) -> Rgb:
    return np.full((height, width, 3), 255, np.uint8)


def _legend(sheet: Rgb, mpp: float, words: Sequence[str]) -> None:
    y, x = sheet.shape[0] - 14, _GAP
    long = round(50 / mpp)
    cv2.rectangle(sheet, (x, y - 10), (x + long, y - 4), _INK, -1)
    cv2.putText(sheet, "50 um", (x + long + 10, y), _FONT, 0.9, _INK, 2, cv2.LINE_AA)
    x += long + 150
    entries = list(zip((*SCORE_RGB, EXCLUDED_RGB), (*words, "not scored"), strict=True))
    widths = [max(110, 58 + cv2.getTextSize(word, _FONT, 0.9, 2)[0][0]) for _, word in entries]
    # Words smaller where few or small spots leave no room for them.
    fits = min(1.0, max(0.3, (sheet.shape[1] - x - _GAP) / sum(widths)))
    side = round(24 * fits)
    for (colour, word), width in zip(entries, widths, strict=True):
        cv2.rectangle(sheet, (x, y + 2 - side), (x + side, y + 2), colour, -1)
        cv2.putText(sheet, word, (x + round(34 * fits), y), _FONT, 0.9 * fits, _INK, 2, cv2.LINE_AA)
        x += round(width * fits)
