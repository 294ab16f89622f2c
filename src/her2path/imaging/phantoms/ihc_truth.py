"""Truth of an IHC phantom: one row per cell, and what a perfect reader would tally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcTally, Intensity, Pattern, Reactivity, StainingClass, staining_class
from her2path.imaging.ihc.clusters import largest_clusters, rank_of
from her2path.imaging.phantoms.ihc_expression import BorderTruth, Expression
from her2path.imaging.phantoms.ihc_nuclei import CellKind, NucleiCanvas
from her2path.imaging.phantoms.ihc_spec import intensity_of
from her2path.imaging.phantoms.ihc_tissue import CellMap, Labels

MIN_SHOWN_COMPLETENESS = 0.05
"""A border stained over less of its contour shows no intensity."""
SIDE_BY_SIDE_UM = 2.0
"""Cells that share less border than this meet at a corner only."""


@dataclass(frozen=True)
class IhcCells:
    """All cells of a phantom, one entry per cell in each array; tumour cells come first.

    Coordinates are level-0 pixels with edges at integers: the middle of the first pixel is 0.5.
    What does not apply to a kind of cell, or is not there, is NaN in the number columns and
    is written as an empty cell.
    """

    cell_id: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    x_px0: npt.NDArray[np.float64]
    y_px0: npt.NDArray[np.float64]
    cell_area_um2: npt.NDArray[np.float64]
    touches_edge: npt.NDArray[np.bool_]
    """Cut by the edge of the image (of the block, in a mosaic)."""
    nucleus_x_px0: npt.NDArray[np.float64]
    """NaN where the section misses the nucleus."""
    nucleus_y_px0: npt.NDArray[np.float64]
    nucleus_area_um2: npt.NDArray[np.float64]
    nucleus_in_focus: npt.NDArray[np.bool_]
    expressed_intensity: npt.NDArray[np.str_]
    expressed_pattern: npt.NDArray[np.str_]
    expressed_od: npt.NDArray[np.float64]
    """Class density of the cell's membrane."""
    expressed_completeness: npt.NDArray[np.float64]
    shown_intensity: npt.NDArray[np.str_]
    shown_completeness: npt.NDArray[np.float64]
    shown_od: npt.NDArray[np.float64]
    """NaN where no contour is stained."""

    def __len__(self) -> int:
        return len(self.cell_id)

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays by name, in the order of the file."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def is_tumour(self) -> npt.NDArray[np.bool_]:
        """Which cells are tumour cells."""
        return np.asarray(self.kind == CellKind.TUMOUR.value)


@dataclass(frozen=True)
class IhcTruth:
    """What holds for the whole phantom."""

    expressed: IhcTally
    """Tumour cells by what they express: the truth of the score."""
    tumour_cells: int
    lymphocytes: int
    stroma_cells: int
    nuclei_missed_by_section: int
    clusters: Mapping[Reactivity, int]
    """Cells of the largest cluster that expresses at least each level."""

    @property
    def percentages(self) -> dict[StainingClass, float]:
        """Share of the tumour cells in each class of the breast guideline, in per cent."""
        total = max(self.expressed.total, 1)
        return {item: 100 * self.expressed.of_class(item) / total for item in StainingClass}


def tabulate(
    mpp: float, cells: CellMap, expression: Expression, border: BorderTruth, nuclei: NucleiCanvas
) -> IhcCells:
    """Write down every cell of the phantom."""
    others = [(n, area) for n, area in nuclei.painted if n.cell == 0]
    own = {n.cell: (n, area) for n, area in nuclei.painted if n.cell > 0}
    n, m = cells.count, len(others)
    nucleus = np.full((n + m, 4), np.nan)
    for cell, (item, area) in own.items():
        nucleus[cell - 1] = item.x_px + 0.5, item.y_px + 0.5, area * mpp**2, item.blur_um == 0
    for place, (item, area) in enumerate(others, start=n):
        nucleus[place] = item.x_px + 0.5, item.y_px + 0.5, area * mpp**2, item.blur_um == 0
    shown = border.shown_completeness[1:] >= MIN_SHOWN_COMPLETENESS
    levels = np.where(shown, border.shown_od[1:], 0.0)
    return IhcCells(
        cell_id=np.arange(1, n + m + 1),
        kind=np.array([CellKind.TUMOUR.value] * n + [item.kind.value for item, _ in others], dtype=str),
        x_px0=np.concatenate([cells.centre_px[1:, 0] + 0.5, nucleus[n:, 0]]),
        y_px0=np.concatenate([cells.centre_px[1:, 1] + 0.5, nucleus[n:, 1]]),
        cell_area_um2=_padded(cells.area_px[1:] * mpp**2, m),
        touches_edge=np.concatenate([cells.touches_edge[1:], np.zeros(m, dtype=bool)]),
        nucleus_x_px0=nucleus[:, 0],
        nucleus_y_px0=nucleus[:, 1],
        nucleus_area_um2=nucleus[:, 2],
        nucleus_in_focus=nucleus[:, 3] == 1,
        expressed_intensity=_words([i.value for i in expression.intensity[1:]], Intensity.NONE.value, m),
        expressed_pattern=_words([p.value for p in expression.pattern[1:]], Pattern.NONE.value, m),
        expressed_od=_padded(expression.membrane_od[1:], m),
        expressed_completeness=_padded(border.expressed_completeness[1:], m),
        shown_intensity=_words([intensity_of(od).value for od in levels], Intensity.NONE.value, m),
        shown_completeness=_padded(border.shown_completeness[1:], m),
        shown_od=_padded(np.where(border.shown_completeness[1:] > 0, border.shown_od[1:], np.nan), m),
    )


def _padded(values: npt.NDArray[np.floating], missing: int) -> npt.NDArray[np.float64]:
    return np.concatenate([values.astype(np.float64), np.full(missing, np.nan)])


def _words(values: list[str], filler: str, missing: int) -> npt.NDArray[np.str_]:
    return np.array([*values, *([filler] * missing)], dtype=str)


def summarise_truth(cells: IhcCells, labels: Labels, *, mpp: float) -> IhcTruth:
    """Count the cells of a phantom and of its largest clusters."""
    tumour = cells.is_tumour
    counts: dict[tuple[Intensity, Pattern], int] = {}
    for intensity, pattern in zip(
        cells.expressed_intensity[tumour], cells.expressed_pattern[tumour], strict=True
    ):
        key = (Intensity(str(intensity)), Pattern(str(pattern)))
        counts[key] = counts.get(key, 0) + 1
    kinds = [str(kind) for kind in cells.kind]
    return IhcTruth(
        expressed=IhcTally({key: counts[key] for key in sorted(counts)}),
        tumour_cells=int(tumour.sum()),
        lymphocytes=kinds.count(CellKind.LYMPHOCYTE.value),
        stroma_cells=kinds.count(CellKind.STROMA.value),
        nuclei_missed_by_section=int(np.isnan(cells.nucleus_area_um2[tumour]).sum()),
        # Tumour cells come first, in the order of their labels from 1.
        clusters=largest_clusters(_expressed_ranks(cells)[tumour], shared_borders(labels, mpp=mpp) - 1),
    )


def _expressed_ranks(cells: IhcCells) -> npt.NDArray[np.int8]:
    words = zip(cells.expressed_intensity, cells.expressed_pattern, strict=True)
    return np.array([rank_of(Intensity(str(i)), Pattern(str(p))) for i, p in words], np.int8)


def shared_borders(labels: Labels, *, mpp: float) -> npt.NDArray[np.int64]:
    """Find the tumour cells that lie side by side.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Cell at each pixel, 0 = none.
    mpp : float
        Pixel size in µm.

    Returns
    -------
    pairs : ndarray of int64, shape (m, 2)
        Labels of two cells that share `SIDE_BY_SIDE_UM` of border or more; each pair once.

    Examples
    --------
    >>> shared_borders(np.array([[1, 2, 0, 3]] * 4, np.int32), mpp=0.5).tolist()
    [[1, 2]]
    """
    edges = []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        border = (one != other) & (one > 0) & (other > 0)
        edges.append(np.sort(np.stack([one[border], other[border]], axis=1).astype(np.int64), axis=1))
    pairs, length_px = np.unique(np.concatenate(edges), axis=0, return_counts=True)
    return np.asarray(pairs[length_px * mpp >= SIDE_BY_SIDE_UM])


def class_of_cells(cells: IhcCells) -> list[StainingClass]:
    """Class of the breast guideline that each cell expresses."""
    return [
        staining_class(Intensity(str(intensity)), Pattern(str(pattern)))
        for intensity, pattern in zip(cells.expressed_intensity, cells.expressed_pattern, strict=True)
    ]
