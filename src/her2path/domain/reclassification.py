"""What a change of guideline changes in a cohort: each case by one guideline and by another.

Nothing is said of who is right.  Cases that cannot be evaluated by a guideline are counted as
such, because a change may also make a case readable or unreadable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.verdict import State

NOT_EVALUABLE = "not_evaluable"
RESULTS: tuple[str, ...] = (*(str(state) for state in State), NOT_EVALUABLE)
"""What a guideline can say of a case, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Move:
    """Cases that one guideline calls otherwise than the other."""

    before: str
    after: str
    cases: int


@dataclass(frozen=True, slots=True)
class Reclassification:
    """Cases counted over what two guidelines say of them."""

    before: str
    """Id of the first guideline: the rows."""
    after: str
    """Id of the second one: the columns."""
    counts: Mapping[tuple[str, str], int]
    """Cases by both results; combinations that do not occur are left out."""

    @property
    def cases(self) -> int:
        """How many cases were compared."""
        return sum(self.counts.values())

    @property
    def unchanged(self) -> int:
        """How many have the same result by both."""
        return sum(n for (one, other), n in self.counts.items() if one == other)

    @property
    def moves(self) -> tuple[Move, ...]:
        """The changes, the most frequent first."""
        changed = [Move(one, other, n) for (one, other), n in self.counts.items() if one != other]
        return tuple(sorted(changed, key=lambda move: (-move.cases, *_place(move.before, move.after))))

    @property
    def rows(self) -> tuple[str, ...]:
        """Results by the first guideline that occur."""
        return tuple(name for name in RESULTS if any(one == name for one, _ in self.counts))

    @property
    def columns(self) -> tuple[str, ...]:
        """Results by the second guideline that occur."""
        return tuple(name for name in RESULTS if any(other == name for _, other in self.counts))


def _place(before: str, after: str) -> tuple[int, int]:
    return RESULTS.index(before), RESULTS.index(after)


def reclassify(before: str, after: str, pairs: Iterable[tuple[str, str]]) -> Reclassification:
    """Count cases over their results by two guidelines.

    Parameters
    ----------
    before, after : str
        Ids of the guidelines.
    pairs : iterable of (str, str)
        The result of each case by `before` and by `after`, words of `RESULTS`.

    Raises
    ------
    ValueError
        A result is none of `RESULTS`.

    Examples
    --------
    >>> found = reclassify("breast_2013", "breast_2018", [("positive", "negative"), ("negative", "negative")])
    >>> found.unchanged, found.moves
    (1, (Move(before='positive', after='negative', cases=1),))
    """
    counted = Counter(pairs)
    if strange := {name for pair in counted for name in pair} - set(RESULTS):
        raise ValueError(f"{sorted(strange)} are no results")
    in_order = sorted(counted.items(), key=lambda item: _place(*item[0]))
    return Reclassification(before, after, MappingProxyType(dict(in_order)))
