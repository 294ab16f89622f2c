"""How many cases a study of agreement needs.

Two questions, two answers.  *How wide will the interval be* takes the agreement that is expected and asks for
the cases from which on the interval around it is no wider than stated.  *Can it be shown* takes a bound that
the agreement must be shown to exceed and asks for the cases with which the interval's lower bound gets there
with a stated probability.  The second needs more cases, and is the one to plan a validation by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.estimate import CONFIDENCE
from her2path.domain.stats.intervals import share_interval
from her2path.domain.stats.weighting import Weighting

MOST_CASES = 1_000_000
"""Beyond which a plan is said to be impossible."""
POWER = 0.8
_STATSMODELS = {Weighting.UNWEIGHTED: None, Weighting.LINEAR: "linear", Weighting.QUADRATIC: "quadratic"}
_FLEISS_COHEN_EVERITT = "large-sample variance of kappa"


class ShareInterval(StrEnum):
    """Interval of a share that the study will state."""

    WILSON = "Wilson"
    CLOPPER_PEARSON = "Clopper-Pearson"


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Cases that a study needs, or why no number of them will do."""

    cases: int | None
    low: float | None
    """Interval to expect with so many cases if the agreement is what was stated."""
    high: float | None
    method: str
    """Of the interval."""
    confidence: float
    power: float | None = None
    """Probability that the lower bound lies where it must; None where none was asked for."""
    why: str = ""
    """Why there is no number; empty where there is one."""


def expected_interval(
    share: float, cases: int, *, method: ShareInterval, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Give the interval around an agreement of exactly `share` in so many cases.

    Parameters
    ----------
    share : float
        0 to 1; `share * cases` need not be whole.
    cases : int
        At least 1.

    Examples
    --------
    >>> low, high = expected_interval(0.95, 60, method=ShareInterval.WILSON)
    >>> round(100 * low, 1), round(100 * high, 1)
    (86.3, 98.3)
    """
    _check(share, confidence)
    if cases < 1:
        raise ValueError(f"need a case at least, got {cases}")
    if method is ShareInterval.WILSON:
        low, high = share_interval(share, cases, confidence=confidence)
    else:
        # Here, so that help comes without SciPy.
        from scipy.special import betaincinv  # noqa: PLC0415

        successes, tail = share * cases, (1 - confidence) / 2
        low = float(betaincinv(successes, cases - successes + 1, tail)) if share else 0.0
        high = float(betaincinv(successes + 1, cases - successes, 1 - tail)) if share < 1 else 1.0
    # Rounding must not keep a bound from the exact ones at none and at all.
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


def cases_for_width(
    share: float, width: float, *, method: ShareInterval, confidence: float = CONFIDENCE
) -> SampleSize:
    """Find the fewest cases whose interval around an expected agreement is no wider than stated.

    Parameters
    ----------
    share : float
        Agreement that is expected, 0 to 1.
    width : float
        Whole width of the interval (upper less lower bound), between 0 and 1.
    method : ShareInterval
        Which interval.

    Raises
    ------
    ValueError
        A number is out of range.

    Notes
    -----
    The interval narrows with every case, so the answer holds for more cases too.

    Examples
    --------
    >>> cases_for_width(0.95, 0.10, method=ShareInterval.WILSON).cases
    83
    """
    _check(share, confidence)
    if not 0 < width < 1:
        raise ValueError(f"the width of an interval lies between 0 and 1, got {width}")

    def fits(cases: int) -> bool:
        low, high = expected_interval(share, cases, method=method, confidence=confidence)
        return high - low <= width

    if not fits(MOST_CASES):
        why = f"the interval is wider even with {MOST_CASES} cases; allow it a greater width"
        return SampleSize(None, None, None, method, confidence, why=why)
    few, enough = 0, 1
    while not fits(enough):
        few, enough = enough, min(2 * enough, MOST_CASES)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if fits(middle) else (middle, enough)
    low, high = expected_interval(share, enough, method=method, confidence=confidence)
    return SampleSize(enough, low, high, method, confidence)


def cases_for_lower_bound(
    share: float,
    at_least: float,
    *,
    method: ShareInterval,
    power: float = POWER,
    confidence: float = CONFIDENCE,
) -> SampleSize:
    """Find the cases from which on the lower bound reaches a stated agreement with a stated probability.

    Parameters
    ----------
    share : float
        Agreement that is expected, between `at_least` and 1.
    at_least : float
        Agreement that the lower bound of the two-sided interval must reach.
    method : ShareInterval
        Which interval.
    power : float
        Probability with which it must get there, between 0 and 1.

    Raises
    ------
    ValueError
        A number is out of range.

    Notes
    -----
    Exact, by the binomial distribution.  The probability goes up and down with single cases, because the
    disagreements that a study may have are whole numbers; the answer is the first number from which on it
    never falls short again.

    Examples
    --------
    >>> cases_for_lower_bound(0.97, 0.90, method=ShareInterval.CLOPPER_PEARSON).cases
    114
    """
    _check(share, confidence)
    if not 0 < at_least < 1 or not 0 < power < 1:
        raise ValueError(f"need a bound and a power between 0 and 1, got {at_least} and {power}")
    if share <= at_least:
        why = "no number of cases can show that an agreement exceeds a bound that it does not exceed"
        return SampleSize(None, None, None, method, confidence, why=why)
    last = 64
    while last < MOST_CASES:
        last = min(4 * last, MOST_CASES)
        powers = _powers(np.arange(1, last + 1), share, at_least, method, confidence)
        short = np.flatnonzero(powers < power)
        cases = int(short[-1]) + 2 if len(short) else 1
        # Twice the answer was looked through, beyond which the ups and downs are too small to fall short.
        if 2 * cases <= last:
            low, high = expected_interval(share, cases, method=method, confidence=confidence)
            return SampleSize(cases, low, high, method, confidence, float(powers[cases - 1]))
    why = f"the bound is not reached with {MOST_CASES // 2} cases; it is too close to the expected agreement"
    return SampleSize(None, None, None, method, confidence, why=why)


def _powers(
    cases: npt.NDArray[np.int64], share: float, at_least: float, method: ShareInterval, confidence: float
) -> npt.NDArray[np.float64]:
    """Probability that the lower bound reaches `at_least`, for each number of cases."""
    from scipy.stats import binom, norm  # noqa: PLC0415  (as above)

    tail = (1 - confidence) / 2
    if method is ShareInterval.WILSON:
        # Where the score test of `at_least` against the share that was seen begins to reject.
        reach = cases * at_least + norm.isf(tail) * np.sqrt(cases * at_least * (1 - at_least))
        needed = np.ceil(reach - 1e-9)
    else:
        needed = binom.isf(tail, cases, at_least) + 1
    powers: npt.NDArray[np.float64] = binom.sf(needed - 1, cases, share)
    return powers


def cases_for_kappa(
    kappa: float,
    shares: tuple[float, ...],
    width: float,
    *,
    weighting: Weighting = Weighting.UNWEIGHTED,
    confidence: float = CONFIDENCE,
) -> SampleSize:
    """Find the fewest cases whose interval around an expected kappa is no wider than stated.

    Parameters
    ----------
    kappa : float
        That is expected, 0 to 1 (1 excluded).
    shares : tuple of float
        Share of the cases in each category, in ascending order of the categories; all above 0, sum 1.
    width : float
        Whole width of the interval, between 0 and 2.
    weighting : Weighting
        Unweighted, linear or quadratic.

    Raises
    ------
    ValueError
        A number is out of range.

    Notes
    -----
    Both readers are taken to use the categories in the same shares, and a share `kappa` of their reads to
    agree beyond chance; kappa then is the same for all weights.  The variance is that of large samples [1]_:
    an answer below some 30 cases is too low.  Rare categories ask for many more cases, so state the shares of
    the study and not those of daily work.

    References
    ----------
    .. [1] Fleiss, Cohen & Everitt, Psychol Bull 72:323 (1969).

    Examples
    --------
    >>> cases_for_kappa(0.8, (0.25, 0.25, 0.25, 0.25), 0.2).cases
    88
    """
    _check(kappa, confidence)
    if kappa == 1:
        raise ValueError("readers who always agree have no interval to plan for; state a kappa below 1")
    if not 0 < width < 2:
        raise ValueError(f"the width of an interval of kappa lies between 0 and 2, got {width}")
    if len(shares) < 2 or min(shares) <= 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise ValueError(f"need shares above 0 of two categories or more that sum to 1, got {shares}")
    if weighting not in _STATSMODELS:
        raise ValueError(f"the variance is known for unweighted, linear and quadratic kappa, not {weighting}")
    from scipy.stats import norm  # noqa: PLC0415  (as above)
    from statsmodels.stats.inter_rater import cohens_kappa  # noqa: PLC0415

    share = np.array(shares) / sum(shares)
    table = kappa * np.diag(share) + (1 - kappa) * np.outer(share, share)
    # A table that sums to 1 has the variance of a single case.
    of_one = float(cohens_kappa(table, wt=_STATSMODELS[weighting]).var_kappa)
    z = float(norm.isf((1 - confidence) / 2))
    cases = max(1, math.ceil(of_one * (2 * z / width) ** 2 - 1e-9))
    if cases > MOST_CASES:
        why = f"the interval is wider even with {MOST_CASES} cases; allow it a greater width"
        return SampleSize(None, None, None, _FLEISS_COHEN_EVERITT, confidence, why=why)
    half = z * math.sqrt(of_one / cases)
    low, high = max(-1.0, kappa - half), min(1.0, kappa + half)
    return SampleSize(cases, low, high, _FLEISS_COHEN_EVERITT, confidence)


def _check(share: float, confidence: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"an agreement lies between 0 and 1, got {share}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
