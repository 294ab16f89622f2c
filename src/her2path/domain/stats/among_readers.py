"""Whether software agrees with readers as they agree with each other.

Ninety per cent of agreement with a pathologist is poor where pathologists agree on all cases, and as
good as it gets where they agree on ninety.  So both are measured on the same cases, with an interval of
the difference that knows that they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.bayesian_bootstrap import METHOD, USUAL, Drawing, drawn_estimate, fewer_cases
from her2path.domain.stats.confusion import Codes, Mask
from her2path.domain.stats.estimate import Estimate

Floats = npt.NDArray[np.float64]
TOO_FEW_READERS = "no case was read by the software and two readers"
_AGREES, _DIFFERS = 1 / 2, 1 / 4
"""Imaginary cases on which all agree, and on which one given reader differs."""


@dataclass(frozen=True, slots=True)
class AmongReaders:
    """Agreement with readers beside agreement of readers, each case counting as one."""

    cases: int
    """Read by the software and by two readers or more."""
    with_readers: Estimate
    """Mean share of readers that the software agrees with."""
    of_readers: Estimate
    """Mean share of pairs of readers that agree."""
    difference: Estimate
    """First minus second; above 0 the software agrees with readers better than they among themselves."""


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
    difference.

    Examples
    --------
    >>> readers = np.array([[0, 0], [1, 1], [2, 1]])
    >>> found = among_readers(np.array([0, 1, 3]), np.ones(3, bool), readers, np.ones((3, 2), bool))
    >>> round(found.with_readers.value, 3), round(found.of_readers.value, 3)
    (0.667, 0.667)
    """
    if codes.ndim != 2 or codes.shape != read.shape or not len(codes) == len(software) == len(software_read):
        raise ValueError("need codes and masks of the same cases")
    readers = read.sum(axis=1)
    use = software_read & (readers >= 2)
    cases = int(use.sum())
    if cases == 0:
        none = Estimate.none(TOO_FEW_READERS, METHOD, confidence=drawing.confidence)
        return AmongReaders(0, none, none, none)
    met = ((codes[use] == software[use, None]) & read[use]).sum(axis=1)
    rows = np.stack([readers[use], met, _agreeing_pairs(codes[use], read[use])], axis=1)
    patterns, counts = np.unique(rows, axis=0, return_counts=True)
    number, with_software, pairs = patterns.T
    shares = np.stack([with_software / number, 2 * pairs / (number * (number - 1))], axis=1)
    drawn = _draw(shares, counts, round(float(np.median(readers[use]))), drawing)
    values = counts @ shares / cases
    with_readers, of_readers = (
        drawn_estimate(float(values[i]), drawn[:, i], cases=cases, drawing=drawing) for i in (0, 1)
    )
    gap = drawn_estimate(
        float(values[0] - values[1]), drawn[:, 0] - drawn[:, 1], cases=cases, drawing=drawing
    )
    return AmongReaders(cases, with_readers, of_readers, gap)


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
