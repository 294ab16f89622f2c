"""Numbers within words: counts and differences in the sentences of documents, and numbered names."""

from __future__ import annotations

import re

MINUS = "\N{MINUS SIGN}"
_DIGITS = re.compile(r"([0-9]+)")


def counted(n: int, noun: str, *, verb: tuple[str, str] | None = None) -> str:
    """Count things in words, with the verb for one and for many where a sentence goes on.

    Examples
    --------
    >>> counted(1, "read"), counted(2, "read"), counted(1, "run", verb=("has", "have"))
    ('1 read', '2 reads', '1 run has')
    """
    words = f"{n} {noun}{'' if n == 1 else 's'}"
    return words if verb is None else f"{words} {verb[0] if n == 1 else verb[1]}"


def signed(value: float, *, digits: int) -> str:
    """Print a difference with its sign; a hyphen is no minus, and what rounds to nothing is not below 0.

    Examples
    --------
    >>> signed(12.5, digits=1), signed(-0.25, digits=2) == MINUS + "0.25"
    ('+12.5', True)
    >>> signed(-0.04, digits=1)
    '+0.0'
    """
    # Adding 0 makes a negative zero a positive one.
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", MINUS)


def natural_order(name: str) -> tuple[tuple[str | int, ...], str]:
    """Key by which names are sorted as people count them.

    Examples
    --------
    >>> sorted(["reader_10", "reader_2", "AB"], key=natural_order)
    ['AB', 'reader_2', 'reader_10']
    """
    # Text and digits take turns, so that like is compared with like; the name itself parts 01 from 1.
    parts = _DIGITS.split(name)
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts)), name
