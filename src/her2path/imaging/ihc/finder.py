"""What a finder of nuclei gives: outlines along rays, freed of overlaps.

Whoever finds the nuclei, filters or a learned model, cells are traced around them in the same way.
A model may say more: where a cell ends, and what it expresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.imaging.ihc.expression import ExpressionMaps
from her2path.imaging.ihc.rays import ANGLES, COS, SIN, Coordinates, Floats, ring_area
from her2path.imaging.stain import StainAmounts

_OVERLAP = 0.3
"""Share of the smaller of two outlines from which both are the same nucleus."""


@dataclass(frozen=True, slots=True)
class Nuclei:
    """Nuclei of one tile, in its pixels (the middle of a pixel has whole coordinates)."""

    x: Coordinates
    y: Coordinates
    radii_px: Floats
    """Outlines, shape (n, ANGLES), around ``x, y``."""
    area_um2: Floats
    elongation: Floats
    contrast: Floats
    coverage: Floats
    hematoxylin: Floats
    """Mean hematoxylin within the outline."""
    tumour: Floats
    """Probability of belonging to a tumour cell as the finder sees it; 1 where it cannot tell."""
    cell_um: Floats | None = None
    """Outline of the whole cell around ``x, y`` in µm, shape (n, ANGLES); None where the finder does not
    look for cells."""

    def __len__(self) -> int:
        return len(self.x)

    def where(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Nuclei:
        """Choose some by a mask or by their places."""
        every = {f.name: getattr(self, f.name) for f in fields(self)}
        values: dict[str, Any] = {name: None if v is None else v[chosen] for name, v in every.items()}
        return Nuclei(**values)

    @classmethod
    def joined(cls, parts: Sequence[Nuclei]) -> Nuclei:
        """Put nuclei of one finder one after the other; at least one part is needed."""
        lists = {f.name: [getattr(part, f.name) for part in parts] for f in fields(cls)}
        values: dict[str, Any] = {n: None if v[0] is None else np.concatenate(v) for n, v in lists.items()}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Found:
    """What a finder gives of one tile."""

    nuclei: Nuclei
    expression: ExpressionMaps | None = None
    """What cells express; None where the finder does not tell, and rays have to."""


class Finder(Protocol):
    """A way to find nuclei; cells and membranes are measured alike whoever found the nuclei."""

    @property
    def margin_um(self) -> float:
        """Context in µm that a tile needs on every side.

        Then neither its nuclei, nor those that bound its cells (up to 19 µm away), depend on where it was
        cut.
        """
        ...

    @property
    def tells_tumour(self) -> bool:
        """Whether `Nuclei.tumour` is a probability, not a constant."""
        ...

    def __call__(self, stains: StainAmounts, *, mpp: float, origin: tuple[int, int]) -> Found:
        """Find the nuclei of a tile with its margin; called from several threads at once."""
        ...


def without_overlaps(nuclei: Nuclei, score: Floats) -> npt.NDArray[np.intp]:
    """Keep the best of candidates that overlap.

    Parameters
    ----------
    nuclei : Nuclei
        Candidates.
    score : ndarray of float32, shape (n,)
        How well each explains its place.

    Returns
    -------
    kept : ndarray of int
        Places of the kept ones, rising.

    References
    ----------
    .. [1] Schmidt et al., MICCAI 2018, p. 265 (non-maximum suppression of star-convex outlines).
    """
    if len(nuclei) < 2:
        return np.arange(len(nuclei))
    reach = nuclei.radii_px.max(axis=1)
    tree = cKDTree(np.column_stack([nuclei.x, nuclei.y]))
    pairs = tree.query_pairs(2 * float(reach.max()), output_type="ndarray")
    first, second = pairs[:, 0], pairs[:, 1]
    gap = np.hypot(nuclei.x[first] - nuclei.x[second], nuclei.y[first] - nuclei.y[second])
    near = gap < reach[first] + reach[second]
    first, second = first[near], second[near]
    first_wins = (score[first] > score[second]) | ((score[first] == score[second]) & (first < second))
    worse, better = np.where(first_wins, second, first), np.where(first_wins, first, second)
    area = ring_area(nuclei.radii_px)
    shared = _share_within(nuclei, worse, better) * area[worse]
    same = shared > _OVERLAP * np.minimum(area[worse], area[better])
    rivals: dict[int, list[int]] = {}
    for low, high in zip(worse[same].tolist(), better[same].tolist(), strict=True):
        rivals.setdefault(low, []).append(high)
    kept = np.ones(len(nuclei), np.bool_)
    for candidate in np.lexsort((np.arange(len(nuclei)), -score)).tolist():
        kept[candidate] = not any(kept[rival] for rival in rivals.get(candidate, ()))
    return np.flatnonzero(kept)


def _share_within(nuclei: Nuclei, inner: npt.NDArray[np.intp], outer: npt.NDArray[np.intp]) -> Coordinates:
    """Share of the area of each `inner` outline that lies within its `outer` one."""
    depth, weight = np.array([0.35, 0.7, 0.95], np.float32), np.array([0.25, 0.35, 0.4], np.float32)
    # Centres lie on fractions of a pixel that single precision holds exactly once they are differences.
    dx, dy = ((place[inner] - place[outer]).astype(np.float32) for place in (nuclei.x, nuclei.y))
    # Pairs innermost: every step is one pass over neighbouring numbers.
    reach = nuclei.radii_px[inner].T * depth[:, None, None]
    dx = dx + reach * COS[:, None].astype(np.float32)
    dy = dy + reach * SIN[:, None].astype(np.float32)
    # Places before the first ray count from the last one, as indices do.
    ray = np.rint(np.arctan2(dy, dx) * np.float32(ANGLES / (2 * np.pi))).astype(np.intp)
    is_within = dx**2 + dy**2 < nuclei.radii_px[outer, ray] ** 2
    share = np.einsum("dap,d->p", is_within, weight, dtype=np.float64)
    return np.asarray(share / ANGLES, np.float64)
