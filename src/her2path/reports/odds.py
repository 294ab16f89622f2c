"""Probabilities in words: "about 1 in 3" says more to a reader than 34.2 %, and stands beside it."""

from __future__ import annotations

import math

from her2path.reports.numbers import count_text, number_text

RARE = 1e-4
"""Below it a probability is only said to be small: the counts behind it cannot tell more.

That holds of 0 too, which only says that no drawing of these nuclei leads there.
"""
_UNIT_BELOW = 0.28
"""Up to here "1 in so many" lies within 0.03 of the probability."""
_MIDDLE = ((3, 10), (1, 3), (2, 5), (1, 2), (3, 5), (2, 3), (7, 10))
"""Fractions that people use for what lies between."""


def odds_text(probability: float) -> str:
    """Say a probability as times in so many times.

    Parameters
    ----------
    probability : float
        0 to 1.

    Raises
    ------
    ValueError
        It is no probability.

    Examples
    --------
    >>> odds_text(0.342), odds_text(0.028), odds_text(0.97)
    ('about 1 in 3 times', 'about 1 in 36 times', 'about 32 in 33 times')
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies between 0 and 1, got {probability}")
    if probability < RARE:
        return f"less than 1 in {count_text(round(1 / RARE))} times"
    if probability > 1 - RARE:
        return "nearly every time"
    return "about {} in {} times".format(*map(count_text, _fraction(probability)))


def _fraction(probability: float) -> tuple[int, int]:
    if probability < _UNIT_BELOW:
        return 1, _rounded(1 / probability)
    if probability > 1 - _UNIT_BELOW:
        of = _rounded(1 / (1 - probability))
        return of - 1, of
    return min(_MIDDLE, key=lambda pair: abs(pair[0] / pair[1] - probability))


def _rounded(value: float) -> int:
    """Round to a whole number of at most two digits that count: more would claim too much."""
    return round(float(f"{round(value):.2g}"))


def drawn_bound_pct(draws: int) -> float:
    """Give the per cent that what never happened in `draws` samples stays below (rule of three, 95 %).

    Examples
    --------
    >>> drawn_bound_pct(2000), drawn_bound_pct(1999)
    (0.2, 0.2)
    """
    return math.ceil(3000 / max(draws, 1)) / 10


def probability_text(probability: float) -> str:
    """Print a probability in per cent, never as none or all: no count of nuclei can tell that.

    Examples
    --------
    >>> probability_text(0.3421), probability_text(0.0), probability_text(0.00003)
    ('34.2 %', '< 0.01 %', '< 0.01 %')
    """
    if min(probability, 1 - probability) < RARE:
        return "< 0.01 %" if probability < RARE else "> 99.99 %"
    digits = 1 if 0.01 <= probability <= 0.99 else 2
    return f"{number_text(100 * probability, digits=digits)} %"
