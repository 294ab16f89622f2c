"""In which order a reader would take the nuclei that may be counted.

A reader who has more nuclei than needed takes those whose outline and signals leave no doubt:
sharp, round or oval with a smooth outline, apart from others, evenly stained, of the size of the
other nuclei, and well inside the field.  Each aspect is a share from 0.1 (barely fit) to 1 (nothing
to object to), the suitability is their geometric mean, and the order says nothing of signals, so
that it cannot favour a result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.nucleus_shape import ShapeLimits, Shapes

Floats = npt.NDArray[np.float64]

_BARELY = 0.1
"""Share of an aspect at the cut-point that rules a nucleus out: one flaw alone does not put it last."""
_SHARP_EDGE_UM = 1.2
"""Width of the edge in perfect focus: the optics' own blur and the smoothing before it is measured."""
_SMOOTH_SOLIDITY = 0.975
"""Solidity of an ellipse on a pixel grid."""
_OVAL = 1.3
"""Length over width up to which nobody calls a nucleus long."""
_INSIDE_UM = 10.0
"""Distance from the border of the field from which nothing round a nucleus is hidden."""
_ASPECTS = 6
_SIZE_SPREAD = 0.5
"""Standard deviation of the logarithm of nuclear areas that is still medium: a tetraploid nucleus
has 1.6 times the area of a diploid one, and stays above 0.6."""


def suitability_of(shapes: Shapes, limits: ShapeLimits, *, height: int, width: int, mpp: float) -> Floats:
    """How well each nucleus of a field can be read by its shape, size aside.

    Parameters
    ----------
    shapes : Shapes
        Nuclei, places in pixels of the field.
    limits : ShapeLimits
        What rules a nucleus out: there an aspect is worth 0.1.
    height, width : int
        Size of the field in pixels.
    mpp : float
        Pixel size in µm.

    Returns
    -------
    suitability : ndarray of float64, shape (number of nuclei,)
        0.1 to 1.
    """
    sides = np.stack([shapes.row, shapes.col, height - shapes.row, width - shapes.col])
    # A nucleus walled in by others has no free edge to judge its focus by: nothing speaks for it.
    edge_um = np.where(shapes.edge_um > 0, shapes.edge_um, limits.max_edge_um)
    inside_um = sides.min(axis=0) * mpp - np.sqrt(shapes.area_um2 / np.pi)
    aspects = (
        _share(edge_um, worst=limits.max_edge_um, best=_SHARP_EDGE_UM),
        _share(shapes.solidity, worst=limits.min_solidity, best=_SMOOTH_SOLIDITY),
        _share(shapes.elongation, worst=limits.max_elongation, best=_OVAL),
        _share(shapes.overlap, worst=limits.overlap_ratio, best=0.0),
        _share(shapes.lens_um2, worst=limits.max_lens_um2, best=0.0),
        _share(inside_um, worst=0.0, best=_INSIDE_UM),
    )
    logarithm: Floats = np.sum(np.log(aspects), axis=0) / _ASPECTS
    return np.exp(logarithm)


def rank_nuclei(
    nucleus_id: npt.NDArray[np.int32],
    suitability: Floats,
    area_um2: Floats,
    scorable: npt.NDArray[np.bool_],
) -> tuple[int | None, ...]:
    """Order nuclei as a reader would take them: 1 is taken first, None may not be counted.

    Parameters
    ----------
    nucleus_id : ndarray of int32, shape (N,)
        Of equally good ones the lower number is taken first.
    suitability : ndarray of float64, shape (N,)
        By shape (`suitability_of`), > 0.
    area_um2 : ndarray of float64, shape (N,)
        Areas; those near the median of the scorable nuclei are preferred.
    scorable : ndarray of bool, shape (N,)
        May be counted.

    Examples
    --------
    >>> ids, area = np.arange(1, 4, dtype=np.int32), np.full(3, 60.0)
    >>> rank_nuclei(ids, np.array([0.5, 0.9, 1.0]), area, np.array([True, True, False]))
    (2, 1, None)
    """
    ranks: list[int | None] = [None] * len(nucleus_id)
    own = np.flatnonzero(scorable)
    if not own.size:
        return tuple(ranks)
    off = np.log(area_um2[own] / np.median(area_um2[own])) / _SIZE_SPREAD
    size = np.maximum(np.exp(-(off**2) / 2), _BARELY)
    whole = suitability[own] ** (_ASPECTS / (_ASPECTS + 1)) * size ** (1 / (_ASPECTS + 1))
    # Nine digits: what is equal but for rounding is a tie on every machine.
    order = np.lexsort((nucleus_id[own], -np.round(whole, 9)))
    for rank, index in enumerate(own[order].tolist(), start=1):
        ranks[index] = rank
    return tuple(ranks)


def _share(value: Floats, *, worst: float, best: float) -> Floats:
    """1 at the best value or beyond, 0.1 at the worst, straight between."""
    share: Floats = np.clip((value - worst) / (best - worst), 0.0, 1.0)
    return _BARELY + (1 - _BARELY) * share
