"""Pairs of found and true places, one to one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Places = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def pair_up(found: Places, true: Places, reach: float) -> tuple[Indices, Indices]:
    """Pair places one to one, the nearest first, no farther apart than `reach`.

    Parameters
    ----------
    found, true : ndarray of float64, shape (n, 2) and (m, 2)
    reach : float
        In their unit.

    Returns
    -------
    of_found, of_true : ndarray of int, shape (k,)
        Rows of the pairs.

    Examples
    --------
    >>> found, true = np.array([[0.0, 0], [1, 0]]), np.array([[0.9, 0.0], [9, 9]])
    >>> [pair.tolist() for pair in pair_up(found, true, 4.0)]
    [[1], [0]]
    """
    if not len(found) or not len(true):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    near = cKDTree(found).sparse_distance_matrix(cKDTree(true), reach, output_type="coo_matrix")
    free_found, free_true = np.ones(len(found), np.bool_), np.ones(len(true), np.bool_)
    pairs = []
    for place in np.lexsort((near.col, near.row, near.data)):
        one, other = near.row[place], near.col[place]
        if free_found[one] and free_true[other]:
            free_found[one] = free_true[other] = False
            pairs.append((one, other))
    chosen = np.array(pairs, np.intp).reshape(-1, 2)
    return chosen[:, 0], chosen[:, 1]
