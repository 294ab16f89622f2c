"""What a difference of two readers means for the clinical category of a case.

A 0 against a 1+ and a 2+ against a 3+ are one step each; one may decide on a treatment and the other
not.  So differences are counted with what becomes of the category (0, ultralow, low, positive).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.confusion import Codes, Mask

Places = npt.NDArray[np.int64]


class CategoryChange(StrEnum):
    """What a difference between two readers does to the clinical category."""

    NONE = "none"
    """Both readers lead to the same category."""
    TREATMENT = "treatment"
    """To different ones."""
    OPEN = "open"
    """One of them leads to none yet, an ISH test pending for example."""


@dataclass(frozen=True, slots=True)
class ReadCodes:
    """Codes of one reader's reads of the same cases."""

    score: Codes
    """Shape (N,), where `scored`."""
    scored: Mask
    category: Codes
    """Shape (N,), where `categorised`."""
    categorised: Mask

    def __post_init__(self) -> None:
        shapes = {part.shape for part in (self.score, self.scored, self.category, self.categorised)}
        if len(shapes) != 1 or self.score.ndim != 1:
            raise ValueError(f"need codes and masks of one length, got {sorted(shapes)}")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One way in which two readers differ, and where."""

    first_score: int | None
    second_score: int | None
    first_category: int | None
    second_category: int | None
    """Codes; None = there is none."""
    change: CategoryChange
    cases: Places
    """Their places, ascending."""


def differences(first: ReadCodes, second: ReadCodes) -> tuple[Difference, ...]:
    """Group the cases on which two readers differ in score or category.

    Parameters
    ----------
    first, second : ReadCodes
        Of the same cases in the same order.  Cases that one of them neither scored nor called are left
        out, for there is nothing to differ from.

    Returns
    -------
    tuple of Difference
        Changes of the category first, then open ones, then those without effect; within these the most
        frequent first.

    Raises
    ------
    ValueError
        The lengths differ.

    Examples
    --------
    >>> yes = np.array([True, True])
    >>> a = ReadCodes(np.array([0, 2]), yes, np.array([1, 2]), yes)
    >>> b = ReadCodes(np.array([1, 1]), yes, np.array([2, 2]), yes)
    >>> [(d.change.value, d.cases.tolist()) for d in differences(a, b)]
    [('treatment', [0]), ('none', [1])]
    """
    if first.score.shape != second.score.shape:
        raise ValueError("both readers need the same cases")
    read = (first.scored | first.categorised) & (second.scored | second.categorised)
    # -1 is used within this function alone, to group by; it never leaves it.
    columns = [
        np.where(mask, codes, -1)
        for codes, mask in (
            (first.score, first.scored),
            (second.score, second.scored),
            (first.category, first.categorised),
            (second.category, second.categorised),
        )
    ]
    keys = np.stack(columns, axis=1)
    scores_differ = first.scored & second.scored & (first.score != second.score)
    differ = read & (scores_differ | (keys[:, 2] != keys[:, 3]))
    places = np.flatnonzero(differ)
    groups, group = np.unique(keys[differ], axis=0, return_inverse=True)
    found = [_difference(key.tolist(), places[group.ravel() == i]) for i, key in enumerate(groups)]
    order = [CategoryChange.TREATMENT, CategoryChange.OPEN, CategoryChange.NONE]
    return tuple(sorted(found, key=lambda d: (order.index(d.change), -len(d.cases))))


def _difference(key: list[int], cases: Places) -> Difference:
    first_score, second_score, first, second = (None if code == -1 else code for code in key)
    if first is None or second is None:
        change = CategoryChange.OPEN
    else:
        change = CategoryChange.NONE if first == second else CategoryChange.TREATMENT
    return Difference(first_score, second_score, first, second, change, cases)
