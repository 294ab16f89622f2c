"""Scored cells counted in squares of tissue: what intervals, maps and hot spots are made from.

The squares have a fixed place on the slide (their grid begins at the corner of level 0) and are
counted in whole numbers, so nothing depends on the order of the cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, StainingClass, staining_class
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SQUARE_UM = 62.5
"""Edge of a square: a few cells across, and a quarter of a block."""
BLOCK_UM = 250.0
"""Edge of a block: about what a microscope shows at 40x, half a millimetre across, in four parts."""
STAININGS: tuple[tuple[Intensity, Pattern], ...] = tuple(product(INTENSITIES, PATTERNS))
"""What a cell can show; classes are counted by their place here."""
SCORES: Counts = np.array([CELL_SCORE[staining_class(*staining)] for staining in STAININGS], np.int64)
"""Score of a cell, 0 to 3, by its place in `STAININGS`."""


PLACES_OF_CLASS: Mapping[StainingClass, list[int]] = {
    name: [place for place, staining in enumerate(STAININGS) if staining_class(*staining) is name]
    for name in StainingClass
}
"""Places in `STAININGS` of each staining class."""


def staining_places(intensity: npt.NDArray[np.int8], pattern: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Turn places in `INTENSITIES` and `PATTERNS` into places in `STAININGS`.

    Examples
    --------
    >>> place = staining_places(np.array([4], np.int8), np.array([3], np.int8))
    >>> [str(word) for word in STAININGS[place[0]]]
    ['strong', 'complete']
    """
    return (intensity * len(PATTERNS) + pattern).astype(np.int8)


@dataclass(frozen=True, slots=True)
class CellLattice:
    """Cells of one slide by square and staining."""

    counts: Counts
    """Shape (R, C, K), K as `STAININGS`."""
    row0: int
    col0: int
    """Place of the first square on the grid that begins at the corner of the slide."""
    square_um: float = SQUARE_UM

    @property
    def total(self) -> int:
        """Number of cells."""
        return int(self.counts.sum())

    def coarsened(self, edge_um: float) -> CellLattice:
        """Join squares to larger ones whose edge is a multiple of theirs."""
        factor = round(edge_um / self.square_um)
        top, left = self.row0 % factor, self.col0 % factor
        rows, columns, kinds = self.counts.shape
        bottom, right = -(top + rows) % factor, -(left + columns) % factor
        padded = np.pad(self.counts, ((top, bottom), (left, right), (0, 0)))
        joined = padded.reshape(
            padded.shape[0] // factor, factor, padded.shape[1] // factor, factor, kinds
        ).sum(axis=(1, 3))
        return CellLattice(joined, self.row0 // factor, self.col0 // factor, edge_um)


def count_cells(x_um: Floats, y_um: Floats, staining: npt.NDArray[np.int8]) -> CellLattice:
    """Count cells in squares.

    Parameters
    ----------
    x_um, y_um : ndarray of float64, shape (n,)
        Places of the scored cells from the corner of the slide; n >= 1.
    staining : ndarray of int8, shape (n,)
        Place of each cell's staining in `STAININGS`.

    Examples
    --------
    >>> lattice = count_cells(np.array([10.0, 70.0]), np.array([10.0, 10.0]), np.zeros(2, np.int8))
    >>> lattice.counts.sum(axis=2).tolist()
    [[1, 1]]
    """
    columns, rows = (np.floor(place / SQUARE_UM).astype(np.int64) for place in (x_um, y_um))
    row0, col0 = int(rows.min()), int(columns.min())
    shape = (int(rows.max()) - row0 + 1, int(columns.max()) - col0 + 1, len(STAININGS))
    place = np.ravel_multi_index((rows - row0, columns - col0, staining.astype(np.int64)), shape)
    counts = np.bincount(place, minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)
    return CellLattice(counts, row0, col0)
