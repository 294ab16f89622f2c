"""What is known of a picture that a model is evaluated on: from a phantom's scene, or from labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from her2path.domain.ihc import CELL_SCORE, IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.imaging.phantoms.ihc import IhcScene, photograph
from her2path.imaging.phantoms.ihc_expression import own_plane
from her2path.imaging.phantoms.ihc_truth import class_of_cells
from her2path.imaging.stain import StainModel
from her2path.training.evaluate import SLIVER_UM2, off_rim, true_nuclei
from her2path.training.labels import LabelledImage
from her2path.training.scenes import WORKING_MPP, stain_model_of

Mask = npt.NDArray[np.bool_]
UNKNOWN = 255
"""In `Truth.expressed`: nothing is known of the place."""
_SCORES = tuple(IhcScore)


@dataclass(frozen=True, slots=True)
class Truth:
    """A picture of (M, N) pixels at `WORKING_MPP`, edges multiples of eight, and what is known of it."""

    rgb: npt.NDArray[np.uint8]
    stains: StainModel
    centres: npt.NDArray[np.float64]
    """Of nuclei, of cells where no nucleus is known; shape (n, 2), x first, pixel edges at integers."""
    is_tumour: Mask
    """Shape (n,); means nothing where `kind_known` is not set."""
    kind_known: Mask
    score: npt.NDArray[np.int8]
    """Class of a tumour cell, 0 to 3, shape (n,); means nothing where `score_known` is not set."""
    score_known: Mask
    clear: Mask
    """Shape (M, N): nothing spoils the place, and it is off the rim."""
    taught: Mask
    """Shape (M, N): a place without a true cell holds none."""
    expressed: npt.NDArray[np.uint8]
    """Shape (M/2, N/2): whether the tumour cell there stains the nearest piece of its contour by itself, 0 or
    1, or `UNKNOWN`."""
    tumour_areas: Mask
    """Shape (M, N): areas drawn as tumour; none in phantoms, whose cells are all known one by one."""
    other_areas: Mask
    """Shape (M, N): areas drawn as something else."""
    tile_score: IhcScore | None = None

    def at(self, mask: Mask, points: npt.NDArray[np.float64]) -> Mask:
        """Read a mask at some points; False outside the picture."""
        column, row = np.floor(points).astype(np.intp).T
        inside = (row >= 0) & (column >= 0) & (row < mask.shape[0]) & (column < mask.shape[1])
        found = np.zeros(len(points), np.bool_)
        found[inside] = mask[row[inside], column[inside]]
        return found

    @property
    def is_blank(self) -> bool:
        """Whether all that is known of its staining is that there is none."""
        if self.tile_score is not None:
            return self.tile_score is IhcScore.ZERO
        known = self.score[self.score_known]
        return bool(len(known)) and not known.any()


def truth_of_scene(scene: IhcScene, *, seed: int) -> Truth:
    """Photograph a phantom's scene and tell what is known of it: everything off its artefacts."""
    rgb = photograph(scene, seed=seed)
    centres, cell = true_nuclei(scene)
    is_tumour = cell > 0
    scores = np.array([0, *(CELL_SCORE[kind] for kind in class_of_cells(scene.cells))], np.int8)
    clear = off_rim(rgb.shape[:2]) & (scene.artefacts == 0)
    expressed = (own_plane(scene.labels, scene.contours)[::2, ::2] > 0).astype(np.uint8)
    # Off tumour cells, at artefacts and between two cells there is no truth, or none that matters.
    labels = scene.labels
    corners = np.stack([labels[row::2, col::2] for row in (0, 1) for col in (0, 1)])
    unknown = (corners != corners[0]).any(axis=0) | (corners[0] == 0) | ~clear[::2, ::2]
    nothing = np.zeros(rgb.shape[:2], np.bool_)
    return Truth(
        rgb=rgb,
        stains=stain_model_of(rgb),
        centres=centres + 0.5,
        is_tumour=is_tumour,
        kind_known=np.ones(len(cell), np.bool_),
        score=scores[cell],
        score_known=is_tumour,
        clear=clear,
        taught=np.ones_like(clear),
        expressed=np.where(unknown, UNKNOWN, expressed).astype(np.uint8),
        tumour_areas=nothing,
        other_areas=nothing,
    )


def truth_of_labels(image: LabelledImage) -> Truth:
    """Tell what is known of a picture from what people said of it.

    A cell labelled 0 expresses nothing, one labelled 3+ stains all around; of the others it is not known
    which part of the contour stains.
    """
    shape = image.rgb.shape[:2]
    clear = off_rim(shape) & ~image.ignored
    cells = image.cells
    centres = _centroids(cell.cell_xy if cell.nucleus_xy is None else cell.nucleus_xy for cell in cells)
    scores = [cell.kind.score for cell in cells]
    objects = _object_centres(image)
    more = len(objects)
    areas = {
        wanted: np.logical_or.reduce(
            [np.zeros(shape, np.bool_), *(m for k, m in image.regions.items() if k.is_tumour is wanted)]
        )
        for wanted in (True, False)
    }
    return Truth(
        rgb=image.rgb,
        stains=stain_model_of(image.rgb),
        centres=np.concatenate([centres, objects]),
        is_tumour=np.array([cell.kind.is_tumour for cell in cells] + [False] * more, np.bool_),
        kind_known=np.array([True] * len(cells) + [False] * more, np.bool_),
        score=np.array([0 if s is None else _SCORES.index(s) for s in scores] + [0] * more, np.int8),
        score_known=np.array([s is not None for s in scores] + [False] * more, np.bool_),
        clear=clear,
        taught=image.taught,
        expressed=_expressed(image, clear),
        tumour_areas=areas[True] & clear,
        other_areas=areas[False] & clear,
        tile_score=image.score,
    )


def _centroids(outlines: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Centroids of polygons by the shoelace formula; of a degenerate one, the mean of its corners."""
    found = []
    for outline in outlines:
        x, y = outline.T
        cross = x * np.roll(y, -1) - np.roll(x, -1) * y
        area = cross.sum() / 2
        if abs(area) < 1e-9:
            found.append(outline.mean(axis=0))
        else:
            centre = [((axis + np.roll(axis, -1)) * cross).sum() / (6 * area) for axis in (x, y)]
            found.append(np.array(centre))
    return np.array(found, np.float64).reshape(-1, 2)


def _object_centres(image: LabelledImage) -> npt.NDArray[np.float64]:
    if image.instances is None:
        return np.zeros((0, 2))
    area = np.bincount(image.instances.ravel())
    numbers = np.flatnonzero(area * WORKING_MPP**2 >= SLIVER_UM2)
    numbers = numbers[numbers > 0]
    rows_columns = ndimage.center_of_mass(image.instances > 0, image.instances, numbers)
    return np.array(rows_columns, np.float64).reshape(-1, 2)[:, ::-1] + 0.5


def _expressed(image: LabelledImage, clear: Mask) -> npt.NDArray[np.uint8]:
    """Code cells of which the class alone says what they express."""
    planes = np.full(image.rgb.shape[:2], UNKNOWN, np.uint8)
    for cell in image.cells:
        if cell.kind in (LabelClass.TUMOUR_0, LabelClass.TUMOUR_3):
            value = int(cell.kind is LabelClass.TUMOUR_3)
            cv2.fillPoly(planes, [np.rint(cell.cell_xy - 0.5).astype(np.int32)], value)
    planes[~clear] = UNKNOWN
    return np.ascontiguousarray(planes[::2, ::2])
