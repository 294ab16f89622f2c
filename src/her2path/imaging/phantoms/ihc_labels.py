"""What a faultless annotator would draw on an IHC phantom: the outline and class of every cell."""

from __future__ import annotations

from dataclasses import dataclass

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, staining_class
from her2path.domain.label_classes import LabelClass
from her2path.imaging.outlines import Outline, trace
from her2path.imaging.phantoms.ihc import IhcScene
from her2path.imaging.phantoms.ihc_nuclei import CellKind

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
    nuclei = trace(scene.nuclei)
    own = {int(cell): number for number, cell in enumerate(scene.nucleus_cell.tolist()) if cell > 0}
    found = [
        TrueCell(_class_of(scene, number), outline, nuclei.get(own.get(number, 0)))
        for number, outline in trace(scene.labels).items()
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
