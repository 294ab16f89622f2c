"""Shares of cases as estimates, with either of the two intervals that the field asks for.

The interval of Clopper and Pearson never covers less than it promises, and for small numbers covers far
more; that of Wilson covers what it promises on average, a little more or less for a given share.
"""

from __future__ import annotations

from her2path.domain.stats.estimate import CONFIDENCE, Estimate
from her2path.domain.stats.intervals import clopper_pearson_interval, wilson_interval

WILSON = "Wilson"
CLOPPER_PEARSON = "Clopper-Pearson"
_NO_CASE = "there is no case"


def wilson_estimate(
    successes: int, total: int, *, confidence: float = CONFIDENCE, none_why: str = _NO_CASE
) -> Estimate:
    """Estimate a share with Wilson's interval; without a case there is none, for `none_why`.

    Examples
    --------
    >>> wilson_estimate(0, 0).why
    'there is no case'
    """
    if total == 0:
        return Estimate.none(none_why, WILSON, confidence=confidence)
    low, high = wilson_interval(successes, total, confidence=confidence)
    return Estimate(successes / total, low, high, WILSON, confidence, total)


def clopper_pearson_estimate(
    successes: int, total: int, *, confidence: float = CONFIDENCE, none_why: str = _NO_CASE
) -> Estimate:
    """Estimate a share with the interval of Clopper and Pearson; likewise."""
    if total == 0:
        return Estimate.none(none_why, CLOPPER_PEARSON, confidence=confidence)
    low, high = clopper_pearson_interval(successes, total, confidence=confidence)
    return Estimate(successes / total, low, high, CLOPPER_PEARSON, confidence, total)
