"""How evenly staining is spread over a slide, in numbers and block by block."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import StainingClass
from her2path.imaging.ihc.cell_lattice import (
    BLOCK_UM,
    PLACES_OF_CLASS,
    SCORES,
    STAININGS,
    CellLattice,
    Counts,
    Floats,
)

MIN_CELLS = 30
"""Fewest scored cells of a block that is compared with others."""
UNIFORM = 0.9
"""Share of the cells with one and the same score from which staining is called uniform: what is left
stays below the 10 % that guidelines look at."""
CLUSTERED = 0.1
"""Share of the variance between blocks from which staining is called clustered: below, a block tells
next to nothing of the cells within it (a convention of her2path)."""


class StainingSpread(StrEnum):
    """How differently stained cells lie among each other."""

    UNIFORM = "uniform"
    """Nearly all cells have one score."""
    SCATTERED = "scattered"
    """Scores differ, but alike everywhere: a mosaic of single cells."""
    CLUSTERED = "clustered"
    """Scores differ from area to area."""


@dataclass(frozen=True, slots=True)
class BlockMap:
    """Blocks of tissue with cells, row by row."""

    row: npt.NDArray[np.int64]
    col: npt.NDArray[np.int64]
    """Place on the grid of blocks that begins at the corner of the slide, shape (G,)."""
    cells: Counts
    classes: Counts
    """Shape (G, 5): cells by `StainingClass`, in its order."""
    h_score: Floats
    block_um: float

    def columns(self, *, mpp: float) -> dict[str, object]:
        """Return the columns of `ihc_blocks`; `mpp` turns places into level-0 pixels."""
        counts = {str(name): self.classes[:, place] for place, name in enumerate(StainingClass)}
        return {
            "x_px0": self.col * self.block_um / mpp,
            "y_px0": self.row * self.block_um / mpp,
            "size_um": np.full(len(self.cells), self.block_um),
            "cells": self.cells,
            **counts,
            "h_score": self.h_score,
        }


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Measures of how evenly staining is spread."""

    spread: StainingSpread | None
    """None: fewer than two blocks can be compared."""
    measures: dict[str, float]
    """See `measure_heterogeneity`."""

    @property
    def word(self) -> Literal["uniform", "scattered", "clustered"] | None:
        """The spread as documents write it."""
        return None if self.spread is None else self.spread.value


def map_blocks(lattice: CellLattice) -> BlockMap:
    """Sum cells by blocks of 250 µm and staining class."""
    blocks = lattice.coarsened(BLOCK_UM)
    cells = blocks.counts.sum(axis=2)
    row, col = np.nonzero(cells)
    counts = blocks.counts[row, col]
    classes = np.stack([counts[:, places].sum(axis=1) for places in PLACES_OF_CLASS.values()], axis=1)
    h_score = 100 * (counts @ SCORES) / cells[row, col]
    return BlockMap(row + blocks.row0, col + blocks.col0, cells[row, col], classes, h_score, BLOCK_UM)


def measure_heterogeneity(lattice: CellLattice) -> Heterogeneity:
    """Compare blocks of 250 µm, and cells within them.

    Parameters
    ----------
    lattice : CellLattice
        The scored cells.

    Returns
    -------
    Heterogeneity
        Its measures:

        ``fields``
            Blocks of 250 µm with 30 scored cells or more.
        ``quadratic_entropy``
            Mean difference of the scores of two cells drawn at random, 0 (all alike) to 1.5 (half 0,
            half 3+): Rao's quadratic entropy, which Potts et al. [1]_ use for HER2.
        ``h_score_low``, ``h_score_high``
            10th and 90th percentile of the blocks' H-scores; with two fields or more.
        ``intraclass_correlation``
            Share of the variance of the cells' scores that lies between blocks, beyond what chance
            brings there: 0 = every block is like the whole, 1 = every block is of one score.  The
            analysis-of-variance estimator for blocks of unequal size [2]_, not below 0; with two
            fields or more and scores that differ.

    References
    ----------
    .. [1] Potts et al., Lab Invest 92:1342 (2012).
    .. [2] Donner, Int Stat Rev 54:67 (1986).
    """
    blocks = lattice.coarsened(BLOCK_UM)
    by_score = _by_score(blocks.counts.reshape(-1, len(STAININGS)))
    everywhere = by_score.sum(axis=0)
    shares = everywhere / everywhere.sum()
    by_score = by_score[by_score.sum(axis=1) >= MIN_CELLS]
    measures = {
        "fields": float(len(by_score)),
        "quadratic_entropy": round(float(shares @ _DIFFERENCE @ shares), 4),
    }
    if len(by_score) < 2:
        return Heterogeneity(None, measures)
    h_scores = 100 * (by_score @ _LEVELS) / by_score.sum(axis=1)
    low, high = np.quantile(h_scores, (0.1, 0.9))
    measures |= {"h_score_low": round(float(low), 2), "h_score_high": round(float(high), 2)}
    between = _intraclass_correlation(by_score)
    if between is not None:
        measures["intraclass_correlation"] = round(between, 4)
    return Heterogeneity(_spread(shares, between), measures)


_LEVELS = np.arange(4)
_DIFFERENCE = np.abs(_LEVELS[:, None] - _LEVELS[None, :])


def _by_score(counts: Counts) -> Counts:
    return np.stack([counts[:, level == SCORES].sum(axis=1) for level in _LEVELS], axis=1)


def _spread(shares: Floats, between: float | None) -> StainingSpread:
    if float(shares.max()) >= UNIFORM or between is None:
        return StainingSpread.UNIFORM
    return StainingSpread.CLUSTERED if between >= CLUSTERED else StainingSpread.SCATTERED


def _intraclass_correlation(by_score: Counts) -> float | None:
    """Estimate it from cells of each score (columns) in each block (rows); None if all scores are one."""
    cells = by_score.sum(axis=1)
    blocks, total = len(cells), int(cells.sum())
    sums, squares = by_score @ _LEVELS, int((by_score @ _LEVELS**2).sum())
    of_blocks = float((sums**2 / cells).sum())
    within = (squares - of_blocks) / (total - blocks)
    between = (of_blocks - float(sums.sum()) ** 2 / total) / (blocks - 1)
    mean_cells = (total - float((cells**2).sum()) / total) / (blocks - 1)
    spread = between + (mean_cells - 1) * within
    return None if spread <= 0 else max(0.0, (between - within) / spread)
