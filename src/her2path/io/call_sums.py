"""Whether the parts of a call agree: its state with its rules, and its means with its totals.

Each number of a document is of use only together with those that it was worked out from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from her2path.io.call_entries import TrailEntry

_DERIVED = (
    ("her2_mean", "her2_signals", "nuclei"),
    ("cep17_mean", "cep17_signals", "nuclei"),
    ("her2_cep17_ratio", "her2_signals", "cep17_signals"),
)
"""A number that is printed, and the two totals that it is the quotient of."""
_ROUNDING = 1e-6
"""Relative; documents hold every digit, so this is far more than any rounding takes."""


def refuse_contradiction(
    state: str, trail: Sequence[TrailEntry], counts: Mapping[str, Mapping[str, int | float | str | None]]
) -> None:
    """Refuse a result that its own evidence contradicts.

    Parameters
    ----------
    state : str
        What is stated.
    trail : sequence of TrailEntry
        The rules that led to it; the last one concludes it.
    counts : mapping
        Numbers of each ISH count by its name in the document; a number that is missing is not compared.

    Raises
    ------
    ValueError
        The state is not the conclusion of the last rule, or a mean or ratio is not that of its totals.
    """
    if trail and trail[-1].conclusion != state:
        raise ValueError(f"the state {state!r} is not the conclusion of the rules, {trail[-1].conclusion!r}")
    for count, numbers in counts.items():
        for name, above, below in _DERIVED:
            stated, parts = numbers.get(name), (numbers.get(above), numbers.get(below))
            if stated is not None and None not in parts and not _is_quotient(stated, *parts):
                raise ValueError(f"{count}: {name} {stated} is not that of {above} and {below}")


def _is_quotient(stated: object, above: object, below: object) -> bool:
    """Compare a printed quotient with its totals; no document prints one over zero."""
    if not isinstance(stated, int | float) or not isinstance(above, int | float):
        return False
    if not isinstance(below, int | float) or not below:
        return False
    return math.isclose(stated, above / below, rel_tol=_ROUNDING)
