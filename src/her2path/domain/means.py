"""From a mean that somebody wrote down back to the whole signals it came from.

Old files often hold means per nucleus instead of totals.  A mean has been rounded, and a rounded
number on a cut-point says nothing: 3.95 and 4.04 are both written 4.0.  So the totals are worked
out, in integers, and where the digits allow several, all of them are returned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from her2path.domain.ish import SignalSummary

EXACT_PLACES = 6
"""Tables that print this many decimals or more mean the exact number."""
_DOUBLE_PLACES = 12
# A program prints a double to its last bit, and arithmetic before that has moved the last digits.
_DOUBLE_ERROR = Fraction(1, 10**9)
_MOST_NUCLEI = 10_000


@dataclass(frozen=True, slots=True)
class PossibleTotals:
    """The totals that a typed mean allows; empty where there is none."""

    lowest: int
    highest: int
    nearest: int
    """The one nearest to mean times nuclei."""
    is_exact: bool
    """Whether the mean times the nuclei is a whole number as it stands."""

    @property
    def count(self) -> int:
        """How many there are."""
        return max(0, self.highest - self.lowest + 1)

    @property
    def is_certain(self) -> bool:
        """Whether the digits leave only one total."""
        return self.count == 1


def half_step(mean: Decimal) -> Fraction:
    """Half of the last digit that was written down: how far rounding can have moved the mean.

    Examples
    --------
    >>> half_step(Decimal("4.10"))
    Fraction(1, 200)
    """
    return Fraction(1, 2 * 10 ** decimal_places(mean))


def decimal_places(number: Decimal) -> int:
    """Count the digits that were written behind the point; needs a finite number."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rounding(number: Decimal) -> Fraction:
    """How far a typed number can lie from the exact one: half of its last digit, or a double's error.

    Examples
    --------
    >>> rounding(Decimal("2.0")), rounding(Decimal("0.500000000000")) == Fraction(1, 2 * 10**9)
    (Fraction(1, 20), True)
    """
    if decimal_places(number) < _DOUBLE_PLACES:
        return half_step(number)
    return max(half_step(number), Fraction(number) * _DOUBLE_ERROR)


def possible_totals(mean: Decimal, nuclei: int) -> PossibleTotals:
    """List the whole totals over `nuclei` whose mean, rounded to the digits of `mean`, is `mean`.

    Parameters
    ----------
    mean : Decimal
        Signals per nucleus as written, >= 0.
    nuclei : int
        Nuclei counted, >= 1.

    Examples
    --------
    >>> possible_totals(Decimal("2.033333"), 30).nearest
    61
    >>> possible_totals(Decimal("4.1"), 35).count
    4
    """
    product = Fraction(mean) * nuclei
    room = rounding(mean) * nuclei
    lowest, highest = max(0, math.ceil(product - room)), math.floor(product + room)
    return PossibleTotals(lowest, highest, round(product), product.denominator == 1)


def agrees(total: int, nuclei: int, mean: Decimal) -> bool:
    """Whether `mean` is what somebody would write for this total, to the digits of `mean`."""
    return abs(Fraction(total, nuclei) - Fraction(mean)) <= rounding(mean)


def ratio_agrees(summary: SignalSummary, ratio: Decimal) -> bool:
    """Whether a typed ratio fits a dual-probe count with CEP17 signals.

    It may be rounded at its last digit, but is never further off than 0.05: "2" beside a ratio of
    1.6 is a contradiction.
    """
    if not summary.cep17:
        raise ValueError("without CEP17 signals there is no ratio")
    room = min(rounding(ratio), Fraction(1, 20))
    return abs(Fraction(summary.her2, summary.cep17) - Fraction(ratio)) <= room


def exact_summary(her2_mean: Decimal, cep17_mean: Decimal | None, *, fewest: int) -> SignalSummary:
    """Find the fewest nuclei, from `fewest` on, over which these means are whole signals.

    For a count whose number of nuclei was not stated, so that its means have to be taken as exact.

    Examples
    --------
    >>> exact_summary(Decimal("5.99"), Decimal("3.1"), fewest=20)
    SignalSummary(nuclei=100, her2=599, cep17=310)
    """
    her2 = _exact(her2_mean)
    cep17 = None if cep17_mean is None else _exact(cep17_mean)
    step = math.lcm(her2.denominator, 1 if cep17 is None else cep17.denominator)
    nuclei = step * math.ceil(Fraction(fewest, step))
    return SignalSummary(nuclei, int(her2 * nuclei), None if cep17 is None else int(cep17 * nuclei))


def _exact(mean: Decimal) -> Fraction:
    """Take a mean as its digits say; one that a program printed as the fraction it was worked out from."""
    typed = Fraction(mean)
    near = typed.limit_denominator(_MOST_NUCLEI)
    of_a_program = decimal_places(mean) >= _DOUBLE_PLACES and abs(near - typed) <= rounding(mean)
    return near if of_a_program else typed
