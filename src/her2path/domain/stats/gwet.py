"""Gwet's AC1 and AC2: agreement beyond chance that does not collapse where most cases are alike.

Kappa takes the rarity of a category for agreement by chance, so that readers of a laboratory with five
per cent of positive cases have a poor kappa however well they agree.  Gwet's chance is that of a reader
who cannot tell and guesses, and is small where there is little to tell.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.bayesian_bootstrap import (
    METHOD,
    USUAL,
    Drawing,
    draw_sums,
    drawn_estimate,
    imaginary_tallies,
)
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.kappa import NO_PAIR, agreement_features
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting, agreement_weights

Floats = npt.NDArray[np.float64]


def gwet_ac(
    tallies: ReadTallies, weighting: Weighting = Weighting.UNWEIGHTED, *, drawing: Drawing = USUAL
) -> Estimate:
    """Estimate AC1 (unweighted) or AC2 (weighted) of two or more readers.

    Parameters
    ----------
    tallies : ReadTallies
        How many readers chose which category; readers may have missed cases.
    weighting : Weighting
        Unweighted gives AC1, any other AC2.
    drawing : Drawing
        Of the bootstrap.

    Returns
    -------
    Estimate
        `n` counts the cases with two reads or more.  No value without one; where all reads are in one
        category the value is 1 and has no interval.

    Notes
    -----
    Every category counts, also one that nobody chose: chance depends on how many there are to choose
    from.

    References
    ----------
    .. [1] Gwet, Br J Math Stat Psychol 61:29 (2008).
    .. [2] Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), chapters 4 and 5.

    Examples
    --------
    >>> table = np.array([[118, 5], [2, 0]])
    >>> round(gwet_ac(ReadTallies.of_table(table)).value, 4)
    0.9408
    """
    cases = tallies.paired_cases
    if cases == 0:
        return Estimate.none(NO_PAIR, METHOD, confidence=drawing.confidence)
    features = agreement_features(tallies, weighting)
    value = float(ac_of_sums(tallies.cases @ features, weighting))
    of_imaginary = agreement_features(imaginary_tallies(tallies), weighting)
    drawn = draw_sums(tallies, features, of_imaginary, drawing)
    values = None if drawn is None else ac_of_sums(drawn, weighting)
    return drawn_estimate(value, values, cases=cases, drawing=drawing)


def ac_of_sums(sums: Floats, weighting: Weighting) -> Floats:
    """Work out AC1 or AC2 of many sums of `agreement_features` at once.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., K + 3)
        Summed over cases, some of them with two reads or more.

    Returns
    -------
    coefficient : ndarray of float64, shape (...)
        Always defined: agreement by chance is at most the mean of the weights, below 1.
    """
    categories = sums.shape[-1] - 3
    total = agreement_weights(weighting, categories).sum()
    agreement = sums[..., 0] / sums[..., 1]
    shares = sums[..., 3:] / sums[..., 2:3]
    by_chance = total / (categories * (categories - 1)) * (shares * (1 - shares)).sum(axis=-1)
    coefficient: Floats = (agreement - by_chance) / (1 - by_chance)
    return coefficient
