"""What cells express, read along the rays of their contours from the maps of a network.

A border between two cells shows what both of them express, and no microscope separates the two.
A reader does, by looking at the other borders of both cells; the network is taught to, and answers
for each place within a cell what *this* cell has on the nearest piece of its contour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.rays import AT_ONCE, COS, SIN, Coordinates, Floats, parts_of

PIXEL = 2
"""Pixels of the tile in one of the maps."""
_SHARES = np.array([0.5, 0.6, 0.7, 0.8], np.float32)
"""Where the maps are read, on the way from the centre to the contour.  Nearer to the contour a small error of
its place reads the neighbour; nearer to the centre all directions are alike."""


@dataclass(frozen=True, slots=True)
class Expressed:
    """Staining of a cell's own, along its rays; both of shape (n, ANGLES)."""

    chance: Floats
    """Probability that the cell stains this piece of its contour."""
    amount_od_um: Floats
    """DAB across the membrane if it does, as in a patch of cells alike (OD x µm)."""


@dataclass(frozen=True, slots=True)
class ExpressionMaps:
    """Answers of a network for one tile."""

    values: npt.NDArray[np.float32]
    """Shape (m, n, 2): probability, and square root of the amount; a pixel covers `PIXEL` of the tile."""
    top: int
    left: int
    """Pixels of the tile before the first of the maps."""

    mpp: float
    """Pixel size of the tile in µm."""

    def along(self, x: Coordinates, y: Coordinates, contour_um: Floats) -> Expressed:
        """Read the maps between centres and contours.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Centres in pixels of the tile (the middle of a pixel has whole coordinates).
        contour_um : ndarray of float32, shape (n, ANGLES)
            Outlines around them.

        Returns
        -------
        Expressed
        """
        found = np.empty((*contour_um.shape, 2), np.float32)
        for part in parts_of(len(x), AT_ONCE):
            found[part] = self._along(x[part], y[part], contour_um[part])
        chance, root = found[..., 0], found[..., 1]
        return Expressed(chance, np.asarray(np.maximum(root, 0) ** 2, np.float32))

    def _along(self, x: Coordinates, y: Coordinates, contour_um: Floats) -> Floats:
        distance = contour_um[..., None] * _SHARES / np.float32(PIXEL * self.mpp)
        # The middle of the first pixel of the maps lies half a pixel of the tile beyond `left`, `top`.
        column, row = (
            ((place - edge - 0.5) / PIXEL).astype(np.float32)[:, None, None]
            # Offsets on OpenCV's grid of 32nds of a pixel do not depend on the place of the tile.
            + (np.rint(direction[:, None] * distance * 32) / 32).astype(np.float32)
            for place, edge, direction in ((x, self.left, COS), (y, self.top, SIN))
        )
        shape = column.shape
        found = cv2.remap(
            self.values,
            column.reshape(-1, shape[2]),
            row.reshape(-1, shape[2]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(found.reshape(*shape, 2).mean(axis=2), np.float32)
