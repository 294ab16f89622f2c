"""Hot spots: the small areas with most of what decided a score, for a person's review.

They are where to look, not what counts: the percentages of a guideline are over all cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.cell_lattice import PLACES_OF_CLASS, CellLattice, Counts, Floats

WINDOW_UM = 250.0
"""Edge of a hot spot; a microscope's field at 40x is twice as wide."""
MOST_SPOTS = 5
FEWEST_CELLS = 50
"""In a window of fewer cells a high share is too often an accident."""
_Z = 1.96


@dataclass(frozen=True, slots=True)
class HotSpot:
    """A square window of tissue and what it holds."""

    x_um: float
    y_um: float
    """Top left corner from the corner of the slide."""
    size_um: float
    counts: Counts
    """Shape (K,): cells by place in `STAININGS`."""

    @property
    def percentages(self) -> dict[str, float]:
        """Per cent of its cells by staining class."""
        total = int(self.counts.sum())
        return {str(name): 100 * int(self.counts[k].sum()) / total for name, k in PLACES_OF_CLASS.items()}


def find_hot_spots(
    lattice: CellLattice,
    counted: npt.NDArray[np.bool_],
    *,
    most: int = MOST_SPOTS,
    fewest_cells: int = FEWEST_CELLS,
) -> tuple[HotSpot, ...]:
    """Find the windows with the highest share of some stainings.

    Parameters
    ----------
    lattice : CellLattice
        Cells by squares; windows are moved by one square.
    counted : ndarray of bool, shape (K,)
        Stainings that count.
    most : int
        Windows wanted; fewer where the tissue is small or hardly stained.
    fewest_cells : int
        Windows with fewer cells are no spots.

    Returns
    -------
    tuple of HotSpot
        They do not overlap.  Ranked by the lower end of the 95 % interval of the share (Wilson), so
        that few cells do not win by chance; of equal ones the upper, then the left one comes first.
    """
    edge = round(WINDOW_UM / lattice.square_um)
    cells, marked = (
        _window_sums(plane, edge)
        for plane in (lattice.counts.sum(axis=2), lattice.counts[..., counted].sum(axis=2))
    )
    rank = np.where((cells >= fewest_cells) & (marked > 0), _wilson_low(marked, cells), -1.0)
    # Tissue at the edge of the slide: no window begins outside.
    rank[: max(0, edge - 1 - lattice.row0)] = -1.0
    rank[:, : max(0, edge - 1 - lattice.col0)] = -1.0
    found: list[HotSpot] = []
    while len(found) < most:
        row, col = (int(place) for place in np.unravel_index(int(np.argmax(rank)), rank.shape))
        if rank[row, col] < 0:
            break
        top, left = row - edge + 1, col - edge + 1
        window = lattice.counts[max(0, top) : row + 1, max(0, left) : col + 1]
        found.append(
            HotSpot(
                x_um=(lattice.col0 + left) * lattice.square_um,
                y_um=(lattice.row0 + top) * lattice.square_um,
                size_um=WINDOW_UM,
                counts=window.sum(axis=(0, 1)),
            )
        )
        rank[max(0, row - edge + 1) : row + edge, max(0, col - edge + 1) : col + edge] = -1.0
    return tuple(found)


def _window_sums(plane: Counts, edge: int) -> Counts:
    """Sum every window of `edge` squares; the place is that of its last square, windows may stick out."""
    summed = np.pad(plane, ((edge, edge - 1), (edge, edge - 1))).cumsum(axis=0).cumsum(axis=1)
    windows: Counts = (
        summed[edge:, edge:] - summed[:-edge, edge:] - summed[edge:, :-edge] + summed[:-edge, :-edge]
    )
    return windows


def _wilson_low(marked: Counts, cells: Counts) -> Floats:
    n = np.maximum(cells, 1)
    share, square = marked / n, _Z * _Z
    half = _Z * np.sqrt(share * (1 - share) / n + square / (4.0 * n * n))
    low: Floats = (share + square / (2 * n) - half) / (1 + square / n)
    # Rounded, so that the order of equal windows does not hang on the last bit.
    return np.asarray(np.round(low, 9), np.float64)
