"""Krippendorff's alpha for categories in order, any number of readers, and reads that are missing.

The value is that of the library `krippendorff`; thousands of drawings at once are worked out here by the
same formulas.
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
    drawn_estimate,
    imaginary_tallies,
)
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.kappa import NO_PAIR
from her2path.domain.stats.read_tallies import ReadTallies

Floats = npt.NDArray[np.float64]


def krippendorff_alpha(tallies: ReadTallies, *, drawing: Drawing = USUAL) -> Estimate:
    """Estimate Krippendorff's alpha with the ordinal metric.

    Parameters
    ----------
    tallies : ReadTallies
        How many readers chose which category; cases with a single read take no part.
    drawing : Drawing
        Of the bootstrap.

    Returns
    -------
    Estimate
        `n` counts the cases with two reads or more.  No value without one, or where all of these reads
        are in one category.

    References
    ----------
    .. [1] Krippendorff, Content Analysis, 2nd edition (2004), chapter 11.

    Examples
    --------
    >>> from her2path.domain.stats.read_tallies import ReadTallies
    >>> round(krippendorff_alpha(ReadTallies.of_table(np.array([[5, 1], [0, 4]]))).value, 4)
    0.8081
    """
    cases = tallies.paired_cases
    if cases == 0:
        return Estimate.none(NO_PAIR, METHOD, confidence=drawing.confidence)
    paired = tallies.paired()
    if np.count_nonzero(paired.shares) < 2:
        return Estimate.none(ONE_CATEGORY, METHOD, n=cases, confidence=drawing.confidence)
    of_imaginary = coincidence_features(imaginary_tallies(paired))
    drawn = draw_sums(paired, coincidence_features(paired), of_imaginary, drawing)
    values = None if drawn is None else alpha_of_sums(drawn)
    return drawn_estimate(alpha_value(paired), values, cases=cases, drawing=drawing)


def alpha_value(paired: ReadTallies) -> float:
    """Work out alpha (ordinal) of cases with two reads or more, in two categories or more."""
    # Here, because only quality assurance needs it.
    from krippendorff import alpha  # noqa: PLC0415

    counts = np.repeat(paired.patterns, paired.cases, axis=0)
    return float(alpha(value_counts=counts, level_of_measurement="ordinal"))


def coincidence_features(tallies: ReadTallies) -> Floats:
    """Give the pairs of reads of a case of each pattern, by their categories.

    Returns
    -------
    features : ndarray of float64, shape (U, K * K)
        Ordered pairs over one less than the number of reads: they sum to the reads of the case.
    """
    patterns = tallies.patterns
    one = np.eye(tallies.categories, dtype=np.int64)
    pairs = patterns[:, :, None] * patterns[:, None, :] - patterns[:, :, None] * one
    flat: Floats = pairs.reshape(len(patterns), -1) / (tallies.reads - 1)[:, None]
    return flat


def alpha_of_sums(sums: Floats) -> Floats:
    """Work out alpha (ordinal) of many sums of `coincidence_features` at once.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., K * K)
        Coincidences, row by row.

    Returns
    -------
    alpha : ndarray of float64, shape (...)
        NaN where all reads are in one category.
    """
    categories = round(sums.shape[-1] ** 0.5)
    pairs = sums.reshape(*sums.shape[:-1], categories, categories)
    reads = pairs.sum(axis=-1)
    total = reads.sum(axis=-1)
    # Distance of two categories: the reads between them, with half of those in either of the two.
    middle = np.cumsum(reads, axis=-1) - reads / 2
    distance = (middle[..., :, None] - middle[..., None, :]) ** 2
    seen = (pairs * distance).sum(axis=(-2, -1)) * (total - 1)
    by_chance = np.einsum("...i,...ij,...j->...", reads, distance, reads)
    alpha: Floats = 1 - np.divide(seen, by_chance, out=np.full(seen.shape, np.nan), where=by_chance > 0)
    return alpha
