"""Everything that a table of two readers tells, from one set of drawings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.bayesian_bootstrap import (
    METHOD,
    ONE_CATEGORY,
    USUAL,
    Drawing,
    cells_of,
    draw_tables,
    drawn_estimate,
)
from her2path.domain.stats.confusion import (
    NO_CASE,
    Table,
    exact_agreement,
    exact_agreement_clopper_pearson,
    within_one_agreement,
)
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.gwet import ac_of_sums
from her2path.domain.stats.kappa import agreement_features, cohens_kappa
from her2path.domain.stats.krippendorff_alpha import alpha_of_sums, alpha_value, coincidence_features
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of two readers on categories in order."""

    exact: Estimate
    exact_clopper_pearson: Estimate
    within_one: Estimate
    kappa: Estimate
    kappa_linear: Estimate
    kappa_quadratic: Estimate
    ac1: Estimate
    ac2: Estimate
    """Quadratic weights."""
    alpha: Estimate
    """Ordinal."""


def pair_agreement(table: Table, *, drawing: Drawing = USUAL) -> PairAgreement:
    """Measure the agreement of two readers.

    Parameters
    ----------
    table : ndarray of int64, shape (K, K)
        Cases by the categories of the first (rows) and second reader, in ascending order.
    drawing : Drawing
        Of the bootstrap, shared by all coefficients.

    Examples
    --------
    >>> found = pair_agreement(np.array([[20, 2, 0], [1, 15, 3], [0, 1, 8]]))
    >>> found.exact.value, round(found.kappa_quadratic.value, 3), round(found.ac2.value, 3)
    (0.86, 0.879, 0.903)
    """
    drawn = draw_tables(table, drawing)
    kappa, linear, quadratic = (
        cohens_kappa(table, weighting, drawing=drawing, drawn_tables=drawn)
        for weighting in (Weighting.UNWEIGHTED, Weighting.LINEAR, Weighting.QUADRATIC)
    )
    return PairAgreement(
        exact_agreement(table, confidence=drawing.confidence),
        exact_agreement_clopper_pearson(table, confidence=drawing.confidence),
        within_one_agreement(table, confidence=drawing.confidence),
        kappa,
        linear,
        quadratic,
        _ac(table, Weighting.UNWEIGHTED, drawn, drawing),
        _ac(table, Weighting.QUADRATIC, drawn, drawing),
        _alpha(table, drawn, drawing),
    )


def _ac(table: Table, weighting: Weighting, drawn: Floats | None, drawing: Drawing) -> Estimate:
    cases = int(table.sum())
    if cases == 0:
        return Estimate.none(NO_CASE, METHOD, confidence=drawing.confidence)
    features = agreement_features(cells_of(len(table)), weighting)
    value = float(ac_of_sums(table.ravel() @ features, weighting))
    values = None if drawn is None else ac_of_sums(_flat(drawn) @ features, weighting)
    return drawn_estimate(value, values, cases=cases, drawing=drawing)


def _alpha(table: Table, drawn: Floats | None, drawing: Drawing) -> Estimate:
    cases = int(table.sum())
    if drawn is None:
        why = ONE_CATEGORY if cases else NO_CASE
        return Estimate.none(why, METHOD, n=cases, confidence=drawing.confidence)
    values = alpha_of_sums(_flat(drawn) @ coincidence_features(cells_of(len(table))))
    return drawn_estimate(alpha_value(ReadTallies.of_table(table)), values, cases=cases, drawing=drawing)


def _flat(tables: Floats) -> Floats:
    return tables.reshape(len(tables), -1)
