"""From counts of signals to the entries of `qa/agreement.json` that compare two counts of the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.domain.read_matrix import Mask
from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.bland_altman import Scale, bland_altman
from her2path.domain.stats.cut_agreement import CUTS, Cut, cut_agreement, upper_side
from her2path.domain.stats.deming import Scatter, deming
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.intraclass import intraclass
from her2path.domain.stats.passing_bablok import passing_bablok
from her2path.io.agreement_entries import MOST_LISTED, Compared, estimates_of
from her2path.io.qa_documents import CutEntry, MethodEntry, PointsEntry

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Quantity = Literal["her2_cep17_ratio", "her2_mean", "cep17_mean"]
QUANTITIES: tuple[Quantity, ...] = ("her2_cep17_ratio", "her2_mean", "cep17_mean")
MOST_POINTS = 300
"""Cases of one comparison that are plotted, at most."""
_FARTHEST = 60
"""Of them, those that differ most."""
_PARTS: dict[Quantity, tuple[str, str]] = {
    "her2_cep17_ratio": ("her2", "cep17"),
    "her2_mean": ("her2", "nuclei"),
    "cep17_mean": ("cep17", "nuclei"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What one reader counted of each case; each shape (N,), with a mask of where there is a number."""

    read: Mask
    her2: tuple[Counts, Mask]
    cep17: tuple[Counts, Mask]
    nuclei: tuple[Counts, Mask]

    def parts(self, quantity: Quantity) -> tuple[Counts, Counts, Mask]:
        """Numerator, denominator, and where both were counted."""
        above, below = (getattr(self, name) for name in _PARTS[quantity])
        return above[0], below[0], above[1] & below[1]


def method_entry(
    compared: Compared,
    quantity: Quantity,
    sides: tuple[Counted, Counted],
    case_ids: Sequence[str],
    drawing: Drawing,
    *,
    plotted: bool,
) -> MethodEntry | None:
    """Compare two counts of the same cases.

    Parameters
    ----------
    compared : Compared
        Who counted.
    quantity : str
        What is compared.
    sides : pair of Counted
        Of the same cases in the same order.
    case_ids : sequence of str
        Their ids.
    drawing : Drawing
        Of the bootstrap of kappa; its confidence holds for all intervals.
    plotted : bool
        Whether lines are fitted and points kept; fitting takes time with the square of the cases.

    Returns
    -------
    MethodEntry or None
        None where no case was counted by both.
    """
    (above, below, counted), (other_above, other_below, other_counted) = (
        side.parts(quantity) for side in sides
    )
    both = counted & other_counted
    # A ratio asks for a signal below, its logarithm for one above as well.
    signals = (above > 0) & (below > 0) & (other_above > 0) & (other_below > 0)
    use = both & signals
    if not both.any():
        return None
    first, second = above[use] / below[use], other_above[use] / other_below[use]
    read = sides[0].read & sides[1].read
    lost = {
        "no_signal": int((both & ~signals).sum()),
        "not_counted": int((read & ~both & (counted | other_counted)).sum()),
    }
    ids = [case_ids[place] for place in np.flatnonzero(use).tolist()]
    cuts = [cut for cut in CUTS if cut.quantity == quantity]
    parts = ((above[use], below[use]), (other_above[use], other_below[use]))
    return MethodEntry(
        kind=compared.kind,
        quantity=quantity,
        first=compared.first,
        second=compared.second,
        first_session=compared.first_session,
        second_session=compared.second_session,
        cases=int(use.sum()),
        estimates=estimates_of(_estimates(first, second, drawing.confidence, lines=plotted)),
        cuts=tuple(_cut_entry(cut, parts, ids, drawing) for cut in cuts),
        points=_points(first, second, ids) if plotted else None,
        left_out={reason: n for reason, n in lost.items() if n},
    )


def _estimates(first: Floats, second: Floats, confidence: float, *, lines: bool) -> dict[str, Estimate]:
    limits = bland_altman(first, second, scale=Scale.LOG_RATIO, confidence=confidence)
    found = {
        "bias": limits.bias,
        "lower_limit": limits.lower_limit,
        "upper_limit": limits.upper_limit,
        "proportional_bias": limits.slope,
    }
    if lines:
        # The error of a counted ratio grows with the ratio.
        line = deming(first, second, scatter=Scatter.PROPORTIONAL, confidence=confidence)
        ranks = passing_bablok(first, second, confidence=confidence)
        found |= {
            "deming_slope": line.slope,
            "deming_intercept": line.intercept,
            "passing_bablok_slope": ranks.slope,
            "passing_bablok_intercept": ranks.intercept,
        }
    # On logarithms like the limits: a few strongly amplified cases would otherwise be all of the variance.
    values = np.log(np.stack([first, second], axis=1))
    correlation = intraclass(values, np.ones(values.shape, dtype=np.bool_), confidence=confidence)
    return found | {"icc": correlation.icc_2_1}


def _cut_entry(
    cut: Cut, parts: tuple[tuple[Counts, Counts], tuple[Counts, Counts]], ids: Sequence[str], drawing: Drawing
) -> CutEntry:
    found = cut_agreement(cut, *parts, drawing=drawing)
    apart = upper_side(*parts[0], cut.at) != upper_side(*parts[1], cut.at)
    return CutEntry(
        cut=float(cut.at),
        table=found.table,
        estimates=estimates_of(
            {
                "overall": found.overall,
                "overall_clopper_pearson": found.overall_clopper_pearson,
                "positive": found.positive,
                "negative": found.negative,
                "kappa": found.kappa,
            }
        ),
        case_ids=tuple(ids[place] for place in np.flatnonzero(apart)[:MOST_LISTED].tolist()),
    )


def _points(first: Floats, second: Floats, ids: Sequence[str]) -> PointsEntry:
    """Keep cases evenly over the range and those farthest apart, so that a plot hides no outlier."""
    order = np.lexsort((second, first))
    many = len(order)
    chosen = order
    if many > MOST_POINTS:
        apart = np.abs(np.log(first / second))
        farthest = np.argsort(-apart, kind="stable")[:_FARTHEST]
        even = np.round(np.linspace(0, many - 1, MOST_POINTS - _FARTHEST)).astype(np.int64)
        chosen = order[np.isin(order, np.union1d(order[even], farthest))]
    return PointsEntry(
        of=many,
        case_ids=tuple(ids[place] for place in chosen.tolist()),
        first=tuple(first[chosen].tolist()),
        second=tuple(second[chosen].tolist()),
    )
