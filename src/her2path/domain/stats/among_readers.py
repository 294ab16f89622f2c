"""Whether software agrees with readers as they agree with each other.

Ninety per cent of agreement with a pathologist is poor where pathologists agree on all cases, and as
good as it gets where they agree on ninety.  Each share is of all cases that can tell of it; the difference
is of the cases that tell of both, with an interval that knows that they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.number_words import counted
from her2path.domain.stats.bayesian_bootstrap import METHOD, USUAL, Drawing, drawn_estimate, fewer_cases
from her2path.domain.stats.confusion import Codes, Mask
from her2path.domain.stats.estimate import Estimate

Floats = npt.NDArray[np.float64]
FEWEST_SHARED = 10
"""Cases of both shares below which their difference is not worked out: one case would move it by more than
ten percentage points, and a handful that happened to be read twice says nothing of the others."""
NO_READER = "no case was read by the software and a reader"
NO_TWO_READERS = "no case was read by two readers"
_AGREES, _DIFFERS = 1 / 2, 1 / 4
"""Imaginary cases on which all agree, and on which one given reader differs."""


@dataclass(frozen=True, slots=True)
class AmongReaders:
    """Agreement with readers beside agreement of readers, each case counting as one."""

    cases: int
    """Read by the software and by two readers or more: those of the difference."""
    with_readers: Estimate
    """Mean share of readers that the software agrees with, over cases read by it and a reader."""
    of_readers: Estimate
    """Mean share of pairs of readers that agree, over cases read by two of them, by the software or not."""
    difference: Estimate
    """First minus second, over `cases` alone; above 0 the software agrees with readers better than they
    among themselves.  Without value where there are fewer than `FEWEST_SHARED`."""


def among_readers(
    software: Codes, software_read: Mask, codes: Codes, read: Mask, *, drawing: Drawing = USUAL
) -> AmongReaders:
    """Compare the software's agreement with readers to theirs with each other.

    Parameters
    ----------
    software : ndarray of integers, shape (N,)
        Category of each case by the software, where `software_read`.
    software_read : ndarray of bool, shape (N,)
        Whether there is one.
    codes : ndarray of integers, shape (N, R)
        Category of each case by each reader, where `read`.
    read : ndarray of bool, shape (N, R)
        Which cases each reader read.
    drawing : Drawing
        Of the bootstrap over cases.

    Raises
    ------
    ValueError
        The shapes do not fit.

    Notes
    -----
    To the cases of the bootstrap, imaginary ones are added: half a case on which all agree, a quarter of
    one on which the software differs, and for each reader a quarter of one on which that reader does.
    They take half a success and half a failure to each of the two shares, and do not shift the
    difference.  Where the cases of a share and those of the difference are the same, so are the weights.

    Examples
    --------
    >>> readers = np.array([[0, 0], [1, 1], [2, 1]])
    >>> read = np.array([[True, True], [True, True], [True, False]])
    >>> found = among_readers(np.array([0, 1, 3]), np.ones(3, bool), readers, read)
    >>> round(found.with_readers.value, 3), found.with_readers.n
    (0.667, 3)
    >>> found.of_readers.value, found.of_readers.n, found.difference.why
    (1.0, 2, 'only 2 cases were read by the software and two readers; a difference needs 10')
    """
    if codes.ndim != 2 or codes.shape != read.shape or not len(codes) == len(software) == len(software_read):
        raise ValueError("need codes and masks of the same cases")
    readers = read.sum(axis=1)
    met = ((codes == software[:, None]) & read & software_read[:, None]).sum(axis=1)
    rows = np.stack([readers, met, _agreeing_pairs(codes, read)], axis=1)
    ours, theirs = software_read & (readers >= 1), readers >= 2
    both = ours & theirs
    shared = _drawn(rows[both], drawing)
    of_ours = shared if np.array_equal(ours, both) else _drawn(rows[ours], drawing)
    of_theirs = shared if np.array_equal(theirs, both) else _drawn(rows[theirs], drawing)
    return AmongReaders(
        shared.cases, of_ours.share(0, NO_READER), of_theirs.share(1, NO_TWO_READERS), shared.difference()
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """The two shares over some cases."""

    cases: int
    values: Floats
    """Shape (2,)."""
    drawn: Floats
    """With random weights of the cases, shape (draws, 2)."""
    drawing: Drawing

    def share(self, place: int, why: str) -> Estimate:
        """Estimate a share; without value for that reason where there is no case."""
        if self.cases == 0:
            return Estimate.none(why, METHOD, confidence=self.drawing.confidence)
        value = float(self.values[place])
        return drawn_estimate(value, self.drawn[:, place], cases=self.cases, drawing=self.drawing)

    def difference(self) -> Estimate:
        if self.cases < FEWEST_SHARED:
            number = (
                f"only {counted(self.cases, 'case', verb=('was', 'were'))}" if self.cases else "no case was"
            )
            why = f"{number} read by the software and two readers; a difference needs {FEWEST_SHARED}"
            return Estimate.none(why, METHOD, n=self.cases, confidence=self.drawing.confidence)
        value = float(self.values[0] - self.values[1])
        gaps = self.drawn[:, 0] - self.drawn[:, 1]
        return drawn_estimate(value, gaps, cases=self.cases, drawing=self.drawing)


def _drawn(rows: npt.NDArray[np.int64], drawing: Drawing) -> _Drawn:
    """Work out both shares of cases: their readers, those who agree with the software, pairs that agree."""
    cases = len(rows)
    if cases == 0:
        return _Drawn(0, np.zeros(2), np.zeros((0, 2)), drawing)
    patterns, counts = np.unique(rows, axis=0, return_counts=True)
    number, with_software, pairs = patterns.T
    # Of one reader there are no pairs; the second share of such cases is never asked for.
    shares = np.stack([with_software / number, 2 * pairs / np.maximum(1, number * (number - 1))], axis=1)
    drawn = _draw(shares, counts, round(float(np.median(rows[:, 0]))), drawing)
    return _Drawn(cases, counts @ shares / cases, drawn, drawing)


def _agreeing_pairs(codes: Codes, read: Mask) -> npt.NDArray[np.int64]:
    """Pairs of readers that agree on each case, shape (N,)."""
    chosen = [((codes == code) & read).sum(axis=1) for code in np.unique(codes[read])]
    pairs: npt.NDArray[np.int64] = sum((n * (n - 1) // 2 for n in chosen), np.zeros(len(codes), np.int64))
    return pairs


def _draw(shares: Floats, counts: npt.NDArray[np.int64], readers: int, drawing: Drawing) -> Floats:
    """Means of the two shares with random weights of cases, shape (draws, 2)."""
    alike, software, reader = (1.0, 1.0), (0.0, 1.0), ((readers - 1) / readers, (readers - 2) / readers)
    masses = (_AGREES, _DIFFERS, _DIFFERS * readers)
    shapes = np.concatenate([counts * fewer_cases(int(counts.sum())), masses])
    rng = np.random.default_rng(drawing.seed)
    weights = rng.standard_gamma(shapes, (drawing.draws, len(shapes)))
    sums = weights @ np.concatenate([shares, [alike, software, reader]])
    means: Floats = sums / weights.sum(axis=1, keepdims=True)
    return means
