"""Passing-Bablok regression: the line between two methods without any assumption on their errors.

The slope is a median of the slopes between all pairs of cases, shifted so that it does not matter which
method is called the candidate and which the comparator.  It asks for a positive, linear relation, which is
checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.estimate import CONFIDENCE, Estimate

FEWEST_CASES = 3
MOST_CASES = 10_000
"""50 million slopes, 0.4 GB: all of them are held at once."""
LINEARITY_LEVEL = 0.05
"""Below it the relation is taken for curved [Passing & Bablok 1983]."""
_METHOD = "Passing-Bablok ranks"


@dataclass(frozen=True, slots=True)
class Linearity:
    """Whether points above and below the line take turns along it, as they do along a straight relation."""

    above: int
    below: int
    """Points beside the line; those on it are in neither."""
    statistic: float
    """Greatest cusum over ``sqrt(below + 1)``."""
    p_value: float
    """Of the statistic by Kolmogorov's limit law, as in the paper (1.36 at 5 %).  The law is approximate: of
    straight relations of 30 to 1 000 cases it called 3 to 10 % curved at that level."""

    @property
    def is_straight(self) -> bool:
        """Whether a straight line is not contradicted at `LINEARITY_LEVEL`."""
        return self.p_value >= LINEARITY_LEVEL


@dataclass(frozen=True, slots=True)
class PassingBablok:
    """``candidate = intercept + slope comparator``."""

    slope: Estimate
    intercept: Estimate
    intercept_as_published: Estimate
    """With the interval of the paper, which knows the uncertainty of the slope alone."""
    linearity: Linearity | None
    """None where there is no line, or all points on one side of it."""
    n: int


def passing_bablok(
    candidate: npt.NDArray[np.float64], comparator: npt.NDArray[np.float64], *, confidence: float = CONFIDENCE
) -> PassingBablok:
    """Fit the line by the shifted median of all pairwise slopes.

    Parameters
    ----------
    candidate, comparator : ndarray of float64, shape (n,)
        Finite measurements of the same cases.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    PassingBablok
        Estimates without value where there is no line: too few or too many cases, one method that gives the
        same value for all, methods that do not rise together; without interval where so few cases differ
        that its bounds lie beyond the slopes.

    Raises
    ------
    ValueError
        The arrays differ in shape or hold a value that is not finite.

    Notes
    -----
    Of two cases that agree in both methods no slope is taken; of two that agree in the comparator alone it is
    minus or plus infinity; a slope of exactly -1 is left out [1]_.  Time and memory grow with the square of
    the number of cases (5 000 cases: 12.5 million slopes, 0.1 GB).

    The interval that [1]_ gives for the intercept follows the bounds of the slope alone, as if the median
    at a given slope had no error; simulated, it covers the truth in 91 % where it says 95.  `intercept`
    adds the interval of that median, distance by distance as for a sum of independent estimates [2]_.

    References
    ----------
    .. [1] Passing & Bablok, J Clin Chem Clin Biochem 21:709 (1983).
    .. [2] Zou & Donner, Stat Med 27:1693 (2008).

    Examples
    --------
    >>> comparator = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> line = passing_bablok(1.5 * comparator - 1, comparator)
    >>> line.slope.value, line.intercept.value
    (1.5, -1.0)
    """
    if comparator.ndim != 1 or comparator.shape != candidate.shape:
        raise ValueError(f"need two rows of the same length, got {candidate.shape} and {comparator.shape}")
    if not (np.isfinite(comparator).all() and np.isfinite(candidate).all()):
        raise ValueError("leave out pairs with a missing value; every measurement must be finite")
    n = len(comparator)
    if why := _obstacle(candidate, comparator):
        return _nothing(why, n, confidence)
    slopes = _pairwise_slopes(candidate, comparator)
    shift = int((slopes < -1).sum())
    middle = _middle_ranks(len(slopes), shift)
    if middle is None:
        return _nothing("the two methods do not rise together", n, confidence)
    bounds = _bound_ranks(n, len(slopes), shift, confidence)
    wanted = np.unique([*middle, *(bounds or ())])
    slopes.partition(wanted)
    slope = float(slopes[middle[0]] + slopes[middle[1]]) / 2
    if not math.isfinite(slope) or slope <= 0:
        return _nothing("the two methods do not rise together", n, confidence)
    low, high = (float(slopes[rank]) for rank in bounds) if bounds else (math.inf, math.inf)
    # Rounding may put a bound on the other side of the mean of two middle slopes.
    finite = math.isfinite(low) and math.isfinite(high)
    around = (min(low, slope), max(high, slope)) if finite else None
    return _fitted(candidate, comparator, slope, around, confidence)


def _fitted(
    candidate: npt.NDArray[np.float64],
    comparator: npt.NDArray[np.float64],
    slope: float,
    around: tuple[float, float] | None,
    confidence: float,
) -> PassingBablok:
    n = len(comparator)
    rest = candidate - slope * comparator
    intercept = float(np.median(rest))
    linearity = _linearity(candidate, comparator, slope, intercept)
    if around is None:
        why = "too few cases differ for an interval"
        at, of = (Estimate.point(v, why, _METHOD, n=n, confidence=confidence) for v in (slope, intercept))
        return PassingBablok(at, of, of, linearity, n)
    # Measurements of the comparator below 0 exchange the bounds.
    ends = sorted(float(np.median(candidate - bound * comparator)) for bound in around)
    low, high = min(ends[0], intercept), max(ends[1], intercept)
    reach = float(stats.norm.ppf((1 + confidence) / 2)) / (2 * math.sqrt(n))
    below, above = np.quantile(rest, [max(0.0, 0.5 - reach), min(1.0, 0.5 + reach)])
    wide_low = intercept - math.hypot(intercept - low, intercept - float(below))
    wide_high = intercept + math.hypot(high - intercept, float(above) - intercept)
    return PassingBablok(
        Estimate(slope, *around, _METHOD, confidence, n),
        Estimate(intercept, wide_low, wide_high, f"{_METHOD} and median", confidence, n),
        Estimate(intercept, low, high, _METHOD, confidence, n),
        linearity,
        n,
    )


def _obstacle(candidate: npt.NDArray[np.float64], comparator: npt.NDArray[np.float64]) -> str:
    n = len(comparator)
    if n < FEWEST_CASES:
        return f"a line needs {FEWEST_CASES} cases"
    if n > MOST_CASES:
        return f"more than {MOST_CASES} cases have too many slopes; take a random part of them"
    if np.ptp(comparator) == 0 or np.ptp(candidate) == 0:
        return "one of the methods gives the same value for all cases"
    return ""


def _nothing(why: str, n: int, confidence: float) -> PassingBablok:
    none = Estimate.none(why, _METHOD, n=n, confidence=confidence)
    return PassingBablok(none, none, none, None, n)


def _pairwise_slopes(
    candidate: npt.NDArray[np.float64], comparator: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Slopes between all pairs of cases, those left out that the method leaves out; row by row, in place."""
    n = len(comparator)
    slopes = np.empty(n * (n - 1) // 2)
    used = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        for at in range(n - 1):
            run = comparator[at + 1 :] - comparator[at]
            rise = candidate[at + 1 :] - candidate[at]
            # Minus zero would turn the sign of an infinite slope.
            run[run == 0] = 0.0
            row = rise / run
            row = row[~(np.isnan(row) | (row == -1))]
            slopes[used : used + len(row)] = row
            used += len(row)
    return slopes[:used]


def _middle_ranks(count: int, shift: int) -> tuple[int, int] | None:
    """Places of the one or two slopes in the shifted middle, from 0; None where they lie beyond the last."""
    low, high = (count - 1) // 2 + shift, count // 2 + shift
    return (low, high) if low >= 0 and high < count else None


def _bound_ranks(n: int, count: int, shift: int, confidence: float) -> tuple[int, int] | None:
    z = float(stats.norm.ppf((1 + confidence) / 2))
    half = z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = round((count - half) / 2)
    # Ranks are counted from 1 in the paper.
    lowest, last = low + shift - 1, count - low + shift
    return (lowest, last) if low >= 1 and lowest >= 0 and last < count else None


def _linearity(
    candidate: npt.NDArray[np.float64], comparator: npt.NDArray[np.float64], slope: float, intercept: float
) -> Linearity | None:
    residual = candidate - intercept - slope * comparator
    # A point whose residual is rounding alone lies on the line.
    on_line = np.abs(residual) <= 1e-12 * (np.abs(candidate) + abs(intercept) + np.abs(slope * comparator))
    along = candidate + comparator / slope
    above, below = along[(residual > 0) & ~on_line], along[(residual < 0) & ~on_line]
    if not len(above) or not len(below):
        return None
    # Each point above counts sqrt(below / above) upwards and each below the reverse, so the greatest cusum is
    # the distance of two distribution functions times sqrt(above below); points at one place count as one.
    places = np.concatenate((above, below))
    apart = [np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (above, below)]
    distance = float(np.abs(apart[0] - apart[1]).max())
    statistic = distance * math.sqrt(len(above) * len(below) / (len(below) + 1))
    return Linearity(len(above), len(below), statistic, float(stats.kstwobign.sf(statistic)))
