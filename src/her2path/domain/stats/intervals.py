"""Confidence intervals of proportions."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_interval(successes: int, total: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the Wilson score interval of a proportion.

    Parameters
    ----------
    successes, total : int
        ``0 <= successes <= total`` and ``total >= 1``.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    low, high : float
        Bounds as shares from 0 to 1.

    Raises
    ------
    ValueError
        The counts or the confidence are out of range.

    References
    ----------
    .. [1] Wilson, J Am Stat Assoc 22:209 (1927).

    Examples
    --------
    >>> low, high = wilson_interval(20, 20)
    >>> round(100 * low, 1), high
    (83.9, 1.0)
    """
    if not 0 <= successes <= total or total < 1:
        raise ValueError(f"need 0 <= successes <= total and total >= 1, got {successes} of {total}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / total
    shrink = 1 + z * z / total
    centre = (p + z * z / (2 * total)) / shrink
    half = z / shrink * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    # Rounding must not push a bound past the exact ones at 0 and at `total`.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == total else min(1.0, centre + half)
    return low, high
