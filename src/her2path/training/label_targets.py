"""What labels by a person teach: no more than they say, place by place and cell by cell.

An outline says where a nucleus or a cell ends.  A class says whether the cell is tumour, and of a
tumour cell how it is *graded*, not which side of it stains how strongly.  So a graded cell is not
taught place by place: the mean of what the network says within it must lie where `grade` of its
calibration would give that class (`StainingRule`).  A class can be reached in two ways (2+ is
complete and weak to moderate, or incomplete and at least moderate); the nearer one teaches.
Only `Tumor: 0` is known at every place: nothing stains.  Whatever is not labelled is not taught.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.outlines import paint
from her2path.training.labels import WORKING_MPP, LabelledCell, LabelledImage, Outline
from her2path.training.targets import (
    CELL_RADIUS_STEPS,
    LONGEST_CELL_UM,
    UNKNOWN,
    Targets,
    depth_within,
    march_radii,
    nucleus_targets,
    shrunk,
)

_RING = (0.18, 0.52)
"""Depths within a cell between which its staining is read: as `ExpressionMaps` reads it, 0.5 to 0.8 of the
way to the outline."""
_RIM_PX = 5
"""Width of the rim around a nucleus that is known to be none, as for real images without labels."""
_EVERY_PX = 64
"""Distance of the places within a labelled area or a place without cells that patches are drawn at."""
AREA, EMPTY = "area", "no cell"
"""Names of anchors that are no cells."""


@dataclass(frozen=True, slots=True)
class StainingRule:
    """One way in which a cell gets its class: bounds on the cell as a whole."""

    share: tuple[float, float]
    """Share of the contour that the cell stains."""
    amount_od_um: tuple[float, float] = (0.0, np.inf)
    """How strongly, where it does."""


def staining_rules(score: IhcScore, cuts: Calibration) -> tuple[StainingRule, ...]:
    """Say how a cell gets a class: the inverse of `grade` and `CELL_SCORE`.

    Parameters
    ----------
    score : IhcScore
        Class of the cell.
    cuts : Calibration
        Of the model that is tuned; its results will be graded by the same.

    Returns
    -------
    tuple of StainingRule
        One of them must hold.

    Examples
    --------
    >>> [rule.share for rule in staining_rules(IhcScore.THREE_PLUS, Calibration(complete=0.8))]
    [(0.8, 1.0)]
    """
    least, complete = cuts.min_completeness, cuts.complete
    weak, moderate, strong = cuts.weak_od_um, cuts.moderate_od_um, cuts.strong_od_um
    return {
        IhcScore.ZERO: (StainingRule((0.0, 0.0)),),
        IhcScore.ONE_PLUS: (
            StainingRule((least, 1.0), (0.0, weak)),
            StainingRule((least, complete), (0.0, moderate)),
        ),
        IhcScore.TWO_PLUS: (
            StainingRule((complete, 1.0), (weak, strong)),
            StainingRule((least, complete), (moderate, np.inf)),
        ),
        IhcScore.THREE_PLUS: (StainingRule((complete, 1.0), (strong, np.inf)),),
    }[score]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A labelled thing that patches are drawn around."""

    row: int
    col: int
    kind: str
    """Class of the label, `AREA` of a class, or `EMPTY`."""


@dataclass(frozen=True, slots=True)
class LabelTargets:
    """Targets of one labelled image of (M, N) pixels."""

    targets: Targets
    graded: npt.NDArray[np.int32]
    """Shape (M/2, N/2): number of the cell, from 1, whose staining is read at this place; 0 = of none."""
    scores: tuple[IhcScore, ...]
    """Classes of those cells, by number - 1."""
    tumour_area: npt.NDArray[np.bool_]
    """Shape (M/4, N/4): places within an area drawn as tumour, most of which are tumour, but not each."""
    anchors: tuple[Anchor, ...]

    @property
    def taught(self) -> Counter[str]:
        """Labels by what they are, without places that hold no cell."""
        return Counter(anchor.kind for anchor in self.anchors if anchor.kind != EMPTY)


def targets_of_labels(image: LabelledImage) -> LabelTargets:
    """Derive targets from labels.

    Parameters
    ----------
    image : LabelledImage

    Returns
    -------
    LabelTargets
        A cell without an outline of its nucleus teaches its class and staining, and leaves open where its
        nucleus lies; one that the edge of the image cuts is not graded.
    """
    shape = image.rgb.shape[:2]
    cells = image.cells
    in_cell = painted([cell.cell_xy for cell in cells], shape)
    nuclei = painted([cell.nucleus_xy for cell in cells], shape)
    if image.instances is not None and image.instances_are == "nuclei":
        nuclei = np.where(nuclei > 0, nuclei, np.where(image.instances > 0, image.instances + len(cells), 0))
    ignored = image.ignored
    nuclei[ignored], in_cell[ignored] = 0, 0
    nuclei = np.asarray(nuclei, np.int32)
    empty = image.taught & (in_cell == 0) & ~ignored
    depth, radii = nucleus_targets(nuclei, WORKING_MPP)
    tumour = np.array([False, *(cell.kind.is_tumour for cell in cells)])
    scores = [cell.kind.score for cell in cells]
    graded, graded_scores = _graded(in_cell, cells, shape)
    return LabelTargets(
        targets=Targets(
            nucleus=np.where(
                _nucleus_known(image, nuclei, in_cell, cells) & ~ignored[::2, ::2], depth, UNKNOWN
            ),
            amount=_unstained(in_cell, scores),
            tumour=_tumour(image, in_cell, tumour, ignored)[2::4, 2::4],
            radii=radii,
            cell_radii=_cell_radii(nuclei, in_cell, tumour),
        ),
        graded=graded,
        scores=graded_scores,
        tumour_area=_tumour_area(image, in_cell, ignored)[2::4, 2::4],
        anchors=_anchors(image, cells, empty, ignored),
    )


def painted(outlines: Sequence[Outline | None], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Give the pixels of each outline its number from 1 on, see `paint`; None is left out."""
    nothing = np.empty((0, 2))
    return paint([nothing if outline is None else outline for outline in outlines], (shape[0], shape[1]))


def _nucleus_known(
    image: LabelledImage,
    nuclei: npt.NDArray[np.int32],
    in_cell: npt.NDArray[np.int32],
    cells: Sequence[LabelledCell],
) -> npt.NDArray[np.bool_]:
    """Places of which it is known whether a nucleus lies there, shape (M/2, N/2)."""
    outlined = np.array([True, *(cell.nucleus_xy is not None for cell in cells)])
    somewhere = (in_cell > 0) & ~outlined[in_cell] & (nuclei == 0)
    if image.instances is not None and image.instances_are == "cells":
        somewhere |= (image.instances > 0) & (nuclei == 0)
    near = cv2.dilate((nuclei > 0).astype(np.uint8), np.ones((_RIM_PX, _RIM_PX), np.uint8)) > 0
    within = (in_cell > 0) & outlined[in_cell]
    return np.asarray((near | within | image.taught)[::2, ::2] & ~somewhere[::2, ::2])


def _unstained(in_cell: npt.NDArray[np.int32], scores: Sequence[IhcScore | None]) -> npt.NDArray[np.uint8]:
    """Amounts: nothing within cells of class 0, not taught elsewhere, shape (M/2, N/2)."""
    nothing = np.array([False, *(score is IhcScore.ZERO for score in scores)])[in_cell]
    corners = [in_cell[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    alone = np.logical_and.reduce([corner == corners[0] for corner in corners[1:]])
    return np.where(nothing[::2, ::2] & alone, 0, UNKNOWN).astype(np.uint8)


def _tumour(
    image: LabelledImage,
    in_cell: npt.NDArray[np.int32],
    is_tumour: npt.NDArray[np.bool_],
    ignored: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint8]:
    """Tumour (1) or not (0), shape (M, N); an area drawn as tumour is left to `tumour_area`."""
    known = np.full(in_cell.shape, UNKNOWN, np.uint8)
    if image.instances_are != "nuclei":
        # A mask of nuclei does not say which of them are of the tumour, nor where cells end.
        known[image.taught & (image.instances is None or image.instances == 0)] = 0
    for kind, mask in image.regions.items():
        if kind.is_tumour or kind is LabelClass.IGNORE:
            known[mask] = UNKNOWN
    for kind, mask in image.regions.items():
        if not kind.is_tumour and kind is not LabelClass.IGNORE:
            known[mask] = 0
    known = np.where(in_cell > 0, is_tumour[in_cell].astype(np.uint8), known)
    known[ignored] = UNKNOWN
    return known


def _tumour_area(
    image: LabelledImage, in_cell: npt.NDArray[np.int32], ignored: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    area = np.zeros(in_cell.shape, np.bool_)
    for kind, mask in image.regions.items():
        if kind.is_tumour:
            area |= mask
    for kind, mask in image.regions.items():
        if not kind.is_tumour:
            area &= ~mask
    return np.asarray(area & (in_cell == 0) & ~ignored, np.bool_)


def _cell_radii(
    nuclei: npt.NDArray[np.int32], in_cell: npt.NDArray[np.int32], is_tumour: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Outlines of tumour cells, taught at places in their own nucleus."""
    nucleus, cell = nuclei[2::4, 2::4], in_cell[2::4, 2::4]
    own = np.where((nucleus > 0) & (nucleus == cell) & is_tumour[cell], cell, 0)
    return march_radii(in_cell, own, WORKING_MPP, longest_um=LONGEST_CELL_UM, parts=CELL_RADIUS_STEPS)


def _graded(
    in_cell: npt.NDArray[np.int32], cells: Sequence[LabelledCell], shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.int32], tuple[IhcScore, ...]]:
    """Find the places where the staining of each cell with a class is read, and the classes."""
    numbers = np.zeros(len(cells) + 1, np.int32)
    scores = []
    for place, cell in enumerate(cells, start=1):
        score = cell.kind.score
        inside = (cell.cell_xy >= 0).all() and (cell.cell_xy <= (shape[1], shape[0])).all()
        if score is not None and inside:
            scores.append(score)
            numbers[place] = len(scores)
    depth = shrunk(depth_within(in_cell), 2)
    ring = (depth >= _RING[0]) & (depth <= _RING[1])
    return np.where(ring, numbers[in_cell[::2, ::2]], 0).astype(np.int32), tuple(scores)


def _anchors(
    image: LabelledImage,
    cells: Sequence[LabelledCell],
    empty: npt.NDArray[np.bool_],
    ignored: npt.NDArray[np.bool_],
) -> tuple[Anchor, ...]:
    """Labels in the order of the image, then areas, then places that hold no cell."""
    height, width = empty.shape
    found = []
    for cell in cells:
        x, y = cell.cell_xy.mean(axis=0)
        if 0 <= x < width and 0 <= y < height and not ignored[int(y), int(x)]:
            found.append(Anchor(int(y), int(x), cell.kind.value))
    if image.instances is not None:
        found += _centres(np.where(ignored, 0, image.instances), str(image.instances_are))
    for kind, mask in image.regions.items():
        if kind is not LabelClass.IGNORE:
            found += _grid(mask & ~ignored, f"{kind.value} {AREA}")
    return (*found, *_grid(empty, EMPTY))


def _centres(labels: npt.NDArray[np.int32], kind: str) -> list[Anchor]:
    rows, columns = np.nonzero(labels)
    number = labels[rows, columns]
    count = np.bincount(number)
    seen = np.flatnonzero(count)
    y, x = (np.bincount(number, weights=axis)[seen] / count[seen] for axis in (rows, columns))
    return [Anchor(int(row), int(col), kind) for row, col in zip(y.tolist(), x.tolist(), strict=True)]


def _grid(mask: npt.NDArray[np.bool_], kind: str) -> list[Anchor]:
    half = _EVERY_PX // 2
    rows, columns = np.nonzero(mask[half::_EVERY_PX, half::_EVERY_PX])
    return [
        Anchor(row * _EVERY_PX + half, col * _EVERY_PX + half, kind)
        for row, col in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
