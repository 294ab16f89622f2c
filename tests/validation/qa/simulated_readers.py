"""Readers whose errors are known, the cases they read, and what their agreement truly is.

A case has a true category and is plain or borderline.  Every reader slips to a neighbouring category at a
rate of their own, more often in borderline cases: errors of different readers therefore meet in the same
cases, as they do in laboratories.  What a statistic is in the population follows from these rates without
any simulation, and is what its interval must cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SCORES = (0.35, 0.33, 0.18, 0.14)
"""Assumed shares of true 0, 1+, 2+ and 3+ among the cases of a study."""
CALLS = (0.72, 0.10, 0.18)
"""Assumed shares of negative, equivocal and positive calls."""
RARE = (0.95, 0.05)
"""Negative and positive, where positive cases are rare."""
BORDERLINE = 0.3
"""Share of the cases that are borderline."""
HARDER, EASIER = 2.0, 0.4 / 0.7
"""Slips in borderline and in plain cases over those in all: 0.3 * 2 + 0.7 * 0.571 = 1."""
MISSING = 0.05
"""Share of the reads that are missing, at random."""
UNLIKE = (1.0, 0.7, 1.3, 0.85, 1.15)
"""Slips of the readers over their mean: no two readers are equally good."""


@dataclass(frozen=True, slots=True)
class Population:
    """Cases and readers of known errors."""

    shares: tuple[float, ...]
    """Of the true categories."""
    slips: tuple[float, ...]
    """Of each reader, over all cases."""

    @classmethod
    def of(cls, shares: Sequence[float], slips: float, *, readers: int) -> Population:
        """Readers about as good as `slips` says."""
        return cls(tuple(shares), tuple(slips * UNLIKE[i % len(UNLIKE)] for i in range(readers)))

    def joint(self, first: int, second: int) -> Floats:
        """Probability of each pair of reads by two readers (or by one in two sessions), shape (K, K)."""
        table = np.zeros((len(self.shares), len(self.shares)))
        for share, harder in ((BORDERLINE, HARDER), (1 - BORDERLINE, EASIER)):
            a, b = (_slipping(len(self.shares), self.slips[i] * harder) for i in (first, second))
            table += share * np.einsum("t,ta,tb->ab", self.shares, a, b)
        return table

    def draw(self, cases: int, rng: np.random.Generator, *, sessions: int = 0) -> tuple[Codes, Mask]:
        """Let the readers (or the first of them in some sessions) read new cases.

        Returns
        -------
        codes : ndarray of int64, shape (cases, readers or sessions)
        read : ndarray of bool, same shape
            False where a read is missing; the code there is out of range.
        """
        size = len(self.shares)
        true = rng.choice(size, cases, p=self.shares)
        harder = np.where(rng.random(cases) < BORDERLINE, HARDER, EASIER)
        slips = self.slips[:1] * sessions if sessions else self.slips
        columns = []
        for rate in slips:
            slipped = rng.random(cases) < rate * harder
            step = np.where(rng.random(cases) < 0.5, 1, -1)
            step = np.where(true == 0, 1, np.where(true == size - 1, -1, step))
            columns.append(true + slipped * step)
        codes = np.stack(columns, axis=1)
        read = rng.random(codes.shape) >= MISSING
        return np.where(read, codes, 99), read


def _slipping(size: int, rate: float) -> Floats:
    """Probability of each category (column) for each true one (row)."""
    matrix = np.eye(size) * (1 - rate)
    for true in range(size):
        near = [code for code in (true - 1, true + 1) if 0 <= code < size]
        matrix[true, near] = rate / len(near)
    return matrix
