"""Cells as QuPath objects: GeoJSON written as a stream, so a million cells need no more memory than one.

Coordinates are level-0 pixels rounded to 0.1.  Identifiers are UUIDs made from the image's digest and
the cell's number, so that the same slide gives the same file.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2path.errors import ArtefactError
from her2path.io.files import replacing
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, open_table

_NAMESPACE = uuid.UUID("6f0b1b0e-6f0e-5c55-9d3c-8a1f5c2f7d10")
"""Namespace of her2path's cell identifiers; changing it changes every written file."""
_BATCH = 4096
_PAIR = "[%.1f,%.1f];"

MEASUREMENTS = {
    "membrane_completeness": "Membrane: Completeness",
    "membrane_connectivity": "Membrane: Connectivity",
    "membrane_od": "Membrane: DAB OD median",
    "membrane_contrast_od": "Membrane: DAB OD contrast",
    "membrane_excess_od_um": "Membrane: DAB OD µm sum",
    "membrane_thickness_um": "Membrane: Thickness µm mean",
    "cytoplasm_od": "Cytoplasm: DAB OD mean",
    "nucleus_od": "Nucleus: DAB OD mean",
    "nucleus_area_um2": "Nucleus: Area µm^2",
    "cell_area_um2": "Cell: Area µm^2",
}
"""QuPath's spelling (part: quantity) of the columns of `ihc_cells`."""


@dataclass(frozen=True, slots=True)
class CellClass:
    """A QuPath classification and the colour it is drawn in."""

    name: str
    rgb: tuple[int, int, int]


# QuPath's own names and colours of the H-score classes, so that its tools recognise them.
SCORE_CLASSES = (
    CellClass("Tumor: Negative", (112, 112, 225)),
    CellClass("Tumor: 1+", (255, 215, 0)),
    CellClass("Tumor: 2+", (225, 150, 50)),
    CellClass("Tumor: 3+", (200, 50, 50)),
)
"""Class of a scored cell by its `cell_score`."""
CONTROL_CLASSES = tuple(CellClass(kind.name.replace("Tumor", "Control"), kind.rgb) for kind in SCORE_CLASSES)
"""Class of a cell of control tissue, likewise."""
EXCLUDED = CellClass("Ignore*", (180, 180, 180))
"""Class of a cell that is not scored; QuPath leaves out classes that end with an asterisk."""


@dataclass(frozen=True, slots=True)
class QuPathCell:
    """One cell as it appears in QuPath."""

    cell_id: int
    x_px0: float
    y_px0: float
    cell_xy: npt.NDArray[np.float64]
    """Outline, shape (N, 2), level-0 pixels, first point not repeated."""
    nucleus_xy: npt.NDArray[np.float64]
    """Outline of the nucleus, likewise; empty = none."""
    kind: CellClass
    measurements: Mapping[str, float | None] = field(default_factory=dict)
    """By QuPath's names; None and NaN are left out."""


def write_cells(path: Path, cells: Iterable[QuPathCell], *, image_sha256: str) -> int:
    """Write cells as a GeoJSON FeatureCollection, whole or not at all.

    A cell whose outline has collapsed (fewer than three points) is written as a point detection, so
    that none is lost.

    Returns
    -------
    int
        Number of cells written.
    """
    written = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for cell in cells:
            file.write(",\n" if written else "\n")
            file.write(_feature(cell, image_sha256))
            written += 1
        file.write("\n]}\n")
    return written


def read_cells(cells: Path, contours: Path, *, with_excluded: bool = True) -> Iterator[QuPathCell]:
    """Read the cells of one slide from `ihc_cells` and `ihc_contours` in bounded memory.

    Raises
    ------
    ArtefactError
        The two tables do not hold the same cells in the same order.
    """
    with open_table(cells, IHC_CELLS) as facts, open_table(contours, IHC_CONTOURS) as outlines:
        if facts.metadata.num_rows != outlines.metadata.num_rows:
            raise ArtefactError(contours.name, f"it holds other cells than {cells.name}")
        shapes = _outlines(outlines.iter_batches(_BATCH))
        for batch in facts.iter_batches(_BATCH):
            for row in batch.to_pylist():
                cell_id, cell_xy, nucleus_xy = next(shapes)
                if cell_id != row["cell_id"]:
                    raise ArtefactError(contours.name, f"it holds other cells than {cells.name}")
                if row["exclusion"] is None or with_excluded:
                    yield _cell(row, cell_xy, nucleus_xy)


Outline = tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _outlines(batches: Iterable[pa.RecordBatch]) -> Iterator[Outline]:
    for batch in batches:
        ids = batch.column("cell_id").to_pylist()
        cell_rings = _rings(batch.column("cell_xy_px0"))
        nucleus_rings = _rings(batch.column("nucleus_xy_px0"))
        yield from zip(ids, cell_rings, nucleus_rings, strict=True)


def _rings(column: pa.ListArray) -> Iterator[npt.NDArray[np.float64]]:
    values = column.values.to_numpy(zero_copy_only=False).astype(np.float64)
    offsets = column.offsets.to_numpy()
    for start, stop in pairwise(offsets):
        yield values[start:stop].reshape(-1, 2)


def _cell(
    row: dict[str, object], cell_xy: npt.NDArray[np.float64], nucleus_xy: npt.NDArray[np.float64]
) -> QuPathCell:
    def number(column: str) -> float | None:
        value = row[column]
        return float(value) if isinstance(value, int | float) else None

    classes = {"None": SCORE_CLASSES, "control_tissue": CONTROL_CLASSES}.get(str(row["exclusion"]))
    return QuPathCell(
        cell_id=int(str(row["cell_id"])),
        x_px0=number("x_px0") or 0.0,
        y_px0=number("y_px0") or 0.0,
        cell_xy=cell_xy,
        nucleus_xy=nucleus_xy,
        kind=EXCLUDED if classes is None else classes[int(str(row["cell_score"]))],
        measurements={name: number(column) for column, name in MEASUREMENTS.items()},
    )


def _feature(cell: QuPathCell, image_sha256: str) -> str:
    outline, nucleus = _polygon(cell.cell_xy), _polygon(cell.nucleus_xy)
    properties = {
        "objectType": "cell" if outline else "detection",
        "classification": {"name": cell.kind.name, "color": list(cell.kind.rgb)},
        "measurements": {
            name: round(value, 4)
            for name, value in cell.measurements.items()
            if value is not None and math.isfinite(value)
        },
    }
    members = [
        '"type":"Feature"',
        f'"id":"{uuid.uuid5(_NAMESPACE, f"{image_sha256}/{cell.cell_id}")}"',
        f'"geometry":{outline or _point(cell)}',
        *([f'"nucleusGeometry":{nucleus}'] if outline and nucleus else []),
        f'"properties":{json.dumps(properties, ensure_ascii=False, separators=(",", ":"))}',
    ]
    return "{" + ",".join(members) + "}"


def _point(cell: QuPathCell) -> str:
    return f'{{"type":"Point","coordinates":[{cell.x_px0:.1f},{cell.y_px0:.1f}]}}'


def _polygon(xy: npt.NDArray[np.float64]) -> str | None:
    """Write a ring as GeoJSON; None if fewer than three points are left of it.

    One template takes 13 µs for 40 points, `json.dumps` on nested lists 23, and coordinates are nearly
    all of the file.
    """
    if len(xy) < 3 or not np.isfinite(xy).all():
        return None
    points = (_PAIR * len(xy) % tuple(xy.ravel().tolist())).split(";")[:-1]
    if len(set(points)) < 3:
        return None
    return f'{{"type":"Polygon","coordinates":[[{",".join(points)},{points[0]}]]}}'
