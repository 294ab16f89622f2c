"""Tiles and blocks of a slide as QuPath tiles, so that its measurement maps show where staining is.

Coordinates are level-0 pixels, as everywhere in QuPath's files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import StainingClass
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.qupath_detections import QuPathDetection
from her2path.io.tables import IHC_BLOCKS, TILES, read_table

_BATCH = 65_536
_COLUMNS = ("x_px0", "y_px0", "cell_score", "exclusion")
_CLASS_WORDS: Mapping[StainingClass, str] = {
    StainingClass.COMPLETE_INTENSE: "complete, intense",
    StainingClass.COMPLETE_WEAK_MODERATE: "complete, weak to moderate",
    StainingClass.INCOMPLETE_MODERATE_INTENSE: "incomplete, moderate to intense",
    StainingClass.INCOMPLETE_FAINT: "incomplete, faint",
    StainingClass.NONE: "none",
}
Floats = npt.NDArray[np.float64]


def _rectangle(
    left: float, top: float, right: float, bottom: float, measured: Mapping[str, float]
) -> QuPathDetection:
    ring = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return QuPathDetection(ring, measured, object_type="tile")


def read_blocks(path: Path, *, mpp: float) -> Iterator[QuPathDetection]:
    """Read the blocks of `ihc_blocks` with their cells by class, in per cent, and their H-score."""
    for row in read_table(path, IHC_BLOCKS).to_pylist():
        size, cells = row["size_um"] / mpp, row["cells"]
        shares = {f"Block: {words} %": 100 * row[name] / cells for name, words in _CLASS_WORDS.items()}
        measured = {"Block: Scored cells": cells, "Block: H-score": row["h_score"], **shares}
        left, top = row["x_px0"], row["y_px0"]
        yield _rectangle(left, top, left + size, top + size, measured)


def read_tiles(
    tiles: Path,
    cells: Path,
    *,
    mpp: float,
    size_px0: tuple[int, int],
    edited: EditedCells | None = None,
) -> Iterator[QuPathDetection]:
    """Read the tiles that a slide was measured in, each with its share of tissue and its cells.

    Parameters
    ----------
    tiles, cells : Path
        Tables `tiles` and `ihc_cells` of the same slide.
    mpp : float
        Level-0 pixel size (µm).
    size_px0 : tuple of two ints
        Width and height of the slide: border tiles end with it.
    edited : EditedCells, optional
        What a person changed.
    """
    table = read_table(tiles, TILES)
    names = ("x_px0", "y_px0", "width", "height", "target_mpp")
    left, top, width, height, target = (np.asarray(table[name].to_numpy(), np.float64) for name in names)
    right = np.minimum(left + width * target / mpp, size_px0[0])
    bottom = np.minimum(top + height * target / mpp, size_px0[1])
    counts = _counted(cells, np.stack([left, top, right, bottom]), edited)
    boxes = np.stack([left, top, right, bottom], axis=1).tolist()
    for box, tissue, (found, scored, points) in zip(
        boxes, table["tissue_frac"].to_pylist(), counts.tolist(), strict=True
    ):
        measured = {"Tile: Tissue %": 100 * tissue, "Tile: Cells": found, "Tile: Scored cells": scored}
        if scored:  # the H-score of no cells is none, not 0
            measured["Tile: H-score"] = 100 * points / scored
        yield _rectangle(box[0], box[1], box[2], box[3], measured)


def _counted(cells: Path, boxes: Floats, edited: EditedCells | None) -> npt.NDArray[np.int64]:
    """Count in each box, shape (4, n), its cells, its scored cells, and the sum of their scores."""
    left, top, right, bottom = boxes
    counts = np.zeros((len(left), 3), np.int64)
    rows = np.unique(top)
    places = {row: np.flatnonzero(top == row)[np.argsort(left[top == row])] for row in rows.tolist()}
    for batch in cell_batches(cells, _COLUMNS, size=_BATCH, edited=edited):
        x, y, score = (batch[name].to_numpy() for name in ("x_px0", "y_px0", "cell_score"))
        scored = batch["exclusion"].is_null().to_numpy(zero_copy_only=False)
        row_of = np.searchsorted(rows, y, side="right") - 1
        for number in np.unique(row_of[row_of >= 0]).tolist():
            here = places[rows[number]]
            own = np.flatnonzero(row_of == number)
            at = np.searchsorted(left[here], x[own], side="right") - 1
            tile = here[np.maximum(at, 0)]
            within = (at >= 0) & (x[own] < right[tile]) & (y[own] < bottom[tile])
            own, tile = own[within], tile[within]
            for column, weight in enumerate((None, scored[own], scored[own] * score[own])):
                counts[:, column] += np.bincount(tile, weight, len(left)).astype(np.int64)
    return counts
