"""Cohen's kappa of two readers and Fleiss' kappa of several.

Both are worked out by statsmodels where it does them; what it has not (thousands of drawn tables at once,
cases that some readers did not read) is done here by the same formulas.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.bayesian_bootstrap import (
    METHOD,
    ONE_CATEGORY,
    USUAL,
    Drawing,
    draw_sums,
    draw_tables,
    drawn_estimate,
    imaginary_tallies,
)
from her2path.domain.stats.confusion import NO_CASE, Table, checked_table
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting, agreement_weights

Floats = npt.NDArray[np.float64]

NO_PAIR = "no case was read twice or more"
_STATSMODELS = {Weighting.UNWEIGHTED: None, Weighting.LINEAR: "linear", Weighting.QUADRATIC: "quadratic"}


def cohens_kappa(
    table: Table,
    weighting: Weighting = Weighting.UNWEIGHTED,
    *,
    drawing: Drawing = USUAL,
    drawn_tables: Floats | None = None,
) -> Estimate:
    """Estimate Cohen's kappa of two readers.

    Parameters
    ----------
    table : ndarray of int64, shape (K, K)
        Cases by the categories of the first (rows) and second reader, in ascending order.
    weighting : Weighting
        Unweighted, linear or quadratic (Cohen's weighted kappa), or ordinal.
    drawing : Drawing
        Of the bootstrap.
    drawn_tables : ndarray of float64, shape (draws, K, K), or None
        What `draw_tables` gave for this table and drawing, where several statistics share it.

    Returns
    -------
    Estimate
        No value without cases, and where both readers put all cases into one and the same category.

    References
    ----------
    .. [1] Cohen, Educ Psychol Meas 20:37 (1960); Psychol Bull 70:213 (1968).

    Examples
    --------
    >>> round(cohens_kappa(np.array([[20, 5], [10, 15]])).value, 3)
    0.4
    """
    cases = int(checked_table(table).sum())
    why = NO_CASE if cases == 0 else ONE_CATEGORY
    if np.count_nonzero(table.sum(axis=0) + table.sum(axis=1)) < 2:
        return Estimate.none(why, METHOD, n=cases, confidence=drawing.confidence)
    drawn = draw_tables(table, drawing) if drawn_tables is None else drawn_tables
    kappas = None if drawn is None else kappa_of_tables(drawn, weighting)
    return drawn_estimate(_cohen(table, weighting), kappas, cases=cases, drawing=drawing)


def kappa_of_tables(tables: Floats, weighting: Weighting) -> Floats:
    """Work out Cohen's kappa of many tables at once.

    Parameters
    ----------
    tables : ndarray of float64, shape (..., K, K)
        Counts or weights, 0 or more.

    Returns
    -------
    kappa : ndarray of float64, shape (...)
        NaN where all of a table is in one cell of the diagonal.
    """
    apart = 1 - agreement_weights(weighting, tables.shape[-1])
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    seen = np.einsum("...ij,ij->...", tables, apart) * rows.sum(axis=-1)
    by_chance = np.einsum("...i,ij,...j->...", rows, apart, columns)
    kappa: Floats = 1 - np.divide(seen, by_chance, out=np.full(seen.shape, np.nan), where=by_chance > 0)
    return kappa


def _cohen(table: Table, weighting: Weighting) -> float:
    if weighting not in _STATSMODELS:
        return float(kappa_of_tables(table.astype(np.float64), weighting))
    # Here, because it takes a second that only quality assurance has to spend.
    from statsmodels.stats.inter_rater import cohens_kappa as of_table  # noqa: PLC0415

    return float(of_table(table, wt=_STATSMODELS[weighting], return_results=False))


def fleiss_kappa(tallies: ReadTallies, *, drawing: Drawing = USUAL) -> Estimate:
    """Estimate Fleiss' kappa of several readers, who need not have read every case.

    Parameters
    ----------
    tallies : ReadTallies
        How many readers chose which category.
    drawing : Drawing
        Of the bootstrap.

    Returns
    -------
    Estimate
        `n` counts the cases with two reads or more.  No value without one, or where all reads are in
        one category.

    Notes
    -----
    Where readers missed cases, agreement is averaged over the cases with two reads or more and the share
    of each category over all cases [2]_; without missing reads this is Fleiss' own [1]_.

    References
    ----------
    .. [1] Fleiss, Psychol Bull 76:378 (1971).
    .. [2] Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), chapter 2.
    """
    cases = tallies.paired_cases
    if cases == 0:
        return Estimate.none(NO_PAIR, METHOD, confidence=drawing.confidence)
    if np.count_nonzero(tallies.shares) < 2:
        return Estimate.none(ONE_CATEGORY, METHOD, n=cases, confidence=drawing.confidence)
    features = agreement_features(tallies, Weighting.UNWEIGHTED)
    of_imaginary = agreement_features(imaginary_tallies(tallies), Weighting.UNWEIGHTED)
    drawn = draw_sums(tallies, features, of_imaginary, drawing)
    kappas = None if drawn is None else _fleiss_of_sums(drawn)
    return drawn_estimate(_fleiss(tallies, features), kappas, cases=cases, drawing=drawing)


def agreement_features(tallies: ReadTallies, weighting: Weighting) -> Floats:
    """Give what a case of each pattern contributes to agreement and to the shares of the categories.

    Returns
    -------
    features : ndarray of float64, shape (U, K + 3)
        Weighted share of pairs of reads that agree, 1 for a case with two reads or more, 1 for a case
        with a read, and the share of its reads in each category.
    """
    weights = agreement_weights(weighting, tallies.categories)
    patterns, reads = tallies.patterns, tallies.reads
    agreeing = np.einsum("uk,kl,ul->u", patterns, weights, patterns) - reads
    share = agreeing / np.maximum(1, reads * (reads - 1))
    paired = (reads >= 2).astype(np.float64)
    return np.column_stack([share * paired, paired, np.ones(len(reads)), patterns / reads[:, None]])


def _fleiss_of_sums(sums: Floats) -> Floats:
    """Fleiss' kappa of many sums of features, shape (..., K + 3); NaN where all is in one category."""
    agreement = sums[..., 0] / sums[..., 1]
    by_chance = ((sums[..., 3:] / sums[..., 2:3]) ** 2).sum(axis=-1)
    room = 1 - by_chance
    kappa: Floats = np.divide(agreement - by_chance, room, out=np.full(room.shape, np.nan), where=room > 0)
    return kappa


def _fleiss(tallies: ReadTallies, features: Floats) -> float:
    if tallies.reads.min() != tallies.reads.max():
        return float(_fleiss_of_sums(tallies.cases @ features))
    from statsmodels.stats.inter_rater import fleiss_kappa as of_counts  # noqa: PLC0415  (as above)

    return float(of_counts(np.repeat(tallies.patterns, tallies.cases, axis=0)))
