"""The figure that a fine-tuning is judged by: labelled cells that are found and read right.

It is taken from the whole chain, nuclei, cells, membranes and grades, as a slide would be measured,
not from the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import Cells
from her2path.imaging.ihc.picture import measure_picture
from her2path.imaging.stain import StainModel
from her2path.training.evaluate import TUMOUR, off_rim
from her2path.training.label_targets import AREA, painted
from her2path.training.labels import WORKING_MPP, LabelledImage

FIGURE_NAME = "labelled cells found and read right, F1"
"""Name of the figure."""
_CELL = "cell"
_NUCLEUS = "nucleus"


@dataclass(frozen=True, slots=True)
class Seen:
    """Cells of one class."""

    labelled: int = 0
    found: int = 0
    right: int = 0
    """Found and called what they are: of the tumour or not, and graded as labelled where they are."""

    def __add__(self, other: Seen) -> Seen:
        return Seen(self.labelled + other.labelled, self.found + other.found, self.right + other.right)


@dataclass(frozen=True, slots=True)
class Figure:
    """How well labels were met."""

    classes: Mapping[str, Seen] = field(default_factory=dict)
    invented: int = 0
    """Cells found where a label says that there is none, and second ones within one label."""

    @property
    def labelled(self) -> int:
        """Labelled cells."""
        return sum(seen.labelled for seen in self.classes.values())

    @property
    def value(self) -> float | None:
        """Twice the cells that are right over the labelled and the found ones; None without either.

        Examples
        --------
        >>> Figure({"Tumor: 3+": Seen(labelled=10, found=9, right=8)}, invented=1).value
        0.8
        """
        found = sum(seen.found for seen in self.classes.values()) + self.invented
        if not self.labelled + found:
            return None
        return 2 * sum(seen.right for seen in self.classes.values()) / (self.labelled + found)

    def __add__(self, other: Figure) -> Figure:
        names = sorted({*self.classes, *other.classes})
        none = Seen()
        classes = {name: self.classes.get(name, none) + other.classes.get(name, none) for name in names}
        return Figure(classes, self.invented + other.invented)


def figure_of(
    images: Sequence[tuple[LabelledImage, StainModel]], finder: Finder, calibration: Calibration
) -> Figure:
    """Measure labelled images with a model and compare the cells with the labels.

    Parameters
    ----------
    images : sequence of LabelledImage with its StainModel
    finder : Finder
    calibration : Calibration

    Returns
    -------
    Figure
        In an area drawn as one class every cell that is found counts as labelled, too; what nobody labelled
        counts as nothing.
    """
    total = Figure()
    for image, stains in images:
        cells = measure_picture(image.rgb, stains, mpp=WORKING_MPP, calibration=calibration, finder=finder)
        total += _compared(image, cells)
    return total


@dataclass(frozen=True, slots=True)
class _Truth:
    """Labelled objects of one image."""

    labels: npt.NDArray[np.int32]
    """Number of the object at each pixel, 0 = none."""
    names: tuple[str, ...]
    kinds: tuple[LabelClass | None, ...]
    fair: npt.NDArray[np.bool_]
    """Places that count, shape (M, N)."""


def _truth(image: LabelledImage) -> _Truth:
    shape = image.rgb.shape[:2]
    fair = off_rim(shape) & ~image.ignored
    cells = image.cells
    labels = painted([cell.cell_xy for cell in cells], shape)
    # A nucleus belongs to its own cell, whatever was drawn over it.
    nuclei = painted([cell.nucleus_xy for cell in cells], shape)
    labels = np.where(nuclei > 0, nuclei, labels)
    names = [cell.kind.value for cell in cells]
    kinds: list[LabelClass | None] = [cell.kind for cell in cells]
    if image.instances is not None:
        own = np.where((image.instances > 0) & (labels == 0), image.instances + len(cells), 0)
        labels = np.where(labels > 0, labels, own)
        more = int(image.instances.max())
        names += [_NUCLEUS if image.instances_are == "nuclei" else _CELL] * more
        kinds += [None] * more
    return _Truth(np.asarray(labels, np.int32), tuple(names), tuple(kinds), fair)


def _compared(image: LabelledImage, cells: Cells) -> Figure:
    truth = _truth(image)
    height, width = truth.fair.shape
    row = np.clip(np.floor(cells.y), 0, height - 1).astype(np.intp)
    col = np.clip(np.floor(cells.x), 0, width - 1).astype(np.intp)
    centres = _centres(truth.labels, len(truth.names))
    counted = truth.fair[np.clip(centres[:, 0], 0, height - 1), np.clip(centres[:, 1], 0, width - 1)]
    counted &= np.bincount(truth.labels.ravel(), minlength=len(truth.names) + 1)[1:] > 0
    number = truth.labels[row, col]
    first = _nearest(number, row, col, centres)
    found = Figure()
    for place in np.flatnonzero(counted).tolist():
        cell = first.get(place + 1)
        right = cell is not None and _is_right(cells, cell, truth.kinds[place])
        found += Figure({truth.names[place]: Seen(1, int(cell is not None), int(right))})
    chosen = set(first.values())
    invented = 0
    for cell in np.flatnonzero(truth.fair[row, col]).tolist():
        at = row[cell], col[cell]
        if number[cell]:
            invented += cell not in chosen
        elif image.taught[at]:
            invented += 1
        else:
            found += _in_area(image, cells, cell, at)
    return found + Figure({}, invented)


def _in_area(image: LabelledImage, cells: Cells, cell: int, at: tuple[int, int]) -> Figure:
    """Judge a cell that nobody outlined by the area it lies in, if it lies in one."""
    for kind, mask in image.regions.items():
        if mask[at] and kind is not LabelClass.IGNORE:
            right = (cells.nuclei.tumour[cell] >= TUMOUR) == kind.is_tumour
            return Figure({f"{kind.value} {AREA}": Seen(1, 1, int(right))})
    return Figure()


def _is_right(cells: Cells, cell: int, kind: LabelClass | None) -> bool:
    if kind is None:
        return True
    is_tumour = bool(cells.nuclei.tumour[cell] >= TUMOUR)
    if not (kind.is_tumour and is_tumour):
        return kind.is_tumour == is_tumour
    return kind.score is None or "0123"[int(cells.grades.score[cell])] == kind.score.value[0]


def _centres(labels: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.intp]:
    """Row and column of the middle of each object, shape (count, 2)."""
    rows, columns = np.nonzero(labels)
    number = labels[rows, columns]
    area = np.maximum(np.bincount(number, minlength=count + 1), 1)
    middle = [np.bincount(number, weights=axis, minlength=count + 1) / area for axis in (rows, columns)]
    return np.rint(np.stack(middle, axis=1)[1:]).astype(np.intp)


def _nearest(
    number: npt.NDArray[np.int32],
    row: npt.NDArray[np.intp],
    col: npt.NDArray[np.intp],
    centres: npt.NDArray[np.intp],
) -> dict[int, int]:
    """Choose of the cells found within each object the one nearest to its middle."""
    inside = np.flatnonzero(number)
    middle = centres[number[inside] - 1]
    far = np.hypot(row[inside] - middle[:, 0], col[inside] - middle[:, 1])
    found: dict[int, int] = {}
    for place in np.argsort(far, kind="stable").tolist():
        found.setdefault(int(number[inside[place]]), int(inside[place]))
    return found
