"""Reads of many cases by many readers on one endpoint, as codes beside the reason where there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
Statuses = npt.NDArray[np.int8]
FEWEST_FOR_MAJORITY = 2
"""One reader is no majority."""


class ReadStatus(IntEnum):
    """What there is of a case by one reader."""

    NOT_READ = 0
    NOT_EVALUABLE = 1
    """Looked at, but nothing could be said of it."""
    NO_VALUE = 2
    """Read, but not on this endpoint, or not to an end yet."""
    VALUE = 3


@dataclass(frozen=True, slots=True, eq=False)
class ReadMatrix:
    """One endpoint, cases by readers."""

    codes: Codes
    """Shape (N, R): place among the endpoint's levels where the status is `VALUE`; 0 elsewhere."""
    status: Statuses
    """Shape (N, R): `ReadStatus`."""

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape != self.status.shape:
            raise ValueError(f"need cases by readers, got {self.codes.shape} and {self.status.shape}")

    @property
    def has(self) -> Mask:
        """Where there is a value, shape (N, R)."""
        found: Mask = self.status == ReadStatus.VALUE
        return found

    def reader(self, place: int) -> ReadColumn:
        """Take one reader."""
        return ReadColumn(self.codes[:, place], self.status[:, place])

    def majority(self, places: list[int], *, categories: int) -> ReadColumn:
        """Find what more than half of the readers at `places` say of each case.

        A case has a majority if two of them read it at least.

        Parameters
        ----------
        places : list of int
            Columns.
        categories : int
            Levels of the endpoint.
        """
        codes, has = self.codes[:, places], self.has[:, places]
        votes = np.stack([((codes == level) & has).sum(axis=1) for level in range(categories)], axis=1)
        winner = votes.argmax(axis=1)
        most, reads = votes.max(axis=1), has.sum(axis=1)
        agreed = (reads >= FEWEST_FOR_MAJORITY) & (2 * most > reads)
        status = np.where(self.status[:, places].max(axis=1, initial=0) > 0, ReadStatus.NO_VALUE, 0)
        status[agreed] = ReadStatus.VALUE
        return ReadColumn(np.where(agreed, winner, 0).astype(np.int8), status.astype(np.int8))


@dataclass(frozen=True, slots=True, eq=False)
class ReadColumn:
    """One reader (or the majority of several) on one endpoint."""

    codes: Codes
    """Shape (N,)."""
    status: Statuses
    """Shape (N,)."""

    @property
    def has(self) -> Mask:
        """Where there is a value, shape (N,)."""
        found: Mask = self.status == ReadStatus.VALUE
        return found


_REASON = {
    ReadStatus.NOT_READ: "not_read",
    ReadStatus.NOT_EVALUABLE: "not_evaluable",
    ReadStatus.NO_VALUE: "no_value",
}


def left_out(first: ReadColumn, second: ReadColumn, within: Mask) -> dict[str, int]:
    """Count the cases of which one of two readers has a read and that cannot be compared, by reason.

    The reason is that of the reader who lacks most: ``not_read_first``, ``not_evaluable_second``,
    ``no_value_both`` ...

    Parameters
    ----------
    first, second : ReadColumn
        Of the same cases.
    within : ndarray of bool, shape (N,)
        Cases to look at.

    Examples
    --------
    >>> codes = np.zeros(3, np.int8)
    >>> one = ReadColumn(codes, np.array([3, 3, 3], np.int8))
    >>> other = ReadColumn(codes, np.array([3, 0, 2], np.int8))
    >>> left_out(one, other, np.ones(3, bool))
    {'no_value_second': 1, 'not_read_second': 1}
    """
    lacking = within & ~(first.has & second.has) & ((first.status > 0) | (second.status > 0))
    found: Counter[str] = Counter()
    pairs = np.stack([first.status[lacking], second.status[lacking]], axis=1)
    for (one, other), n in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
        which = "both" if one == other else "first" if one < other else "second"
        found[f"{_REASON[ReadStatus(min(one, other))]}_{which}"] += int(n)
    return dict(sorted(found.items()))
