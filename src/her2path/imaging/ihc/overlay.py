"""The slide with its cells drawn in the colours of their scores, for a person's eye."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

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

    def draw(self, rings_px0: Sequence[npt.NDArray[np.float64]], scores: Sequence[int | None]) -> None:
        """Draw cells in their order.

        Parameters
        ----------
        rings_px0 : sequence of ndarray, shape (n, 2)
            Outlines in level-0 pixels, x first; each with its own n.
        scores : sequence of int or None
            0 to 3; None = not scored, drawn as a grey point.
        """
        for corners, alike in groupby(zip(rings_px0, scores, strict=True), lambda cell: len(cell[0])):
            if corners:
                rings, their_scores = zip(*alike, strict=True)
                self._draw_alike(np.stack(rings), their_scores)

    def _draw_alike(self, rings_px0: npt.NDArray[np.float64], scores: Sequence[int | None]) -> None:
        """Draw cells whose outlines have as many corners, shape (k, n, 2)."""
        # Pixel centres have whole coordinates in OpenCV, edges in level-0 coordinates.
        points = rings_px0 / self._px0_per_px - 0.5
        middles = np.rint(points.mean(axis=1)).astype(int).tolist()
        fixed = np.rint(points * 2**_SHIFT).astype(np.int32)
        small = (np.ptp(points, axis=1).max(axis=1) < _FILLED_BELOW_PX).tolist()
        for middle, ring, is_small, score in zip(middles, fixed, small, scores, strict=True):
            if score is None:
                cv2.circle(self._canvas, middle, 1, EXCLUDED_RGB, -1)
            elif is_small:
                cv2.fillPoly(self._canvas, [ring], SCORE_RGB[score], cv2.LINE_AA, _SHIFT)
            else:
                cv2.polylines(self._canvas, [ring], True, SCORE_RGB[score], 1, cv2.LINE_AA, _SHIFT)

    def finished(self) -> npt.NDArray[np.uint8]:
        """Return the picture, shape (M, N, 3)."""
        return self._canvas.copy()
