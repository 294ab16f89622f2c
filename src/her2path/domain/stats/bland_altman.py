"""Differences of paired measurements: bias, limits of agreement and bias that grows with the size.

Two scales.  A *difference* keeps the unit of the measurement.  A *log ratio* is for quantities whose error
grows with their size (HER2/CEP17 ratio, copies): all results are then factors, so that limits of 0.8 and
1.25 say that the candidate reads between 0.8 and 1.25 times what the comparator does.

The *candidate* is the method under test, the *comparator* the one it is held against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.estimate import CONFIDENCE, Estimate

SHARE_WITHIN = 0.95
"""Share of the differences that the limits of agreement are meant to hold [Bland & Altman 1986]."""
_FEWEST_FOR_SLOPE = 3
_BIAS, _LIMIT, _SLOPE = "paired Student's t", "exact, noncentral t", "least squares, Student's t"


class Scale(StrEnum):
    """What is compared with what."""

    DIFFERENCE = "difference"
    """Candidate minus comparator, in their unit."""
    LOG_RATIO = "log_ratio"
    """Candidate over comparator, as a factor."""


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Bias and limits of agreement of the candidate against the comparator."""

    scale: Scale
    bias: Estimate
    """Mean difference, or geometric mean of the ratios."""
    lower_limit: Estimate
    upper_limit: Estimate
    sd: float | None
    """Standard deviation of the differences (of the natural logarithms of the ratios); None for one pair."""
    slope: Estimate
    """Of the difference (of log ratio) on the mean (of the logarithms) of each pair; 0 = the bias is the same
    for small and large values.  A slope also comes from two methods of unlike scatter without any bias [Bland
    & Altman 1999], so it is a hint to look at the plot, and no proof."""
    n: int


def bland_altman(
    candidate: npt.NDArray[np.float64],
    comparator: npt.NDArray[np.float64],
    *,
    scale: Scale = Scale.DIFFERENCE,
    confidence: float = CONFIDENCE,
) -> BlandAltman:
    """Compute bias and limits of agreement of paired measurements, with their intervals.

    Parameters
    ----------
    candidate, comparator : ndarray of float64, shape (n,)
        Finite measurements of the same cases; a pair with a missing value is left out by the caller.
    scale : Scale
        `LOG_RATIO` needs values above 0.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    BlandAltman
        Estimates without value and with the reason for no pair or for a logarithm of 0; without interval for
        one pair.

    Raises
    ------
    ValueError
        The arrays differ in shape or hold a value that is not finite.

    Notes
    -----
    The limits are ``mean -/+ z s``.  Their intervals are the exact ones of a normal quantile by the
    noncentral t distribution [3]_, not the approximation by a standard error of ``s sqrt(3 / n)`` of [1]_,
    which misses more often for few pairs.

    References
    ----------
    .. [1] Bland & Altman, Lancet 1:307 (1986).
    .. [2] Bland & Altman, Stat Methods Med Res 8:135 (1999).
    .. [3] Carkeet, Optom Vis Sci 92:e71 (2015).

    Examples
    --------
    >>> comparator, candidate = np.array([2.0, 4.0, 6.0, 8.0]), np.array([2.0, 5.0, 6.0, 9.0])
    >>> result = bland_altman(candidate, comparator)
    >>> result.bias.value, round(result.upper_limit.value, 2)
    (0.5, 1.63)
    """
    _check(candidate, comparator)
    n = len(comparator)
    if n == 0:
        return _nothing(scale, "there is no pair of measurements", 0, confidence)
    if scale is Scale.LOG_RATIO:
        if min(comparator.min(), candidate.min()) <= 0:
            return _nothing(scale, "a measurement of 0 or less has no logarithm", n, confidence)
        comparator, candidate = np.log(comparator), np.log(candidate)
    back = math.exp if scale is Scale.LOG_RATIO else float
    difference = candidate - comparator
    mean = float(difference.mean())
    slope = _slope((comparator + candidate) / 2, difference, confidence)
    if n == 1:
        why = "one pair has no scatter"
        bias = Estimate.point(back(mean), why, _BIAS, n=1, confidence=confidence)
        limit = Estimate.none(why, _LIMIT, n=1, confidence=confidence)
        return BlandAltman(scale, bias, limit, limit, None, slope, 1)
    sd = float(difference.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd / math.sqrt(n)
    bias = Estimate(back(mean), back(mean - half), back(mean + half), _BIAS, confidence, n)
    z, near, far = _limit_factors(n, confidence)
    lower = Estimate(
        back(mean - z * sd), back(mean - far * sd), back(mean - near * sd), _LIMIT, confidence, n
    )
    upper = Estimate(
        back(mean + z * sd), back(mean + near * sd), back(mean + far * sd), _LIMIT, confidence, n
    )
    return BlandAltman(scale, bias, lower, upper, sd, slope, n)


def _check(candidate: npt.NDArray[np.float64], comparator: npt.NDArray[np.float64]) -> None:
    if comparator.ndim != 1 or comparator.shape != candidate.shape:
        raise ValueError(f"need two rows of the same length, got {candidate.shape} and {comparator.shape}")
    if not (np.isfinite(comparator).all() and np.isfinite(candidate).all()):
        raise ValueError("leave out pairs with a missing value; every measurement must be finite")


def _nothing(scale: Scale, why: str, n: int, confidence: float) -> BlandAltman:
    bias, limit, slope = (
        Estimate.none(why, method, n=n, confidence=confidence) for method in (_BIAS, _LIMIT, _SLOPE)
    )
    return BlandAltman(scale, bias, limit, limit, None, slope, n)


def _limit_factors(n: int, confidence: float) -> tuple[float, float, float]:
    """State how many SD from the mean a limit lies, and the near and far bound of its interval."""
    z = float(stats.norm.ppf((1 + SHARE_WITHIN) / 2))
    tail = (1 - confidence) / 2
    near, far = stats.nct.ppf([tail, 1 - tail], n - 1, z * math.sqrt(n)) / math.sqrt(n)
    # With next to no confidence the interval shrinks to the median, which is not quite the limit itself.
    return z, min(z, float(near)), max(z, float(far))


def _slope(size: npt.NDArray[np.float64], difference: npt.NDArray[np.float64], confidence: float) -> Estimate:
    n = len(size)
    if n < _FEWEST_FOR_SLOPE or np.ptp(size) == 0:
        why = f"a slope needs {_FEWEST_FOR_SLOPE} pairs of more than one size"
        return Estimate.none(why, _SLOPE, n=n, confidence=confidence)
    if np.ptp(difference) == 0:
        return Estimate(0.0, 0.0, 0.0, _SLOPE, confidence, n)
    fit = stats.linregress(size, difference)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 2)) * float(fit.stderr)
    slope = float(fit.slope)
    return Estimate(slope, slope - half, slope + half, _SLOPE, confidence, n)
