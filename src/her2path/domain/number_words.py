"""Counts and differences within the sentences that documents hold."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


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
    """Print a difference with its sign; a hyphen is no minus.

    Examples
    --------
    >>> signed(12.5, digits=1), signed(-0.25, digits=2) == MINUS + "0.25"
    ('+12.5', True)
    """
    return f"{value:+.{digits}f}".replace("-", MINUS)
