"""Tables of what two readers made of the same cases, and how often they agree.

Rows are the first reader (the method under test), columns the second.  Categories are codes from 0 to
K - 1 in ascending order; what was not read is told by a mask, never by a code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.estimate import CONFIDENCE, Estimate
from her2path.domain.stats.proportion import clopper_pearson_estimate, wilson_estimate

Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
Table = npt.NDArray[np.int64]

NO_CASE = "no case was read by both"


def confusion_table(first: Codes, second: Codes, read: Mask, *, categories: int) -> Table:
    """Count the cases by what two readers made of them.

    Parameters
    ----------
    first, second : ndarray of integers, shape (N,)
        Codes of the categories, 0 to `categories` - 1 where `read`; anything elsewhere.
    read : ndarray of bool, shape (N,)
        Whether both readers read the case.
    categories : int
        At least 2.

    Returns
    -------
    table : ndarray of int64, shape (K, K)

    Raises
    ------
    ValueError
        The shapes differ, or a code is out of range.

    Examples
    --------
    >>> both = np.array([True, True, True, False])
    >>> confusion_table(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 1]), both, categories=2).tolist()
    [[1, 0], [1, 1]]
    """
    if categories < 2 or not first.shape == second.shape == read.shape or read.ndim != 1:
        raise ValueError("need two categories or more, and codes and a mask of one length")
    pairs = np.stack([first[read], second[read]]).astype(np.int64)
    if pairs.size and not 0 <= pairs.min() <= pairs.max() < categories:
        raise ValueError(f"codes of read cases range from 0 to {categories - 1}")
    cells = np.bincount(pairs[0] * categories + pairs[1], minlength=categories**2)
    return cells.reshape(categories, categories).astype(np.int64)


def checked_table(table: Table) -> Table:
    """Return a table of counts of two categories or more; raise `ValueError` for anything else."""
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2 or (table < 0).any():
        raise ValueError(f"need a square table of counts of two categories or more, got {table.tolist()}")
    return table


def exact_agreement(table: Table, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the share of cases that both readers put into the same category (Wilson).

    Examples
    --------
    >>> estimate = exact_agreement(np.array([[20, 0], [0, 20]]))
    >>> estimate.value, round(estimate.low, 3), estimate.high
    (1.0, 0.912, 1.0)
    """
    return _agreement(table, within=0, confidence=confidence, exact=False)


def exact_agreement_clopper_pearson(table: Table, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the same with the interval of Clopper and Pearson."""
    return _agreement(table, within=0, confidence=confidence, exact=True)


def within_one_agreement(table: Table, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the share of cases in which the readers differ by one category at most (Wilson)."""
    return _agreement(table, within=1, confidence=confidence, exact=False)


def higher_first(table: Table) -> tuple[int, int]:
    """Count the cases that the first reader put higher, and those put lower, than the second.

    Examples
    --------
    >>> higher_first(np.array([[5, 1], [3, 5]]))
    (3, 1)
    """
    checked_table(table)
    return int(np.tril(table, -1).sum()), int(np.triu(table, 1).sum())


def _agreement(table: Table, *, within: int, confidence: float, exact: bool) -> Estimate:
    place = np.arange(len(checked_table(table)))
    near = np.abs(place[:, None] - place) <= within
    estimate = clopper_pearson_estimate if exact else wilson_estimate
    return estimate(int(table[near].sum()), int(table.sum()), confidence=confidence, none_why=NO_CASE)
