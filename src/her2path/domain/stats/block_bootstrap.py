"""Tallies as another sample of the same tissue could give them: blocks of it, drawn again.

Blocks are drawn with replacement, each with all its cells, so that cells that lie together stay
together.  Blocks of one size never catch all of the correlation (patches reach over their borders),
so fewer blocks are drawn than there are: as many as make the variance of the shares that which
`clustering` measured, whatever the size of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.clustering import Clustering, student_quantile

Counts = npt.NDArray[np.int64]

FEWEST_BLOCKS = 20
"""With fewer blocks their drawings are too coarse to tell anything."""
FEWEST_AREAS = 4.0
"""With fewer windows of the correlation's size the variance itself is not known."""
FEWEST_DRAWN = 4
"""A drawing of fewer blocks has too few values."""
_SEED = 20_261_121
_CHUNK = 2**21
"""Drawn blocks worked on at a time (16 MB)."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How blocks are drawn."""

    blocks: int
    """Blocks with cells."""
    drawn: int
    """Blocks in each drawing, at most `blocks` - 1."""


def plan_drawings(cells: Counts, marked: Counts, clustering: Clustering) -> Resampling | None:
    """Choose how many blocks a drawing holds.

    Parameters
    ----------
    cells : ndarray of int64, shape (G,)
        Cells of each block, all above 0.
    marked : ndarray of int64, shape (K, G)
        How many of them bear each of the marks whose variance is known.
    clustering : Clustering
        What the variance of the shares is.

    Returns
    -------
    Resampling or None
        None where there are too few blocks or independent areas.

    Notes
    -----
    Drawing `m` of `G` blocks multiplies the variance by ``G / m`` [1]_.  That the variance was
    measured on few areas is allowed for as Student did, with the areas as degrees of freedom.

    References
    ----------
    .. [1] Bickel, Goetze & van Zwet, Stat Sinica 7:1 (1997).
    """
    blocks = len(cells)
    if blocks < FEWEST_BLOCKS or clustering.areas < FEWEST_AREAS:
        return None
    total = int(cells.sum())
    shares = marked.sum(axis=1) / total
    between = float(((marked - shares[:, None] * cells) ** 2).sum()) / total**2
    wider = (student_quantile(0.975, clustering.areas) / NormalDist().inv_cdf(0.975)) ** 2
    wanted = clustering.variance * wider
    # Without any difference between blocks every drawing is alike, however large.
    drawn = blocks - 1 if wanted == 0 else min(blocks - 1, round(blocks * between / wanted))
    return Resampling(blocks, drawn) if drawn >= FEWEST_DRAWN else None


def draw_tallies(counts: Counts, plan: Resampling, *, draws: int) -> Counts:
    """Add up the counts of blocks drawn with replacement.

    Parameters
    ----------
    counts : ndarray of int64, shape (G, C)
        Cells of each class in each block, in an order that does not depend on that of the cells.
    plan : Resampling
        How many blocks each drawing holds.
    draws : int
        Number of drawings.

    Returns
    -------
    tallies : ndarray of int64, shape (draws, C)
        The same for the same input: the seed is fixed.
    """
    rng = np.random.default_rng(_SEED)
    tallies = np.empty((draws, counts.shape[1]), np.int64)
    for part in _parts(draws, plan.drawn):
        many = part.stop - part.start
        chosen = rng.integers(0, plan.blocks, size=(many, plan.drawn))
        chosen += plan.blocks * np.arange(many)[:, None]
        times = np.bincount(chosen.ravel(), minlength=many * plan.blocks).reshape(many, plan.blocks)
        # Whole numbers far below 2**53 are exact as floats, which multiply ten times as fast.
        tallies[part] = np.rint(times.astype(np.float64) @ counts.astype(np.float64))
    return tallies


def _parts(draws: int, drawn: int) -> Iterator[slice]:
    step = max(1, _CHUNK // drawn)
    return (slice(start, min(start + step, draws)) for start in range(0, draws, step))
