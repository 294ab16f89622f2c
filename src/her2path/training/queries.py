"""Which cells and tiles a person should label next: those that the model is unsure of, and unlike each other.

Uncertainty alone asks for the same doubtful border a hundred times, diversity alone for every oddity.  So
each next query has the highest product of its uncertainty and its distance, in what was measured, to all
that were chosen before: the idea of batch active learning by diverse uncertain points [1]_, over a greedy
core-set [2]_.

References
----------
.. [1] Ash et al., Deep batch active learning by diverse, uncertain gradient lower bounds, ICLR 2020.
.. [2] Sener & Savarese, Active learning for convolutional neural networks: a core-set approach, ICLR 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_POOL, _LEAST_POOL = 20, 2000
"""Candidates looked at for each query that is asked for, and at least; the rest are less unsure."""
_LEAST_CELLS = 10
"""Fewest tumour cells of a tile that is asked for."""


@dataclass(frozen=True, slots=True)
class TileCandidates:
    """Tiles that may be asked for."""

    number: npt.NDArray[np.int64]
    cells: npt.NDArray[np.intp]
    uncertainty: Floats
    """Mean over their tumour cells."""
    features: Floats
    """Means, shape (T, F)."""


def uncertainty_of(chances: Floats) -> Floats:
    """Tell how unsure some chances are: 0 where one score is certain, 1 where two are alike.

    Parameters
    ----------
    chances : ndarray of float64, shape (n, K)
        Rows sum to 1.

    Examples
    --------
    >>> uncertainty_of(np.array([[1.0, 0, 0, 0], [0.0, 0.5, 0.5, 0]])).tolist()
    [0.0, 1.0]
    """
    ordered = np.sort(chances, axis=1)
    unsure: Floats = 1 - (ordered[:, -1] - ordered[:, -2])
    return unsure


def rank_queries(uncertainty: Floats, features: Floats, *, number: int) -> Indices:
    """Choose candidates that are unsure and unlike each other, the best first.

    Parameters
    ----------
    uncertainty : ndarray of float64, shape (n,)
        0 to 1.
    features : ndarray of float64, shape (n, F)
        What was measured; NaN where there is nothing to measure.  Scales do not matter.
    number : int
        How many to choose; fewer candidates give fewer.

    Returns
    -------
    chosen : ndarray of int, shape (min(n, number),)

    Examples
    --------
    >>> unsure, places = np.array([1.0, 0.99, 0.5]), np.array([[0.0], [0.0], [5.0]])
    >>> rank_queries(unsure, places, number=2).tolist()
    [0, 2]
    """
    number = min(number, len(uncertainty))
    if number < 1:
        return np.empty(0, np.intp)
    # The least sure first; of equals the first, so that the order of a table decides and not chance.
    pool = np.argsort(-uncertainty, kind="stable")[: max(number * _POOL, _LEAST_POOL)]
    unsure, places = uncertainty[pool], _standardised(features)[pool]
    chosen = [0]
    near = np.linalg.norm(places - places[0], axis=1)
    free = np.ones(len(pool), np.bool_)
    free[0] = False
    while len(chosen) < number:
        worth = np.where(free, unsure * near, -1.0)
        best = int(worth.argmax())
        chosen.append(best)
        free[best] = False
        near = np.minimum(near, np.linalg.norm(places - places[best], axis=1))
    return pool[chosen]


def tile_candidates(tiles: npt.NDArray[np.int64], uncertainty: Floats, features: Floats) -> TileCandidates:
    """Sum up cells by the tile they lie in; tiles with fewer than ten tumour cells are left out.

    Parameters
    ----------
    tiles : ndarray of int64, shape (n,)
        Number of the tile of each cell.
    uncertainty : ndarray of float64, shape (n,)
    features : ndarray of float64, shape (n, F)
    """
    numbers, own = np.unique(tiles, return_inverse=True)
    cells = np.bincount(own)
    unsure = np.bincount(own, uncertainty) / cells
    known = np.isfinite(features)
    sums = np.stack([np.bincount(own, np.nan_to_num(column)) for column in features.T], axis=1)
    measured = np.stack([np.bincount(own, column) for column in known.T.astype(np.float64)], axis=1)
    means = np.divide(sums, measured, out=np.full_like(sums, np.nan), where=measured > 0)
    enough = cells >= _LEAST_CELLS
    return TileCandidates(numbers[enough], cells[enough], unsure[enough], means[enough])


def _standardised(features: Floats) -> Floats:
    """Bring all features to one scale, robustly; what was not measured is the usual value and one step off.

    That something could not be measured (no part of the contour stains) is itself a way of being unlike.
    """
    known = np.isfinite(features)
    usual = _medians(features, known)
    away = np.where(known, features - usual, 0.0)
    spread = _medians(np.abs(away), known)
    scaled = np.clip(away / np.where(spread > 0, 1.4826 * spread, 1.0), -5, 5)
    return np.concatenate([scaled, (~known).astype(np.float64)], axis=1)


def _medians(features: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    columns = zip(features.T, known.T, strict=True)
    return np.array([float(np.median(column[mask])) if mask.any() else 0.0 for column, mask in columns])
