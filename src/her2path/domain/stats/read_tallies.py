"""How many readers put a case into each category: all that agreement of several readers rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.confusion import Codes, Mask, Table, checked_table

Floats = npt.NDArray[np.float64]
Patterns = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ReadTallies:
    """Distinct patterns of reads, and how many cases show each.

    Five thousand cases of ten readers show some hundred patterns: everything is worked out over these.
    """

    patterns: Patterns
    """Shape (U, K): readers that chose each category; each row sums to 1 or more."""
    cases: Patterns
    """Shape (U,): cases of each pattern, 1 or more."""

    def __post_init__(self) -> None:
        shaped = self.patterns.ndim == 2 and self.cases.shape == self.patterns.shape[:1]
        if not shaped or self.patterns.shape[1] < 2:
            raise ValueError(
                "need a row a pattern, a column a category (two or more), a number of cases a row"
            )
        if (self.patterns < 0).any() or (self.patterns.sum(axis=1) < 1).any() or (self.cases < 1).any():
            raise ValueError("a pattern has a read or more, and a case or more")

    @classmethod
    def of_reads(cls, codes: Codes, read: Mask, *, categories: int) -> ReadTallies:
        """Count the reads of each case.

        Parameters
        ----------
        codes : ndarray of integers, shape (N, R)
            Category of each of N cases by each of R readers, 0 to `categories` - 1 where `read`.
        read : ndarray of bool, shape (N, R)
            Which cases each reader read.
        categories : int
            At least 2.

        Raises
        ------
        ValueError
            The shapes differ, or a code is out of range.

        Examples
        --------
        >>> reads = np.array([[0, 0, 1], [1, 1, 0]])
        >>> tallies = ReadTallies.of_reads(reads, np.ones((2, 3), bool), categories=2)
        >>> tallies.patterns.tolist(), tallies.cases.tolist()
        ([[1, 2], [2, 1]], [1, 1])
        """
        if codes.shape != read.shape or codes.ndim != 2:
            raise ValueError(f"need codes and a mask of one shape (cases, readers), got {codes.shape}")
        seen = codes[read]
        if seen.size and not 0 <= seen.min() <= seen.max() < categories:
            raise ValueError(f"codes of reads range from 0 to {categories - 1}")
        columns = [((codes == category) & read).sum(axis=1) for category in range(categories)]
        counts = np.stack(columns, axis=1).astype(np.int64)
        patterns, cases = np.unique(counts[read.any(axis=1)], axis=0, return_counts=True)
        return cls(patterns, cases.astype(np.int64))

    @classmethod
    def of_table(cls, table: Table) -> ReadTallies:
        """Take a table of two readers."""
        cells = cell_patterns(len(checked_table(table)))
        met = table.ravel() > 0
        return cls(cells[met], table.ravel()[met])

    @property
    def categories(self) -> int:
        """Number of categories, chosen or not."""
        return int(self.patterns.shape[1])

    @property
    def reads(self) -> Patterns:
        """Reads of a case of each pattern, shape (U,)."""
        reads: Patterns = self.patterns.sum(axis=1)
        return reads

    @property
    def paired_cases(self) -> int:
        """Cases with two reads or more."""
        return int(self.cases[self.reads >= 2].sum())

    @property
    def shares(self) -> Floats:
        """Share of the reads in each category, each case counting as one, shape (K,); of no case, zeros."""
        total = max(1, int(self.cases.sum()))
        shares: Floats = self.cases @ (self.patterns / self.reads[:, None]) / total
        return shares

    def paired(self) -> ReadTallies:
        """Leave out the cases with a single read."""
        keep = self.reads >= 2
        return ReadTallies(self.patterns[keep], self.cases[keep])


def cell_patterns(categories: int) -> Patterns:
    """Patterns of the cells of a table of two readers, row by row, shape (K * K, K).

    Examples
    --------
    >>> cell_patterns(2).tolist()
    [[2, 0], [1, 1], [1, 1], [0, 2]]
    """
    one = np.eye(categories, dtype=np.int64)
    return (one[:, None, :] + one[None, :, :]).reshape(-1, categories)
