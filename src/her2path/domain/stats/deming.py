"""Deming regression: the line between two methods that both measure with error.

The *candidate* is the method under test, the *comparator* the one it is held against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.estimate import CONFIDENCE, Estimate

FEWEST_PAIRS = 4
"""A jackknife of a line with two parameters needs lines through three of the pairs."""
_METHOD = "jackknife, Student's t"


@dataclass(frozen=True, slots=True)
class Deming:
    """``candidate = intercept + slope comparator``."""

    slope: Estimate
    intercept: Estimate
    error_ratio: float
    """Error variance of the candidate over that of the comparator, as it was stated."""
    n: int


def deming(
    candidate: npt.NDArray[np.float64],
    comparator: npt.NDArray[np.float64],
    *,
    error_ratio: float = 1.0,
    confidence: float = CONFIDENCE,
) -> Deming:
    """Fit a line where both methods have error, with jackknife intervals.

    Parameters
    ----------
    candidate, comparator : ndarray of float64, shape (n,)
        Finite measurements of the same cases.
    error_ratio : float
        Variance of the measurement error of `candidate` over that of `comparator`, above 0; it is stated, not
        estimated: 1 = both methods scatter alike.  (Some programs ask for its reciprocal.)
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    Deming
        Estimates without value where no line is defined (too few pairs, methods that do not go together);
        without interval where the line hangs on a single pair.

    Raises
    ------
    ValueError
        The arrays differ in shape or hold a value that is not finite, or the error ratio is not above 0.

    Notes
    -----
    The standard errors are those of the jackknife, taken with ``n - 2`` degrees of freedom [2]_ [3]_: they
    stay valid where the scatter is not the same along the line, the line itself then is not the best one.

    References
    ----------
    .. [1] Deming, Statistical Adjustment of Data (1943).
    .. [2] Linnet, Clin Chem 39:424 (1993).
    .. [3] CLSI EP09 (measurement procedure comparison).

    Examples
    --------
    >>> comparator = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> line = deming(2 * comparator + 1, comparator)
    >>> round(line.slope.value, 9), round(line.intercept.value, 9)
    (2.0, 1.0)
    """
    if comparator.ndim != 1 or comparator.shape != candidate.shape:
        raise ValueError(f"need two rows of the same length, got {candidate.shape} and {comparator.shape}")
    if not (np.isfinite(comparator).all() and np.isfinite(candidate).all()):
        raise ValueError("leave out pairs with a missing value; every measurement must be finite")
    if not (math.isfinite(error_ratio) and error_ratio > 0):
        raise ValueError(f"the ratio of the error variances must lie above 0, got {error_ratio}")
    n = len(comparator)
    if n < FEWEST_PAIRS:
        return _nothing(f"a line with an interval needs {FEWEST_PAIRS} pairs", error_ratio, n, confidence)
    x, y = comparator - comparator.mean(), candidate - candidate.mean()
    # Left out: pair i; last: nothing.  Sums of squares about the mean of the pairs that stay.
    keep = np.append(np.full(n, n / (n - 1)), 0.0)
    xs, ys = np.append(x, 0.0), np.append(y, 0.0)
    slopes = _slopes(x @ x - keep * xs * xs, y @ y - keep * ys * ys, x @ y - keep * xs * ys, error_ratio)
    if math.isnan(slopes[-1]):
        return _nothing("the two methods do not go together at all", error_ratio, n, confidence)
    means = np.append(np.full(n, 1 / (n - 1)), 0.0)
    intercepts = candidate.mean() - means * ys - slopes * (comparator.mean() - means * xs)
    return Deming(_estimate(slopes, confidence), _estimate(intercepts, confidence), error_ratio, n)


def _nothing(why: str, error_ratio: float, n: int, confidence: float) -> Deming:
    none = Estimate.none(why, _METHOD, n=n, confidence=confidence)
    return Deming(none, none, error_ratio, n)


def _slopes(
    sxx: npt.NDArray[np.float64],
    syy: npt.NDArray[np.float64],
    sxy: npt.NDArray[np.float64],
    error_ratio: float,
) -> npt.NDArray[np.float64]:
    """Slopes of lines from their sums of squares; NaN where a line is upright or has no direction."""
    gap = syy - error_ratio * sxx
    root = np.sqrt(gap * gap + 4 * error_ratio * sxy * sxy)
    # What rounding leaves of a sum of products that cancels is no direction.
    flat = np.abs(sxy) <= 1e-12 * math.sqrt(float(sxx[-1] * syy[-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Two forms of one solution: each is free of cancellation on its side.
        slope = np.where(gap >= 0, (gap + root) / (2 * sxy), 2 * error_ratio * sxy / (root - gap))
    return np.where(flat, np.nan, slope)


def _estimate(values: npt.NDArray[np.float64], confidence: float) -> Estimate:
    """Estimate from the values without each pair, and the value of all pairs, which comes last."""
    n, whole = len(values) - 1, float(values[-1])
    if not np.isfinite(values).all():
        return Estimate.point(whole, "the line hangs on a single pair", _METHOD, n=n, confidence=confidence)
    pseudo = n * whole - (n - 1) * values[:-1]
    half = float(stats.t.ppf((1 + confidence) / 2, n - 2)) * float(pseudo.std(ddof=1)) / math.sqrt(n)
    return Estimate(whole, whole - half, whole + half, _METHOD, confidence, n)
