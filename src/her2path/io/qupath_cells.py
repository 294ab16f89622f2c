"""Cells as QuPath objects: GeoJSON written as a stream, so a million cells need no more memory than one.

Coordinates are level-0 pixels rounded to 0.1.  Identifiers are UUIDs made from the image's digest and
the cell's number, so that the same slide gives the same file.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import compress, islice, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2path.domain.guideline.definition import Guideline
from her2path.domain.ihc import IhcScore, Intensity, Pattern, Reactivity, reactivity
from her2path.errors import ArtefactError
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.files import replacing
from her2path.io.polygon_text import polygon_texts
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, open_table

_NAMESPACE = uuid.UUID("6f0b1b0e-6f0e-5c55-9d3c-8a1f5c2f7d10")
"""Namespace of her2path's cell identifiers; changing it changes every written file."""
_BATCH = 4096
_AT_ONCE = 128
"""Cells whose outlines are written at once."""

MEASUREMENTS = {
    "membrane_completeness": "Membrane: Completeness",
    "membrane_connectivity": "Membrane: Connectivity",
    "membrane_od": "Membrane: DAB OD median",
    "membrane_contrast_od": "Membrane: DAB OD contrast",
    "membrane_excess_od_um": "Membrane: DAB OD µm sum",
    "membrane_thickness_um": "Membrane: Thickness µm mean",
    "membrane_certainty": "Membrane: Probability mean",
    "cytoplasm_od": "Cytoplasm: DAB OD mean",
    "nucleus_od": "Nucleus: DAB OD mean",
    "nucleus_area_um2": "Nucleus: Area µm^2",
    "cell_area_um2": "Cell: Area µm^2",
}
"""QuPath's spelling (part: quantity) of the columns of `ihc_cells`."""
_WITH_MEAN = {"membrane_mean_od": "Membrane: DAB OD mean", **MEASUREMENTS}
"""The same with what users of QuPath search for, which tables of older versions lack."""
BY_PERSON = "Class given by a person"
"""Measurement (1) of a cell to which a person gave its class; all others lack it."""


@dataclass(frozen=True, slots=True)
class CellClass:
    """A QuPath classification and the colour it is drawn in."""

    name: str
    rgb: tuple[int, int, int]


def _of_control(kinds: Sequence[CellClass]) -> tuple[CellClass, ...]:
    return tuple(CellClass(kind.name.replace("Tumor", "Control"), kind.rgb) for kind in kinds)


# QuPath's own names and colours of the H-score classes, so that its tools recognise them.
SCORE_CLASSES = (
    CellClass("Tumor: Negative", (112, 112, 225)),
    CellClass("Tumor: 1+", (255, 215, 0)),
    CellClass("Tumor: 2+", (225, 150, 50)),
    CellClass("Tumor: 3+", (200, 50, 50)),
)
"""Class of a scored cell by its `cell_score`."""
CONTROL_CLASSES = _of_control(SCORE_CLASSES)
"""Class of a cell of control tissue, likewise."""
# Words, not scores: QuPath would make an H-score of `1+`, and the same cell has another score by the
# breast's classes.  An unstained cell is one by both.
LEVEL_CLASSES = (
    SCORE_CLASSES[0],
    CellClass("Tumor: Faint", (240, 210, 80)),
    CellClass("Tumor: Weak to moderate", (225, 120, 30)),
    CellClass("Tumor: Strong", (150, 20, 60)),
)
"""Class of a scored cell where the guideline reads levels of staining, weakest first (`LEVELS`)."""
LEVEL_CONTROL_CLASSES = _of_control(LEVEL_CLASSES)
"""Class of a cell of control tissue, likewise."""
LEVELS = tuple(reversed(Reactivity))
"""Level of staining by its place in `LEVEL_CLASSES`."""
EXCLUDED = CellClass("Ignore*", (180, 180, 180))
"""Class of a cell that is not scored; QuPath leaves out classes that end with an asterisk."""


class CellScheme(Enum):
    """By what a cell gets its class: scored cells first, then those of control tissue."""

    SCORES = (SCORE_CLASSES, CONTROL_CLASSES)
    """`cell_score`: completeness and intensity, as breast guidelines read them."""
    LEVELS = (LEVEL_CLASSES, LEVEL_CONTROL_CLASSES)
    """Intensity: complete, basolateral and lateral staining count alike."""

    @property
    def scored(self) -> tuple[CellClass, ...]:
        """Classes of scored cells, weakest first."""
        return self.value[0]

    @property
    def control(self) -> tuple[CellClass, ...]:
        """Classes of cells of control tissue, weakest first."""
        return self.value[1]

    @property
    def words(self) -> tuple[str, ...]:
        """What the classes of scored cells are called in pictures, weakest first.

        Examples
        --------
        >>> CellScheme.LEVELS.words
        ('no staining', 'faint', 'weak to moderate', 'strong')
        """
        if self is CellScheme.SCORES:
            return tuple(IhcScore)
        return ("no staining", *(kind.name.partition(": ")[2].lower() for kind in LEVEL_CLASSES[1:]))


def scheme_of(guideline: Guideline) -> CellScheme:
    """Choose the classes in which a guideline reads cells.

    Examples
    --------
    >>> from her2path.domain.guideline.registry import find_guideline
    >>> scheme_of(find_guideline("gastroesophageal_2016")).scored[3].name
    'Tumor: Strong'
    """
    return CellScheme.SCORES if guideline.family == "breast" else CellScheme.LEVELS


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
    rank: int | None = None
    """Place of its class among those of scored cells, 0 to 3, weakest first; None = not scored."""


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
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        left = iter(cells)
        while some := tuple(islice(left, _AT_ONCE)):
            file.write(b",\n" if written else b"\n")
            file.write(b",\n".join(_features(some, image_sha256)))
            written += len(some)
        file.write(b"\n]}\n")
    return written


def read_cells(
    cells: Path,
    contours: Path,
    *,
    with_excluded: bool = True,
    scheme: CellScheme = CellScheme.SCORES,
    edited: EditedCells | None = None,
) -> Iterator[QuPathCell]:
    """Read the cells of one slide from `ihc_cells` and `ihc_contours` in bounded memory.

    Where a person `edited` them they come as that person left them, those that were given a class with
    one measurement more (`BY_PERSON`).

    Raises
    ------
    ArtefactError
        The two tables do not hold the same cells in the same order.
    """
    with open_table(cells, IHC_CELLS) as facts, open_table(contours, IHC_CONTOURS) as outlines:
        if facts.metadata.num_rows != outlines.metadata.num_rows:
            raise ArtefactError(contours.name, f"it holds other cells than {cells.name}")
        shapes = _outlines(outlines.iter_batches(_BATCH))
        ranks = {kind.name: rank for rank, kind in enumerate(scheme.scored)}
        names = {column: name for column, name in _WITH_MEAN.items() if column in facts.schema_arrow.names}
        for batch in cell_batches(cells, [*_COLUMNS, *names], size=_BATCH, edited=edited):
            kinds, values = cell_classes(batch, scheme), [_numbers(batch[column]) for column in names]
            for cell_id, x, y, kind, *measured in zip(
                *(batch[column].to_numpy().tolist() for column in _PLACES), kinds, *values, strict=True
            ):
                other_id, cell_xy, nucleus_xy = next(shapes)
                if cell_id != other_id:
                    raise ArtefactError(contours.name, f"it holds other cells than {cells.name}")
                rank = ranks.get(kind.name)
                if with_excluded or rank is not None:
                    measurements = dict(zip(names.values(), measured, strict=True))
                    if edited is not None and edited.corrected[cell_id - 1]:
                        measurements[BY_PERSON] = 1.0
                    yield QuPathCell(cell_id, x, y, cell_xy, nucleus_xy, kind, measurements, rank)


_PLACES = ("cell_id", "x_px0", "y_px0")
_COLUMNS = [*_PLACES, "cell_score", "intensity", "pattern", "exclusion"]


def cell_classes(batch: pa.RecordBatch, scheme: CellScheme) -> list[CellClass]:
    """Class the cells of a batch of `ihc_cells` with their scores, staining and exclusion."""
    exclusion = batch["exclusion"]
    words = exclusion.dictionary.to_pylist()
    classes = [scheme.control if word == "control_tissue" else (EXCLUDED,) * 4 for word in words]
    classes.append(scheme.scored)  # null is read as -1: a scored cell
    places = exclusion.indices.fill_null(-1).to_numpy().tolist()
    ranks = batch["cell_score"].to_numpy().tolist() if scheme is CellScheme.SCORES else _levels(batch)
    return [classes[place][rank] for place, rank in zip(places, ranks, strict=True)]


def _levels(batch: pa.RecordBatch) -> list[int]:
    """Find the place of each cell in `LEVELS`."""
    words = [batch[name].dictionary.to_pylist() for name in ("intensity", "pattern")]
    place_of = [
        [LEVELS.index(reactivity(Intensity(intensity), Pattern(pattern))) for pattern in words[1]]
        for intensity in words[0]
    ]
    indices = (batch[name].indices.to_numpy().tolist() for name in ("intensity", "pattern"))
    return [place_of[row][col] for row, col in zip(*indices, strict=True)]


def _numbers(column: pa.Array) -> list[float | None]:
    numbers = column.to_numpy(zero_copy_only=False).astype(np.float64)
    known: list[float | None] = np.asarray(np.where(np.isnan(numbers), None, numbers)).tolist()
    return known


Outline = tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _outlines(batches: Iterable[pa.RecordBatch]) -> Iterator[Outline]:
    for batch in batches:
        ids = batch.column("cell_id").to_pylist()
        cell_rings = _rings(batch.column("cell_xy_px0"))
        nucleus_rings = _rings(batch.column("nucleus_xy_px0"))
        yield from zip(ids, cell_rings, nucleus_rings, strict=True)


def _rings(column: pa.ListArray) -> Iterator[npt.NDArray[np.float64]]:
    points = column.values.to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, 2)
    for start, stop in pairwise((column.offsets.to_numpy() // 2).tolist()):
        yield points[start:stop]


def _features(cells: Sequence[QuPathCell], image_sha256: str) -> Iterator[bytes]:
    outlines = polygon_texts([cell.cell_xy for cell in cells])
    nuclei = polygon_texts([cell.nucleus_xy for cell in cells])
    for cell, outline, nucleus, measured in zip(cells, outlines, nuclei, _measurements(cells), strict=True):
        yield b'{"type":"Feature","id":"%b","geometry":%b,%b"properties":{"objectType":"%b",%b%b}}' % (
            cell_identifier(image_sha256, cell.cell_id),
            outline or _point(cell),
            b'"nucleusGeometry":%b,' % nucleus if outline and nucleus else b"",
            b"cell" if outline else b"detection",
            _classification(cell.kind),
            measured,
        )


def _measurements(cells: Sequence[QuPathCell]) -> Iterator[bytes]:
    numbers = np.array([number for cell in cells for number in cell.measurements.values()], np.float64)
    known, rounded = np.isfinite(numbers).tolist(), _rounded(numbers)
    start = 0
    for cell in cells:
        stop = start + len(cell.measurements)
        template = _template(tuple(compress(cell.measurements, known[start:stop])))
        yield (template % tuple(compress(rounded[start:stop], known[start:stop]))).encode()
        start = stop


def _rounded(numbers: npt.NDArray[np.float64]) -> list[float]:
    """Round to four digits as `round` does."""
    with np.errstate(over="ignore", invalid="ignore"):
        # Ten thousand times a float32 is exact in float64, so it rounds as the exact value does.
        exact = (np.abs(numbers) < 1e6) & (numbers.astype(np.float32) == numbers)
        rounded: list[float] = (np.rint(numbers * 1e4) / 1e4).tolist()
    for place in np.flatnonzero(np.isfinite(numbers) & ~exact).tolist():
        rounded[place] = round(float(numbers[place]), 4)
    return rounded


@cache
def _template(names: tuple[str, ...]) -> str:
    """Measurements as JSON, once for all cells that have the same; ``%r`` writes what `json.dumps` does."""
    quoted = (json.dumps(name, ensure_ascii=False).replace("%", "%%") for name in names)
    return f'"measurements":{{{",".join(f"{name}:%r" for name in quoted)}}}'


@cache
def _classification(kind: CellClass) -> bytes:
    value = {"name": kind.name, "color": list(kind.rgb)}
    return f'"classification":{json.dumps(value, ensure_ascii=False, separators=(",", ":"))},'.encode()


def cell_identifier(image_sha256: str, cell_id: int) -> bytes:
    """Make the UUID (version 5) of a cell: `uuid.uuid5` without its object."""
    name = f"{image_sha256}/{cell_id}".encode()
    digest = hashlib.sha1(_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}".encode()


def _point(cell: QuPathCell) -> bytes:
    return f'{{"type":"Point","coordinates":[{cell.x_px0:.1f},{cell.y_px0:.1f}]}}'.encode()
