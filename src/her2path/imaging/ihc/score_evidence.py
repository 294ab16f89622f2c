"""What stands behind a score: how certain it is, how its cells are spread, and where to look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.guideline.conditions import Quantity
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.quantities import PER_CENT
from her2path.domain.ihc import STAINED, IhcReading, Reactivity, StainingClass, levels_from
from her2path.domain.ihc_chances import (
    TOO_LITTLE_TISSUE,
    ScoreChances,
    Tallies,
    TallyGrid,
    deciding_share,
    score_chances,
)
from her2path.domain.verdict import NotEvaluable
from her2path.imaging.ihc.cell_lattice import STAININGS, CellLattice
from her2path.imaging.ihc.heterogeneity import BlockMap, Heterogeneity, map_blocks, measure_heterogeneity
from her2path.imaging.ihc.hot_spots import HotSpot, find_hot_spots
from her2path.imaging.ihc.sampling import Sampling, sample_tissue

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ScoreEvidence:
    """Everything that is worked out from the places of the scored cells."""

    sampling: Sampling
    chances: ScoreChances | NotEvaluable
    heterogeneity: Heterogeneity
    blocks: BlockMap
    deciding: Quantity[IhcReading]
    """The percentage that carried the score."""
    spots: tuple[HotSpot, ...]


def weigh_score(
    lattice: CellLattice, reading: IhcReading, guideline: Guideline, *, rule_id: str
) -> ScoreEvidence:
    """Work out how certain a score is and what it rests on.

    Parameters
    ----------
    lattice : CellLattice
        The scored cells.
    reading : IhcReading
        The same cells as the guideline reads them.
    guideline : Guideline
        Whose score.
    rule_id : str
        The rule of `guideline.ihc` that held.
    """
    sampling = sample_tissue(lattice)
    deciding = deciding_share(next(rule for rule in guideline.ihc if rule.id == rule_id))
    return ScoreEvidence(
        sampling=sampling,
        chances=_chances(sampling, reading, guideline),
        heterogeneity=measure_heterogeneity(lattice),
        blocks=map_blocks(lattice),
        deciding=deciding,
        spots=find_hot_spots(lattice, counted_by(deciding, reading)),
    )


def _chances(sampling: Sampling, reading: IhcReading, guideline: Guideline) -> ScoreChances | NotEvaluable:
    if sampling.plan is None:
        return TOO_LITTLE_TISSUE
    return score_chances(reading, guideline, Tallies(STAININGS, sampling.drawn))


def counted_by(quantity: Quantity[IhcReading], reading: IhcReading) -> Mask:
    """Tell which of the `STAININGS` a percentage counts, by asking it for a single cell of each."""
    one_of_each = TallyGrid.of(Tallies(STAININGS, np.eye(len(STAININGS), dtype=np.int64)), reading)
    found: Mask = np.asarray(quantity.numerator(one_of_each), np.int64) > 0  # type: ignore[arg-type]
    return found


def named_shares(reading: IhcReading, guideline: Guideline) -> tuple[dict[str, Mask], dict[str, Mask]]:
    """List the percentages that are stated, by name, with the `STAININGS` that each counts.

    Returns
    -------
    classes, others : dict
        The staining classes with ``stained``; the levels of staining and whatever else the guideline
        compares with a cut-point.
    """
    one_of_each = TallyGrid.of(Tallies(STAININGS, np.eye(len(STAININGS), dtype=np.int64)), reading)
    classes = {str(name): one_of_each.cells_of(name) > 0 for name in StainingClass}
    classes["stained"] = one_of_each.cells_of(*STAINED) > 0
    levels = levels_from(Reactivity.FAINT)
    others = {str(name): one_of_each.cells_of(name) > 0 for name in levels}
    others["at_least_weak_moderate"] = one_of_each.cells_of(*levels_from(Reactivity.WEAK_MODERATE)) > 0
    for cut in guideline.ihc_cuts:
        name = cut.quantity.name.removeprefix("pct_")
        if cut.quantity.unit == PER_CENT and name not in classes:
            others.setdefault(name, counted_by(cut.quantity, reading))
    return classes, others
