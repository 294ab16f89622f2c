"""What other samples of the same tissue could have given: intervals that know of patches.

Cells of one slide are no independent observations.  On simulated fields whose patches are 80 to
400 µm across an interval that counts cells (Wilson's) holds the true percentage in 3 to 35 of 100
cases instead of 95; drawing blocks of tissue again, as many as the measured variance allows, holds it
in 93 to 97 wherever the tissue spans enough patches (``python -m tests.benchmarks score_interval``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.block_bootstrap import FEWEST_BLOCKS, Resampling, draw_tallies, plan_drawings
from her2path.domain.stats.clustering import Clustering, measure_clustering
from her2path.domain.stats.intervals import share_interval, wilson_interval
from her2path.imaging.ihc.cell_lattice import BLOCK_UM, SCORES, SQUARE_UM, CellLattice, Counts

DRAWS = 2000
"""The ends of a 95 % interval are then themselves known to about 0.4 points of probability."""
_BOUNDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class StatedPercentage:
    """A percentage of the scored cells with its 95 % intervals."""

    cells: int
    pct: float
    low_pct: float
    high_pct: float
    cells_low_pct: float
    cells_high_pct: float
    """As if every cell were independent of the others (Wilson)."""


@dataclass(frozen=True, slots=True)
class SamplingBasis:
    """How intervals were worked out, and from how much tissue."""

    method: str
    """``block_bootstrap`` or ``wilson_of_areas``."""
    block_um: float
    blocks: int
    drawn_blocks: int
    draws: int
    reach_um: float
    """Distance over which cells are more alike than by chance."""
    areas: float
    """Windows of the correlation's size that the tissue holds."""
    independent_cells: float
    """Independent cells that would give percentages as certain."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Tallies of samples that the same tissue could have given."""

    tally: Counts
    """Shape (K,): the cells that were counted, by place in `STAININGS`."""
    clustering: Clustering
    block_um: float
    blocks: int
    """Blocks with cells."""
    plan: Resampling | None
    """None: too few blocks or independent areas to draw any."""
    drawn: Counts
    """Shape (draws, K); no row without a plan."""

    @property
    def basis(self) -> SamplingBasis:
        """How the intervals were worked out."""
        return SamplingBasis(
            method="wilson_of_areas" if self.plan is None else "block_bootstrap",
            block_um=self.block_um,
            blocks=self.blocks,
            drawn_blocks=0 if self.plan is None else self.plan.drawn,
            draws=len(self.drawn),
            reach_um=self.clustering.reach * SQUARE_UM,
            areas=round(self.clustering.areas, 2),
            independent_cells=round(self.clustering.observations, 1),
        )

    def percentage(self, counted: npt.NDArray[np.bool_]) -> StatedPercentage:
        """State the percentage of some stainings.

        Parameters
        ----------
        counted : ndarray of bool, shape (K,)
            Stainings that count.

        Notes
        -----
        It is never narrower than that of independent cells, which also covers percentages of 0 and
        100, where drawing again tells nothing.  Without a plan the windows of the correlation's size
        are taken for the observations, as if each were all of one kind.
        """
        cells, total = int(self.tally[counted].sum()), int(self.tally.sum())
        of_cells = wilson_interval(cells, total)
        if self.plan is None:
            low, high = share_interval(cells / total, self.clustering.areas)
        else:
            shares = self.drawn[:, counted].sum(axis=1) / self.drawn.sum(axis=1)
            low, high = (float(bound) for bound in np.quantile(shares, _BOUNDS))
        wide = min(low, of_cells[0]), max(high, of_cells[1])
        return StatedPercentage(cells, 100 * cells / total, *(100 * bound for bound in (*wide, *of_cells)))

    def h_score_interval(self) -> tuple[float, float]:
        """95 % interval of the H-score, 0 to 300."""
        found = 100 * float(self.tally @ SCORES) / float(self.tally.sum())
        if self.plan is None:
            # No variable between 0 and 300 varies more than one that takes only these two values.
            low, high = share_interval(found / 300, self.clustering.areas)
            return 300 * low, 300 * high
        drawn = 100 * (self.drawn @ SCORES) / self.drawn.sum(axis=1)
        low, high = np.quantile(drawn, _BOUNDS)
        return min(float(low), found), max(float(high), found)


def sample_tissue(lattice: CellLattice, *, draws: int = DRAWS) -> Sampling:
    """Draw blocks of tissue again and tally their cells.

    Parameters
    ----------
    lattice : CellLattice
        Cells by squares of `SQUARE_UM`.
    draws : int
        Number of samples.
    """
    clustering = measure_clustering(lattice.counts.sum(axis=2), _marked(lattice.counts))
    blocks, block_um = lattice.coarsened(BLOCK_UM), BLOCK_UM
    if len(_occupied(blocks)) < FEWEST_BLOCKS:
        # Small tissue: the variance does not depend on the blocks, so smaller ones serve.
        blocks, block_um = lattice.coarsened(BLOCK_UM / 2), BLOCK_UM / 2
    counts = _occupied(blocks)
    plan = plan_drawings(counts.sum(axis=1), _marked(counts), clustering)
    drawn = (
        np.empty((0, counts.shape[1]), np.int64) if plan is None else draw_tallies(counts, plan, draws=draws)
    )
    return Sampling(counts.sum(axis=0), clustering, block_um, len(counts), plan, drawn)


def _occupied(lattice: CellLattice) -> Counts:
    counts = lattice.counts.reshape(-1, lattice.counts.shape[2])
    occupied: Counts = counts[counts.sum(axis=1) > 0]
    return occupied


def _marked(counts: Counts) -> Counts:
    """Cells that score at least 1, 2 and 3: what percentages and the H-score are made of."""
    return np.stack([counts[..., score <= SCORES].sum(axis=-1) for score in (1, 2, 3)])
