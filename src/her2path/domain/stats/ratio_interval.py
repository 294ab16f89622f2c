"""Fieller's interval for the ratio of two means that were measured on the same nuclei."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from her2path.domain.stats.clustering import student_quantile
from her2path.domain.verdict import NotEvaluable

FEWEST_PAIRS = 4
"""Student's t is worked out for 3 degrees of freedom or more."""


def fieller_interval(
    above: Sequence[float], below: Sequence[float], *, confidence: float = 0.95
) -> tuple[float, float] | NotEvaluable:
    """Compute the interval of the ratio of two means of pairs.

    Parameters
    ----------
    above, below : sequence of float
        Numerator and denominator of every pair, `FEWEST_PAIRS` pairs at least.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    low, high : float
        Or `NotEvaluable` with the code ``ratio_unbounded``: the mean of `below` cannot be told from 0, so
        that no ratio, however large, can be ruled out.

    Raises
    ------
    ValueError
        The sequences differ in length or are too short, or the confidence is out of range.

    Notes
    -----
    The interval holds every ratio ``R`` for which a t-test of the differences ``above - R below`` against 0
    does not reject, which is a quadratic inequality in ``R`` [1]_ [2]_.

    References
    ----------
    .. [1] Fieller, J R Stat Soc B 16:175 (1954).
    .. [2] von Luxburg & Franz, Stat Sinica 19:1095 (2009).

    Examples
    --------
    >>> low, high = fieller_interval([4, 5, 3, 4, 6], [2, 2, 1, 2, 3])
    >>> round(low, 2), round(high, 2)
    (1.89, 2.84)
    """
    n = len(above)
    if len(below) != n or n < FEWEST_PAIRS:
        raise ValueError(f"need {FEWEST_PAIRS} pairs or more, got {n} and {len(below)} values")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    squared = student_quantile((1 + confidence) / 2, n - 1) ** 2
    mean_above, mean_below = fmean(above), fmean(below)
    of_mean = squared / (n * (n - 1))
    spread_above = of_mean * math.fsum((a - mean_above) ** 2 for a in above)
    spread_below = of_mean * math.fsum((b - mean_below) ** 2 for b in below)
    shared = of_mean * math.fsum(
        (a - mean_above) * (b - mean_below) for a, b in zip(above, below, strict=True)
    )
    leading = mean_below**2 - spread_below
    if leading <= 0:
        return NotEvaluable(
            "ratio_unbounded",
            "the mean below the line cannot be told from 0 by so few values, so the ratio has no bounds",
        )
    middle = mean_above * mean_below - shared
    # The ratio of the means itself lies inside, so the square root is of a number >= 0 but for rounding.
    half = math.sqrt(max(0.0, middle**2 - leading * (mean_above**2 - spread_above)))
    return (middle - half) / leading, (middle + half) / leading
