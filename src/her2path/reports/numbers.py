"""Numbers as a report prints them.

A printed number must not seem to lie on the other side of a cut, so digits are added until it
shows on which side it lies.  Nothing here is compared: comparisons belong to the domain.
"""

from __future__ import annotations

from collections.abc import Iterable

from her2path.domain.number_words import MINUS

_MOST_DIGITS = 17
"""Enough to tell any two numbers apart that a guideline could compare."""


def number_text(value: float | None, *, digits: int = 2, cuts: Iterable[float] = ()) -> str:
    """Print `value` with `digits` decimals, or more where it would be taken for one of `cuts`.

    Parameters
    ----------
    value : float or None
        None is printed as a dash.
    digits : int
        Decimals to begin with.
    cuts : iterable of float
        Cut-points that a different value must not be rounded to.

    Examples
    --------
    >>> number_text(1.996, cuts=(2.0,))
    '1.996'
    >>> number_text(2.0, cuts=(2.0,))
    '2.00'
    """
    if value is None:
        return "–"
    if isinstance(value, int):
        return count_text(value)
    beside = [cut for cut in cuts if cut != value]
    while digits < _MOST_DIGITS and any(f"{value:.{digits}f}" == f"{cut:.{digits}f}" for cut in beside):
        digits += 1
    return f"{value:.{digits}f}".replace("-", MINUS)


def percentage_text(value: float | None, *, digits: int = 2, cuts: Iterable[float] = ()) -> str:
    """Print a percentage (0 to 100), without its sign; a few cells are never printed as none, or as all.

    Where neither `digits` nor the `cuts` tell it from 0 or 100, a bound is printed.

    Examples
    --------
    >>> percentage_text(0.0025), percentage_text(99.9975), percentage_text(0.0), percentage_text(100.0)
    ('< 0.01', '> 99.99', '0.00', '100.00')
    >>> percentage_text(0.04, digits=1)
    '< 0.1'
    """
    text = number_text(None if value is None else float(value), digits=digits, cuts=cuts)
    if value is None or value in (0, 100) or text not in (f"{0:.{digits}f}", f"{100:.{digits}f}"):
        return text
    step = 10.0**-digits
    return f"< {step:.{digits}f}" if value < 100 - step else f"> {100 - step:.{digits}f}"


def count_text(value: int | None) -> str:
    """Print a count with narrow spaces between thousands.

    Examples
    --------
    >>> count_text(999)
    '999'
    """
    if value is None:
        return "–"
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", MINUS)


def counted_text(n: int, *, noun: str = "case") -> str:
    """Print a count with what was counted.

    Examples
    --------
    >>> counted_text(1), counted_text(2, noun="read")
    ('1 case', '2 reads')
    """
    return f"{count_text(n)} {noun}{'' if n == 1 else 's'}"


def signed_text(value: float, *, digits: int = 2) -> str:
    """Print a difference with its sign; one that is not zero never prints as zero.

    Examples
    --------
    >>> signed_text(0.25), signed_text(-0.25) == MINUS + "0.25", signed_text(0.0)
    ('+0.25', True, '0.00')
    """
    text = number_text(abs(value), digits=digits, cuts=(0.0,))
    return text if value == 0 else f"{'+' if value > 0 else MINUS}{text}"


def value_text(name: str, value: float | str | None, *, cuts: Iterable[float] = ()) -> str:
    """Print a named value of a document: a count, a measured number with its unit, or a word.

    Examples
    --------
    >>> value_text("ish", "not_done"), value_text("pct_none", 1.5), value_text("h_score", 95.0)
    ('not done', '1.50 %', '95.0')
    >>> value_text("score_probability_pct", 100.0)
    '100 % of those drawn'
    """
    if isinstance(value, str):
        return value.replace("_", " ")
    if name == "score_probability_pct" and value in (0, 100):
        # No sample is a certainty: said here of what was drawn, and as a bound where the draws are known.
        return f"{value:.0f} % of those drawn"
    digits = 1 if name.startswith("h_score") else 2
    if value is not None and (name.startswith("pct_") or name.endswith("_pct")):
        # A whole percentage is a measured number all the same, not a count.
        return f"{percentage_text(value, digits=digits, cuts=cuts)} %"
    return number_text(value, digits=digits, cuts=cuts)
