"""Probabilities in words: "about 1 in 3" says more to a reader than 34.2 %, and stands beside it."""

from __future__ import annotations

from her2path.reports.numbers import count_text, number_text

_RARE = 1e-4
_TOLERANCE = 0.03
"""How far a fraction in words may lie from the probability: fractions of up to tenths lie no further."""


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
    ('about 1 in 3 times', 'about 1 in 35 times', 'about 32 in 33 times')
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies between 0 and 1, got {probability}")
    if probability in (0, 1):
        return "never" if probability == 0 else "every time"
    if probability < _RARE:
        return f"less than 1 in {count_text(round(1 / _RARE))} times"
    if probability > 1 - _RARE:
        return "nearly every time"
    return "about {} in {} times".format(*map(count_text, _fraction(probability)))


def _fraction(probability: float) -> tuple[int, int]:
    if probability < 0.1:
        return 1, _rounded(1 / probability)
    if probability > 0.9:
        of = _rounded(1 / (1 - probability))
        return of - 1, of
    near = ((round(probability * of), of) for of in range(2, 11))
    return next((n, of) for n, of in near if 0 < n < of and abs(n / of - probability) <= _TOLERANCE)


def _rounded(value: float) -> int:
    """Round to two digits: a third one would claim more than a probability can tell."""
    return int(float(f"{value:.2g}"))


def probability_text(probability: float) -> str:
    """Print a probability in per cent; one that is neither 0 nor 1 is never printed as either.

    Examples
    --------
    >>> probability_text(0.3421), probability_text(0.0), probability_text(0.00003)
    ('34.2 %', '0 %', '0.003 %')
    """
    if probability in (0, 1):
        return f"{100 * probability:.0f} %"
    return f"{number_text(100 * probability, digits=1, cuts=(0.0, 100.0))} %"
