"""Whether marked points lie together or among the others: a permutation test on their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEIGHBOURS = 4
"""Nearest points that each one is asked about."""
SHUFFLES = 999
_SEED = 20_261_123


def clustering_p_value(
    places: Sequence[tuple[float, float]], marked: Sequence[bool], groups: Sequence[str] = ()
) -> float | None:
    """Tell how often chance alone puts as many marked points side by side.

    The number of marked neighbours of marked points (a join count [1]_) is compared with that after
    shuffling the marks.

    Parameters
    ----------
    places : sequence of (float, float)
        Where the points lie, in any unit of length.
    marked : sequence of bool
        Which of them are marked.
    groups : sequence of str
        Field of each point; neighbours are looked for within a field only.  Empty = one field.

    Returns
    -------
    p : float or None
        The share of shuffles with as many joins or more; None where fewer than two points are marked,
        there are no others, or every point is alone in its field.  The same for the same input: the seed
        is fixed.

    References
    ----------
    .. [1] Cliff & Ord, Spatial Processes (1981): join counts; Schilling, J Am Stat Assoc 81:799 (1986): the
       same on nearest neighbours.

    Examples
    --------
    >>> row = [(float(x), 0.0) for x in range(40)]
    >>> clustering_p_value(row, [x < 8 for x in range(40)])
    0.001
    """
    marks = np.array(marked, np.bool_)
    if marks.sum() < 2 or marks.all():
        return None
    joins = _joins(np.array(places, np.float64), np.array(groups or [""] * len(marks)))
    if not len(joins):
        return None
    rng = np.random.default_rng(_SEED)
    shuffled = np.argsort(rng.random((SHUFFLES, len(marks))), axis=1)
    found = _count(joins, marks)
    drawn = np.array([_count(joins, marks[order]) for order in shuffled])
    return float((1 + (drawn >= found).sum()) / (1 + SHUFFLES))


def _count(joins: npt.NDArray[np.int64], marks: npt.NDArray[np.bool_]) -> int:
    return int((marks[joins[:, 0]] & marks[joins[:, 1]]).sum())


def _joins(places: Floats, groups: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Pairs of a point and one of its nearest neighbours, shape (J, 2)."""
    pairs = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        most = min(NEIGHBOURS, len(members) - 1)
        here = places[members]
        for index, place in enumerate(here):
            far = np.hypot(*(here - place).T)
            far[index] = np.inf
            # A stable order, so that points equally far away are taken the same way every time.
            nearest = np.argsort(far, kind="stable")[:most]
            pairs += [(members[index], members[other]) for other in nearest]
    return np.array(pairs, np.int64).reshape(-1, 2)
