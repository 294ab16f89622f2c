"""Cells of one slide as the bulk data of DICOM annotations, written to files in one pass.

Annotations hold all coordinates of a class in one element, so a slide with millions of cells does not
fit into memory twice over.  Here the two tables are read batch by batch, each class and number is
appended to a file of its own, and `her2path.reports.dicom_annotations` points an element at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2path.errors import ArtefactError
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.qupath_cells import EXCLUDED, MEASUREMENTS, CellClass, CellScheme, cell_classes
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, open_table

Graphic = Literal["POLYGON", "POINT"]
Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32]

MEASURES = ("cell_id", "membrane_mean_od", *MEASUREMENTS)
"""Columns that go with a cell, its number first; a table of an older version may lack one."""
_BATCH = 16_384
_LARGEST_ID = 2**24
"""Numbers of annotations are 32-bit floats, which count so far."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """Numbers of some annotations of a group."""

    values: Path
    """float32."""
    places: Path | None
    """uint32, from 1: the annotations that have one; None = all of them."""


@dataclass(frozen=True, slots=True)
class CellGroup:
    """Cells of one class, drawn in one way."""

    kind: CellClass
    graphic: Graphic
    cells: int
    coordinates: Path
    """float32: x and y of each point in turn."""
    starts: Path | None
    """uint32: place of each outline's first coordinate in `coordinates`, from 1; None for points."""
    measures: Mapping[str, Bulk]
    """By the column of `ihc_cells`; one that no cell of the group has is left out."""


def spool_cells(
    cells: Path,
    contours: Path,
    folder: Path,
    *,
    outlines: bool,
    scheme: CellScheme = CellScheme.SCORES,
    placed: Callable[[Points], Points] | None = None,
    edited: EditedCells | None = None,
) -> tuple[CellGroup, ...]:
    """Write the bulk data of all cells; memory is that of one batch.

    Parameters
    ----------
    cells, contours : Path
        Tables of the slide.
    folder : Path
        Takes the files.
    outlines : bool
        Draw cells as polygons; one whose outline has collapsed becomes a point, so that none is lost.
        Otherwise all cells are points.
    scheme : CellScheme
        By what cells get their class.
    placed : callable, optional
        Turns level-0 pixels, shape (n, 2), into the coordinates to be written.
    edited : EditedCells, optional
        What a person changed.

    Raises
    ------
    ArtefactError
        The two tables do not hold the same cells in the same order.
    """
    classes = (*scheme.scored, *scheme.control, EXCLUDED)
    place_of = {kind: place for place, kind in enumerate(classes)}
    with ExitStack() as files:
        spools: dict[tuple[int, Graphic], _Spool] = {}
        for batch, rings in _batches(cells, contours, edited):
            kinds = np.array([place_of[kind] for kind in cell_classes(batch, scheme)], np.int64)
            lengths = pc.list_value_length(rings).to_numpy() // 2
            drawn = (lengths >= 3) & outlines
            for place in np.unique(kinds).tolist():
                for graphic, chosen in (("POLYGON", drawn), ("POINT", ~drawn)):
                    mask = chosen & (kinds == place)
                    if mask.any():
                        key: tuple[int, Graphic] = (place, "POLYGON" if graphic == "POLYGON" else "POINT")
                        if key not in spools:
                            spools[key] = _Spool(folder / f"{place}_{graphic}", classes[place], key[1], files)
                        spools[key].append(batch.filter(pa.array(mask)), rings.filter(pa.array(mask)), placed)
        return tuple(spools[key].finished() for key in sorted(spools))


@dataclass
class _Spool:
    stem: Path
    kind: CellClass
    graphic: Graphic
    files: ExitStack
    cells: int = 0
    numbers: int = 0
    measured: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    opened: dict[str, BinaryIO] = field(default_factory=dict)

    def append(
        self, batch: pa.RecordBatch, rings: pa.ListArray, placed: Callable[[Points], Points] | None
    ) -> None:
        if self.graphic == "POLYGON":
            points = rings.flatten().to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, 2)
            lengths = pc.list_value_length(rings).to_numpy()
            firsts = self.numbers + 1 + np.concatenate([[0], np.cumsum(lengths)[:-1]])
            self._file("starts").write(firsts.astype("<u4").tobytes())
        else:
            points = np.column_stack([batch["x_px0"].to_numpy(), batch["y_px0"].to_numpy()])
        written = points if placed is None else placed(points)
        self._file("coordinates").write(np.ascontiguousarray(written, "<f4").tobytes())
        self.numbers += points.size
        for name in (name for name in MEASURES if name in batch.schema.names):
            values = batch[name].to_numpy(zero_copy_only=False).astype("<f4")
            known = np.flatnonzero(~np.isnan(values))
            self._file(name).write(values[known].tobytes())
            self._file(f"{name}.places").write((known + self.cells + 1).astype("<u4").tobytes())
            self.measured[name] += len(known)
        self.cells += batch.num_rows

    def finished(self) -> CellGroup:
        for file in self.opened.values():
            file.flush()
        measures = {
            name: Bulk(self._path(name), None if count == self.cells else self._path(f"{name}.places"))
            for name, count in self.measured.items()
            if count
        }
        starts = self._path("starts") if self.graphic == "POLYGON" else None
        return CellGroup(self.kind, self.graphic, self.cells, self._path("coordinates"), starts, measures)

    def _path(self, what: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{what}")

    def _file(self, what: str) -> BinaryIO:
        if what not in self.opened:
            self.opened[what] = self.files.enter_context(self._path(what).open("wb"))
        return self.opened[what]


_COLUMNS = ["x_px0", "y_px0", "cell_score", "intensity", "pattern", "exclusion"]


def _batches(
    cells: Path, contours: Path, edited: EditedCells | None
) -> Iterator[tuple[pa.RecordBatch, pa.ListArray]]:
    with open_table(cells, IHC_CELLS) as facts, open_table(contours, IHC_CONTOURS) as outlines:
        if facts.metadata.num_rows != outlines.metadata.num_rows:
            raise _other_cells(cells, contours)
        drawn = _Rows(outlines, ["cell_id", "cell_xy_px0"])
        known = [name for name in MEASURES if name in facts.schema_arrow.names]
        for batch in cell_batches(cells, [*_COLUMNS, *known], size=_BATCH, edited=edited):
            rings = drawn.take(batch.num_rows)
            ids = batch["cell_id"]
            if not ids.equals(rings["cell_id"].combine_chunks()):
                raise _other_cells(cells, contours)
            if pc.max(ids).as_py() >= _LARGEST_ID:
                raise ArtefactError(
                    cells.name, f"numbers its cells beyond {_LARGEST_ID}, which DICOM cannot hold"
                )
            yield batch, rings["cell_xy_px0"].combine_chunks()


def _other_cells(cells: Path, contours: Path) -> ArtefactError:
    return ArtefactError(contours.name, f"it holds other cells than {cells.name}")


class _Rows:
    """Rows of a table in portions of any size; row groups of two tables need not end together."""

    def __init__(self, table: pq.ParquetFile, columns: Sequence[str]) -> None:
        self._batches = table.iter_batches(_BATCH, columns=list(columns))
        self._left: list[pa.RecordBatch] = []

    def take(self, rows: int) -> pa.Table:
        while sum(batch.num_rows for batch in self._left) < rows:
            self._left.append(next(self._batches))
        table = pa.Table.from_batches(self._left)
        self._left = table.slice(rows).to_batches()
        return table.slice(0, rows)
