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
    low, high = share_interval(successes / total, total, confidence=confidence)
    # Rounding must not push a bound past the exact ones at 0 and at `total`.
    return (0.0 if successes == 0 else low), (1.0 if successes == total else high)


def share_interval(share: float, size: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the Wilson interval of a share of an effective sample size, which is no whole number.

    Parameters
    ----------
    share : float
        0 to 1.
    size : float
        Number of independent observations that the sample amounts to, above 0.
    confidence : float
        Between 0 and 1, both excluded.

    Raises
    ------
    ValueError
        A number is out of range.

    References
    ----------
    .. [1] Korn & Graubard, Surv Methodol 24:193 (1998): effective sample sizes in such intervals.

    Examples
    --------
    >>> [round(100 * bound, 1) for bound in share_interval(0.5, 4.0)]
    [15.0, 85.0]
    """
    if not 0 <= share <= 1 or not size > 0:
        raise ValueError(f"need a share from 0 to 1 and a size above 0, got {share} of {size}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    shrink = 1 + z * z / size
    centre = (share + z * z / (2 * size)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson_interval(successes: int, total: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the interval of Clopper and Pearson, which holds its confidence for any true share.

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
    .. [1] Clopper & Pearson, Biometrika 26:404 (1934).

    Examples
    --------
    >>> low, high = clopper_pearson_interval(20, 20)
    >>> round(100 * low, 1), high
    (83.2, 1.0)
    """
    if not 0 <= successes <= total or total < 1:
        raise ValueError(f"need 0 <= successes <= total and total >= 1, got {successes} of {total}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    # Here, so that Wilson's interval, which every report has, costs no import of SciPy.
    from scipy.special import betaincinv  # noqa: PLC0415

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, total - successes + 1, tail))
    high = 1.0 if successes == total else float(betaincinv(successes + 1, total - successes, 1 - tail))
    return low, high
