"""The slide with its cells drawn in the colours of their scores, for a person's eye."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SCORE_RGB: tuple[tuple[int, int, int], ...] = ((70, 130, 200), (245, 215, 40), (235, 125, 20), (150, 15, 30))
"""0 blue, 1+ yellow, 2+ orange, 3+ dark red: they also differ in lightness, so that a person who does not
tell red from green reads them."""
EXCLUDED_RGB = (150, 150, 150)
_FILLED_BELOW_PX = 9.0
"""Cells smaller than this on the picture are filled: their outlines would run together."""
_SHIFT = 3


class Overlay:
    """A picture on which cells are drawn one after the other."""

    def __init__(self, rgb: npt.NDArray[np.uint8], *, px0_per_px: float) -> None:
        """Draw on a copy of `rgb`, shape (M, N, 3), whose pixels are `px0_per_px` level-0 pixels wide."""
        self._canvas = np.ascontiguousarray(rgb).copy()
        self._px0_per_px = px0_per_px

    def draw(self, ring_px0: npt.NDArray[np.float64], *, score: int | None) -> None:
        """Draw one cell.

        Parameters
        ----------
        ring_px0 : ndarray, shape (n, 2)
            Outline in level-0 pixels, x first.
        score : int or None
            0 to 3; None = not scored, drawn as a grey point.
        """
        # Pixel centres have whole coordinates in OpenCV, edges in level-0 coordinates.
        points = ring_px0 / self._px0_per_px - 0.5
        if score is None:
            x, y = np.rint(points.mean(axis=0)).astype(int)
            cv2.circle(self._canvas, (int(x), int(y)), 1, EXCLUDED_RGB, -1)
            return
        fixed = np.rint(points * 2**_SHIFT).astype(np.int32)
        colour = SCORE_RGB[score]
        if float(np.ptp(points, axis=0).max()) < _FILLED_BELOW_PX:
            cv2.fillPoly(self._canvas, [fixed], colour, cv2.LINE_AA, _SHIFT)
        else:
            cv2.polylines(self._canvas, [fixed], True, colour, 1, cv2.LINE_AA, _SHIFT)

    def finished(self) -> npt.NDArray[np.uint8]:
        """Return the picture, shape (M, N, 3)."""
        return self._canvas.copy()
