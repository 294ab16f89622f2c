"""Clusters: stained cells side by side, by the level of their staining.

Two cells are neighbours where the sides that they turn to each other touch: the corners of their
outlines come within `TOUCHING_UM`, or the outlines overlap.  A cluster is all cells that hang
together by such contacts and stain at least at a level; cells in between that do not stain so
strongly break it, as do cells that were not found or are not scored.  A reader who looks past such
gaps sees fewer and larger clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from her2path.domain.ihc import Intensity, Pattern, Reactivity, reactivity
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.rays import ANGLES

Ranks = npt.NDArray[np.int8]
Pairs = npt.NDArray[np.integer]

TOUCHING_UM = 2.0
"""Distance of outlines that touch: their corners stand up to 2 µm apart, and both cells find a shared
membrane on their own.  Between 1.0 and 2.5 µm the choice hardly matters: of the pairs of stained cells
that share a border in phantoms 77 to 90 % are found, and at most 3 % of the pairs found share none
(`python -m tests.benchmarks ihc_clusters`).  From 3 µm on more strangers are joined."""

_FACING = ANGLES // 8
"""Corners on each side of the line between two centres that may touch: 45°."""
_CHUNK = 16_384
"""Cells looked at together: 50 MB."""

LEVELS: tuple[Reactivity, ...] = (Reactivity.FAINT, Reactivity.WEAK_MODERATE, Reactivity.STRONG)
"""From the weakest; the rank of a level is its place from 1, and 0 is unstained."""


@cache
def rank_of(intensity: Intensity, pattern: Pattern) -> int:
    """Rank of a cell's staining among `LEVELS`.

    Examples
    --------
    >>> rank_of(Intensity.STRONG, Pattern.BASOLATERAL), rank_of(Intensity.NONE, Pattern.NONE)
    (3, 0)
    """
    level = reactivity(intensity, pattern)
    return 0 if level is Reactivity.NONE else 1 + LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class Outlines:
    """Places and outlines of n cells."""

    xy_um: npt.NDArray[np.float64]
    """Centres, shape (n, 2), x first."""
    offsets_um: npt.NDArray[np.float16]
    """Corners relative to the centre, shape (n, ANGLES, 2), ray by ray from the x axis.  Half precision
    (0.02 µm at most) keeps two million cells within 256 MB."""

    def __post_init__(self) -> None:
        if self.offsets_um.shape != (len(self.xy_um), ANGLES, 2):
            raise ValueError(f"outlines have the shape {self.offsets_um.shape}, not (n, {ANGLES}, 2)")


def neighbours(cells: Outlines) -> Pairs:
    """Find all pairs of cells that touch.

    Parameters
    ----------
    cells : Outlines
        In any order.

    Returns
    -------
    pairs : ndarray of int32, shape (m, 2)
        Places in `cells`; each pair once.

    Notes
    -----
    Memory is that of the outlines, the pairs (about three per cell) and one chunk.
    """
    if len(cells.xy_um) < 2:
        return np.empty((0, 2), np.int32)
    return np.concatenate([pairs[_touch(cells, pairs)] for pairs in _near_pairs(cells)])


def _near_pairs(cells: Outlines) -> Iterator[Pairs]:
    """Pairs whose outlines reach far enough; each pair is found from the cell that reaches farther."""
    tree = cKDTree(cells.xy_um)
    reach = _reach(cells)
    for start in range(0, len(reach), _CHUNK):
        part = slice(start, start + _CHUNK)
        found = tree.query_ball_point(cells.xy_um[part], 2 * reach[part] + TOUCHING_UM, return_sorted=True)
        counts = np.fromiter(map(len, found), np.intp, len(found))
        other = np.fromiter(chain.from_iterable(found), np.int32, int(counts.sum()))
        one = np.repeat(np.arange(start, start + len(found), dtype=np.int32), counts)
        farther = (reach[one] > reach[other]) | ((reach[one] == reach[other]) & (one < other))
        pairs = np.stack([one, other], axis=1)[farther]
        apart = np.hypot(*(cells.xy_um[pairs[:, 0]] - cells.xy_um[pairs[:, 1]]).T)
        yield pairs[apart <= reach[pairs].sum(axis=1) + TOUCHING_UM]


def _reach(cells: Outlines) -> npt.NDArray[np.float64]:
    """Distance of the farthest corner from the centre."""
    reach = np.empty(len(cells.xy_um))
    for start in range(0, len(reach), _CHUNK):
        part = slice(start, start + _CHUNK)
        squared = (cells.offsets_um[part].astype(np.float32) ** 2).sum(axis=2)
        reach[part] = np.sqrt(squared.max(axis=1))
    return reach


def _touch(cells: Outlines, pairs: Pairs) -> npt.NDArray[np.bool_]:
    """Whether the facing sides of each pair touch or overlap."""
    touching = np.empty(len(pairs), np.bool_)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        one, other = pairs[part].T
        between = cells.xy_um[other] - cells.xy_um[one]
        towards = np.rint(np.arctan2(between[:, 1], between[:, 0]) * (ANGLES / (2 * np.pi))).astype(np.intp)
        window = towards[:, None] + np.arange(-_FACING, _FACING + 1)
        near = cells.offsets_um[one[:, None], window % ANGLES].astype(np.float32)
        far = cells.offsets_um[other[:, None], (window + ANGLES // 2) % ANGLES].astype(np.float32)
        there = far + between[:, None].astype(np.float32)
        dx = near[:, :, None, 0] - there[:, None, :, 0]
        dy = near[:, :, None, 1] - there[:, None, :, 1]
        closest = (dx * dx + dy * dy).reshape(len(one), -1).min(axis=1)
        # Outlines that overlap deeply have no corners near each other on the line between the centres.
        middle = np.hypot(*near[:, _FACING].T) + np.hypot(*far[:, _FACING].T)
        touching[part] = (closest <= TOUCHING_UM**2) | (middle >= np.hypot(*between.T))
    return touching


def counted_ranks(ranks: Ranks, completeness: npt.NDArray[np.floating], calibration: Calibration) -> Ranks:
    """Leave out cells that stain on a short piece of contour more than faintly.

    Two membranes lie on a shared border, and no microscope separates them: one strong cell among
    unstained ones gives each of its neighbours a strong piece of contour, and a reader still sees one
    cell.  Above faint, guidelines ask for staining along a side of the cell (complete, basolateral or
    lateral); a piece shorter than `calibration.basolateral` is what a single neighbour can lend.
    Faint staining counts along any part of the membrane.

    Parameters
    ----------
    ranks : ndarray of int8, shape (n,)
        Level of each cell: 0 unstained, 1 faint, 2 weak to moderate, 3 strong.
    completeness : ndarray of float, shape (n,)
        Stained share of the contour.
    calibration : Calibration

    Returns
    -------
    ranks : ndarray of int8, shape (n,)
        The same, but 0 for the cells left out.

    Examples
    --------
    >>> counted_ranks(np.array([3, 3, 1], np.int8), np.array([0.4, 0.3, 0.3]), Calibration()).tolist()
    [3, 0, 1]
    """
    on_a_side = completeness >= calibration.basolateral
    return np.where(on_a_side | (ranks <= 1), ranks, np.int8(0))


def measure_clusters(
    ranks: Ranks,
    xy_px0: npt.NDArray[np.float64],
    outlines_px0: Iterable[npt.NDArray[np.float32]],
    *,
    mpp: float,
) -> dict[Reactivity, int]:
    """Count the cells of the largest clusters from outlines that come part by part.

    Parameters
    ----------
    ranks : ndarray of int8, shape (n,)
        As of `largest_clusters`.
    xy_px0 : ndarray of float64, shape (n, 2)
        Centres, x first.
    outlines_px0 : iterable of ndarray of float32, shape (k, ANGLES, 2)
        Outlines in the same order; the k sum to n.
    mpp : float
        µm per pixel.
    """
    xy_um = xy_px0 * mpp
    # Half precision about the centre keeps outlines of a million cells in 200 MB, to a hundredth of a µm.
    offsets_um = np.empty((len(xy_um), ANGLES, 2), np.float16)
    start = 0
    for outlines in outlines_px0:
        part = slice(start, start + len(outlines))
        offsets_um[part] = outlines * mpp - xy_um[part, None]
        start += len(outlines)
    return largest_clusters(ranks, neighbours(Outlines(xy_um, offsets_um)))


def largest_clusters(ranks: Ranks, pairs: Pairs) -> dict[Reactivity, int]:
    """Count the cells of the largest cluster at least at each level.

    Parameters
    ----------
    ranks : ndarray of int8, shape (n,)
        Level of each cell: 0 unstained, 1 faint, 2 weak to moderate, 3 strong.
    pairs : ndarray of int, shape (m, 2)
        Neighbours.

    Returns
    -------
    sizes : dict
        Every one of `LEVELS`; 0 where no cell stains so strongly, 1 where such cells lie apart.

    Examples
    --------
    >>> row_of_four = np.array([[0, 1], [1, 2], [2, 3]])
    >>> sizes = largest_clusters(np.array([3, 3, 1, 3], np.int8), row_of_four)
    >>> [(level.value, sizes[level]) for level in LEVELS]
    [('faint', 4), ('weak_moderate', 2), ('strong', 2)]
    """
    lower = ranks[pairs].min(axis=1) if len(pairs) else np.empty(0, np.int8)
    found = {}
    for rank, level in enumerate(LEVELS, start=1):
        stained = ranks >= rank
        sizes = np.bincount(_components(pairs[lower >= rank], len(ranks))[stained])
        found[level] = int(sizes.max(initial=0))
    return found


def _components(pairs: Pairs, n: int) -> npt.NDArray[np.int32]:
    """Give each cell the number of the group that it hangs together with, shape (n,)."""
    links = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(links, directed=False)
    return np.asarray(group, np.int32)
