"""Whether two counts of the same case fall on the same side of the cut-points of ISH.

Two counts can agree well on average and still part at a cut, which is where the result changes.  Sides are
told on whole numbers (``2 cep17 <= her2``), so a count on the cut does not depend on rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.bayesian_bootstrap import USUAL, Drawing
from her2path.domain.stats.confusion import confusion_table
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.kappa import cohens_kappa
from her2path.domain.stats.proportion import clopper_pearson_estimate, wilson_estimate

Counts = npt.NDArray[np.integer]


class CutQuantity(StrEnum):
    """What is cut."""

    RATIO = "her2_cep17_ratio"
    """HER2 signals over CEP17 signals."""
    COPIES = "her2_mean"
    """HER2 signals over nuclei."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut-point: at it or above, a count is on the upper side."""

    quantity: CutQuantity
    at: int


CUTS = (Cut(CutQuantity.RATIO, 2), Cut(CutQuantity.COPIES, 4), Cut(CutQuantity.COPIES, 6))
"""At which groups 1 to 5 part [Wolff 2018]; here to compare counts, never to call a case."""


@dataclass(frozen=True, slots=True)
class CutAgreement:
    """Cases by the side of a cut that each of two counts puts them on."""

    cut: Cut
    table: tuple[tuple[int, int], tuple[int, int]]
    """Rows: candidate at or above, below; columns: comparator likewise."""
    overall: Estimate
    """Share of cases on the same side (Wilson)."""
    overall_clopper_pearson: Estimate
    positive: Estimate
    """Of the cases at or above by the comparator, the share that is so by the candidate (Wilson)."""
    negative: Estimate
    """Likewise below."""
    kappa: Estimate
    """Cohen's, unweighted."""


def upper_side(her2: Counts, below: Counts, cut: int) -> npt.NDArray[np.bool_]:
    """Tell which counts are at a cut or above it.

    Parameters
    ----------
    her2, below : ndarray of integers, shape (n,)
        Signals, and what they are divided by (CEP17 signals, or nuclei), above 0.
    cut : int
        The cut-point.

    Examples
    --------
    >>> upper_side(np.array([80, 79]), np.array([40, 40]), 2).tolist()
    [True, False]
    """
    if her2.shape != below.shape or (below <= 0).any() or (her2 < 0).any():
        raise ValueError("need as many divisors above 0 as counts of signals")
    return her2.astype(np.int64) >= cut * below.astype(np.int64)


def cut_agreement(
    cut: Cut, candidate: tuple[Counts, Counts], comparator: tuple[Counts, Counts], *, drawing: Drawing = USUAL
) -> CutAgreement:
    """Compare two counts of the same cases at one cut.

    Parameters
    ----------
    cut : Cut
        Which cut.
    candidate, comparator : pair of ndarrays of integers, shape (n,)
        HER2 signals, and CEP17 signals (for the ratio) or nuclei (for copies), above 0: a case without CEP17
        signals has no ratio, and the caller leaves it out and says so.
    drawing : Drawing
        Of the bootstrap of kappa; its confidence holds for all intervals.

    Returns
    -------
    CutAgreement
        Estimates without value, with the reason, where no case is on that side, or none at all.

    Examples
    --------
    >>> cep17 = np.array([40, 40])
    >>> cut_agreement(CUTS[0], (np.array([80, 79]), cep17), (np.array([81, 80]), cep17)).table
    ((1, 0), (1, 0))
    """
    codes = [(~upper_side(*counts, cut.at)).astype(np.int64) for counts in (candidate, comparator)]
    table = confusion_table(codes[0], codes[1], np.ones(len(codes[0]), dtype=np.bool_), categories=2)
    (both, candidate_alone), (comparator_alone, neither) = table.tolist()
    same, cases = both + neither, int(table.sum())
    confidence = drawing.confidence
    return CutAgreement(
        cut=cut,
        table=((both, candidate_alone), (comparator_alone, neither)),
        overall=wilson_estimate(same, cases, confidence=confidence),
        overall_clopper_pearson=clopper_pearson_estimate(same, cases, confidence=confidence),
        positive=wilson_estimate(
            both,
            both + comparator_alone,
            confidence=confidence,
            none_why="the comparator has no case at or above the cut",
        ),
        negative=wilson_estimate(
            neither,
            neither + candidate_alone,
            confidence=confidence,
            none_why="the comparator has no case below the cut",
        ),
        kappa=cohens_kappa(table, drawing=drawing),
    )
