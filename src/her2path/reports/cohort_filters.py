"""By what the table of all cases can be filtered.

Every row carries its tokens, and every choice of a filter is a token: the page's script compares those
and knows nothing of HER2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from her2path.reports.numbers import count_text

FILTERS: Mapping[str, str] = {
    "call": "Call",
    "who": "Who acts",
    "ihc": "IHC score",
    "ish": "ISH result",
    "category": "Category",
    "quality": "Quality",
    "remark": "Comment or flag",
    "reason": "No result because",
    "guideline": "Guideline",
}
"""Labels of the filters, by the beginning of their tokens."""
_BY_COUNT = frozenset({"who", "remark", "reason", "guideline"})
"""Filters whose choices have no order of their own."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a filter."""

    token: str
    words: str
    cases: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the page."""

    name: str
    """Begins its tokens."""
    label: str
    choices: tuple[Choice, ...]


def token(name: str, words: str) -> str:
    """Make the token of a choice; no space is left in it.

    Examples
    --------
    >>> token("call", "ISH needed"), token("ihc", "2+")
    ('call-ish-needed', 'ihc-2+')
    """
    return f"{name}-{re.sub(r'[^a-z0-9+_]+', '-', words.lower())}"


def filters_of(rows: Sequence[Mapping[str, str]], order: Mapping[str, Sequence[str]]) -> tuple[Filter, ...]:
    """List the filters that would tell rows apart, each with the choices that occur.

    Parameters
    ----------
    rows : sequence of mapping of str to str
        Words by token, of every row.
    order : mapping of str to sequence of str
        Words of the choices of a filter in their own order, by its name; those that are missing come
        last, sorted.  A filter without an order keeps that of the rows.
    """
    counts = Counter(one for row in rows for one in row)
    words = {one: said for row in rows for one, said in row.items()}
    found = []
    for name, label in FILTERS.items():
        tokens = [one for one in words if one.startswith(f"{name}-")]
        # A choice that all rows have tells nothing apart.
        if any(counts[one] < len(rows) for one in tokens):
            if name in _BY_COUNT:
                tokens.sort(key=lambda one: (-counts[one], words[one]))
            elif name in order:
                tokens = _in_order(tokens, words, order[name])
            choices = tuple(Choice(one, words[one], count_text(counts[one])) for one in tokens)
            found.append(Filter(name, label, choices))
    return tuple(found)


def _in_order(tokens: Sequence[str], words: Mapping[str, str], order: Sequence[str]) -> list[str]:
    places = {said: place for place, said in enumerate(order)}
    return sorted(tokens, key=lambda one: (places.get(words[one], len(places)), words[one]))
