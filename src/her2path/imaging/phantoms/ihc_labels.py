"""What a faultless annotator would draw on an IHC phantom: the outline and class of every cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import measure

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, staining_class
from her2path.domain.label_classes import LabelClass
from her2path.imaging.phantoms.ihc import IhcScene
from her2path.imaging.phantoms.ihc_nuclei import CellKind
from her2path.imaging.phantoms.ihc_tissue import Labels

Outline = npt.NDArray[np.float64]
_TUMOUR = (LabelClass.TUMOUR_0, LabelClass.TUMOUR_1, LabelClass.TUMOUR_2, LabelClass.TUMOUR_3)
"""By cell score."""
_OTHERS = {
    CellKind.LYMPHOCYTE: LabelClass.IMMUNE,
    CellKind.STROMA: LabelClass.STROMA,
    CellKind.BENIGN: LabelClass.OTHER,
    CellKind.NECROTIC: LabelClass.NECROSIS,
}


@dataclass(frozen=True, slots=True)
class TrueCell:
    """One cell as it was composed."""

    kind: LabelClass
    """Tumour cells by what they *express*, which their borders need not show."""
    cell_xy: Outline
    """Shape (n, 2), x first, level-0 pixels with edges at integers; of other cells, that of the nucleus."""
    nucleus_xy: Outline | None
    """None where the section misses the nucleus, or another covers it."""


def true_cells(scene: IhcScene) -> list[TrueCell]:
    """List the cells of a scene with their outlines: tumour cells first, then other nuclei.

    Examples
    --------
    >>> from her2path.imaging.phantoms.ihc import compose_ihc
    >>> from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
    >>> cells = true_cells(compose_ihc(IhcPhantomSpec(seed=1, width_px=256, height_px=192)))
    >>> {cell.kind.value for cell in cells if cell.kind.is_tumour}
    {'Tumor: 0'}
    """
    nuclei = trace_outlines(scene.nuclei)
    own = {int(cell): number for number, cell in enumerate(scene.nucleus_cell.tolist()) if cell > 0}
    found = [
        TrueCell(_class_of(scene, number), outline, nuclei.get(own.get(number, 0)))
        for number, outline in trace_outlines(scene.labels).items()
    ]
    kinds = tuple(CellKind)
    for number, outline in nuclei.items():
        if scene.nucleus_cell[number] == 0:
            found.append(TrueCell(_OTHERS[kinds[int(scene.nucleus_kind[number])]], outline, outline))
    return found


def _class_of(scene: IhcScene, number: int) -> LabelClass:
    # Tumour cells come first in the table, in the order of their labels from 1.
    intensity = Intensity(str(scene.cells.expressed_intensity[number - 1]))
    pattern = Pattern(str(scene.cells.expressed_pattern[number - 1]))
    return _TUMOUR[CELL_SCORE[staining_class(intensity, pattern)]]


def trace_outlines(labels: Labels) -> dict[int, Outline]:
    """Trace the outline of each numbered object, of its largest piece where it has several.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        0 = none.

    Returns
    -------
    dict of int to ndarray of float64, shape (n, 2)
        x and y with pixel edges at integers; a pixel's middle lies inside exactly where the object is, holes
        excepted.

    Examples
    --------
    >>> labels = np.zeros((5, 5), np.int32)
    >>> labels[1:4, 1:4] = 7
    >>> trace_outlines(labels)[7].min(axis=0).tolist(), trace_outlines(labels)[7].max(axis=0).tolist()
    ([1.0, 1.0], [4.0, 4.0])
    """
    found: dict[int, Outline] = {}
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        inside = np.pad(labels[box] == number, 1)
        # Objects run through pixels' middles at half height, which are edges between two pixels.
        contours: list[Outline] = measure.find_contours(  # type: ignore[no-untyped-call]
            inside.astype(np.float32), 0.5, fully_connected="low"
        )
        longest = max(contours, key=len)
        corner = np.array([box[1].start, box[0].start])
        found[number] = longest[:-1, ::-1] - 0.5 + corner
    return found
