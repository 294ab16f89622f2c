"""The cells of a slide as its page draws them: a bounded choice, packed into a few bytes each.

A page cannot hold the outlines of a million cells.  Which cells it holds depends on their numbers and
places alone, so the same slide gives the same page: first all scored cells within hot spots, then scored
cells elsewhere, taken evenly, then those of control tissue, and last those that are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2path.domain.ihc import Intensity, Pattern, reactivity
from her2path.imaging.ihc.rays import ANGLES
from her2path.io.cell_outlines import read_outlines
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.qupath_cells import LEVELS, CellScheme
from her2path.io.slide_view_file import ViewSpot

NOT_SCORED = 4
"""Class of a cell that is not scored; 0 to 3 are the scores, or the levels of staining, weakest first."""
FIRST_CONTROL = 5
"""Class of the weakest cells of control tissue; the stronger ones follow."""
CLASSES = FIRST_CONTROL + 4
CORNERS = ANGLES // 2
"""Corners of an outline as drawn: every second one, at most half a pixel off at 40x."""
_BATCH = 65_536
_COLUMNS = ("cell_id", "x_px0", "y_px0", "cell_score", "intensity", "pattern", "exclusion")
_GRID = 65_535
"""Steps of a coordinate along the longer side of the slide."""
_REACH = 127
"""Steps from the middle of a cell to the furthest corner of all."""


@dataclass(frozen=True, slots=True)
class CellLimits:
    """How many cells one slide of a page may have."""

    cells: int
    outlines: int
    """Of them, cells with an outline; the others are points."""


@dataclass(frozen=True, slots=True)
class ShownCells:
    """Cells of one slide, those with an outline first."""

    x_px0: npt.NDArray[np.float64]
    y_px0: npt.NDArray[np.float64]
    kind: npt.NDArray[np.uint8]
    """0 to 3, `NOT_SCORED`, or 0 to 3 above `FIRST_CONTROL`."""
    outlines_px0: npt.NDArray[np.float32]
    """Shape (m, `CORNERS`, 2), x first, of the first m cells."""
    found: tuple[int, ...]
    """Cells of the slide by class, drawn or not."""
    scheme: CellScheme

    @property
    def drawn(self) -> tuple[int, ...]:
        """Cells in the page by class."""
        return tuple(np.bincount(self.kind, minlength=CLASSES).tolist())

    @property
    def is_choice(self) -> bool:
        """Whether the slide has more cells than the page."""
        return sum(self.found) > len(self.kind)


@dataclass(frozen=True, slots=True)
class PackedCells:
    """Cells as a page carries them: n times x and y (uint16), n classes (uint8), m outlines (int8)."""

    data: bytes
    cells: int
    outlines: int
    px0_per_step: float
    """Of x and y."""
    px0_per_outline_step: float
    """Of the corners of an outline, from its middle."""


def choose_cells(
    cells: Path,
    contours: Path,
    *,
    spots: Sequence[ViewSpot],
    limits: CellLimits,
    scheme: CellScheme = CellScheme.SCORES,
    edited: EditedCells | None = None,
) -> ShownCells:
    """Choose the cells of a slide for its page and read their outlines.

    Parameters
    ----------
    cells, contours : Path
        Tables `ihc_cells` and `ihc_contours` of the same slide.
    spots : sequence of ViewSpot
        Hot spots: their cells come first.
    limits : CellLimits
        How many there may be.
    scheme : CellScheme
        By what a cell gets its class.
    edited : EditedCells or None
        What a person changed.

    Raises
    ------
    ArtefactError
        A table is missing, damaged, of another version, or the two hold other cells.
    """
    batches = list(cell_batches(cells, _COLUMNS, size=_BATCH, edited=edited))
    cell_id, x, y = (
        np.concatenate([np.empty(0, kind), *(batch[name].to_numpy() for batch in batches)])
        for name, kind in (("cell_id", np.int64), ("x_px0", np.float64), ("y_px0", np.float64))
    )
    kind = np.concatenate([np.empty(0, np.uint8), *(_kinds(batch, scheme) for batch in batches)])
    rank = np.select([kind < NOT_SCORED, kind >= FIRST_CONTROL], [1, 2], 3)
    rank[_within(x, y, spots) & (kind < NOT_SCORED)] = 0
    order = np.lexsort((cell_id, _scattered(cell_id), rank))[: limits.cells]
    outlined = np.sort(order[kind[order] != NOT_SCORED][: limits.outlines])
    rings = list(read_outlines(contours, cell_id[outlined], corners=ANGLES)) if len(outlined) else []
    kept = np.concatenate([outlined, np.sort(np.setdiff1d(order, outlined))])
    return ShownCells(
        x_px0=x[kept],
        y_px0=y[kept],
        kind=kind[kept],
        outlines_px0=np.concatenate(rings)[:, ::2] if rings else np.empty((0, CORNERS, 2), np.float32),
        found=tuple(np.bincount(kind, minlength=CLASSES).tolist()),
        scheme=scheme,
    )


def _kinds(batch: pa.RecordBatch, scheme: CellScheme) -> npt.NDArray[np.uint8]:
    kind = np.array(
        batch["cell_score"].to_numpy() if scheme is CellScheme.SCORES else _levels(batch), np.uint8
    )
    words = batch["exclusion"].dictionary.to_pylist()
    # null is read as -1: a scored cell.
    places = batch["exclusion"].indices.fill_null(-1).to_numpy()
    control = np.array([word == "control_tissue" for word in words] + [False])[places]
    kind[(places >= 0) & ~control] = NOT_SCORED
    kind[control] += FIRST_CONTROL
    return kind


def _levels(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Find the place of each cell in `LEVELS`."""
    intensity, pattern = (batch[name].dictionary.to_pylist() for name in ("intensity", "pattern"))
    places = [[LEVELS.index(reactivity(Intensity(i), Pattern(p))) for p in pattern] for i in intensity]
    found: npt.NDArray[np.int64] = np.array(places, np.int64)[
        batch["intensity"].indices.to_numpy(), batch["pattern"].indices.to_numpy()
    ]
    return found


def pack_cells(cells: ShownCells, *, size_px0: tuple[int, int]) -> PackedCells:
    """Pack cells of a slide of this width and height; places are rounded to 1/65535 of its longer side."""
    step = max(size_px0) / _GRID
    xy = np.stack([cells.x_px0, cells.y_px0]) / step
    middles = np.stack([cells.x_px0, cells.y_px0], axis=-1)[: len(cells.outlines_px0), None]
    offsets = cells.outlines_px0 - middles
    outline_step = float(np.abs(offsets).max()) / _REACH if offsets.size else 1.0
    parts = (
        np.rint(xy).clip(0, _GRID).astype("<u2"),
        cells.kind,
        np.rint(offsets / outline_step).astype(np.int8),
    )
    return PackedCells(
        data=b"".join(part.tobytes() for part in parts),
        cells=len(cells.kind),
        outlines=len(cells.outlines_px0),
        px0_per_step=step,
        px0_per_outline_step=outline_step,
    )


def _within(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], spots: Sequence[ViewSpot]
) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(x), np.bool_)
    for spot in spots:
        right, bottom = spot.x_px0 + spot.width * spot.downsample, spot.y_px0 + spot.height * spot.downsample
        found |= (spot.x_px0 <= x) & (x < right) & (spot.y_px0 <= y) & (y < bottom)
    return found


def _scattered(cell_id: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Shuffle numbers the same way each time (Fibonacci hashing), so that a beginning is an even choice."""
    mixed = cell_id.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
