"""The cells of one measured slide as columns for a research table (AnnData, SpatialData).

Columns are read one by one, so that beside the finished ones no more than one is held.  What was not
measured is missing here as well: NaN in a measure (both formats' own word for it), null in a column
of facts; a word is never replaced by a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from her2path.domain.ihc import Intensity, Pattern
from her2path.errors import ArtefactError
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.files import artefact_name
from her2path.io.qupath_cells import EXCLUDED, CellClass, CellScheme, cell_classes
from her2path.io.score_entries import HotSpotEntry
from her2path.io.tables import IHC_CELLS, TILES, open_table, read_table

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "nucleus_area_um2": "µm²",
        "cell_area_um2": "µm²",
        "membrane_completeness": "fraction of the contour",
        "membrane_connectivity": "fraction of the contour",
        "membrane_od": "decadic optical density",
        "membrane_contrast_od": "decadic optical density",
        "membrane_excess_od_um": "decadic optical density x µm",
        "membrane_thickness_um": "µm",
        "membrane_certainty": "probability",
        "cytoplasm_od": "decadic optical density",
        "nucleus_od": "decadic optical density",
    }
)
"""Columns of `ihc_cells` that are measures, with their units, in the order of the table."""
_BATCH = 65_536
_CLASS_COLUMNS = ("cell_score", "intensity", "pattern", "exclusion")
"""What a cell's class follows from."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words, as places in the list of those that may occur."""

    codes: npt.NDArray[np.int16]
    """Place in `words`, shape (n,); -1 = none."""
    words: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A column of whole numbers, some of which may be missing."""

    values: npt.NDArray[np.int32]
    missing: npt.NDArray[np.bool_]


Facts = npt.NDArray[Any] | Words | Known


@dataclass(frozen=True, slots=True)
class ResearchCells:
    """All cells of a slide in the order of `ihc_cells`."""

    cell_id: npt.NDArray[np.int64]
    xy_px0: npt.NDArray[np.float64]
    """Centre of the nucleus, shape (n, 2), level-0 pixels, x first; a pixel's corner is whole."""
    measures: npt.NDArray[np.float32]
    """Shape (n, len(MEASURES)); NaN = not measured."""
    facts: Mapping[str, Facts]
    """Classes, regions and tile by name, each of n."""
    classes: tuple[CellClass, ...]
    """Those of column `class`, as QuPath shows them, in the order of its codes."""

    def __len__(self) -> int:
        return len(self.cell_id)


def read_research_cells(
    cells: Path,
    tiles: Path,
    spots: Sequence[HotSpotEntry],
    *,
    slide_mpp: float,
    scheme: CellScheme = CellScheme.SCORES,
    edited: EditedCells | None = None,
) -> ResearchCells:
    """Read the cells of a slide, as a person left them, with their tile and hot spot.

    Parameters
    ----------
    cells, tiles : Path
        Tables `ihc_cells` and `tiles`.
    spots : sequence of HotSpotEntry
        Of `ihc_score.json`, the most conspicuous first.
    slide_mpp : float
        Pixel size of level 0 (µm).
    scheme : CellScheme
        Classes of the slide's guideline.
    edited : EditedCells, optional
        What a person changed; None = nothing.

    Raises
    ------
    ArtefactError
        A table is missing, damaged or of another version.
    """
    with open_table(cells, IHC_CELLS) as table:

        def column(name: str) -> pa.ChunkedArray:
            if edited is not None and name in edited.columns:
                return pa.chunked_array([edited.columns[name]])
            return table.read(columns=[name])[name]

        n = table.metadata.num_rows
        measures = np.empty((n, len(MEASURES)), np.float32)
        for place, name in enumerate(MEASURES):
            measures[:, place] = column(name).to_numpy()
        xy = np.empty((n, 2), np.float64)
        for place, name in enumerate(("x_px0", "y_px0")):
            xy[:, place] = column(name).to_numpy()
        classes = (*scheme.scored, *scheme.control, EXCLUDED)
        corrected = np.zeros(n, np.bool_) if edited is None else edited.corrected
        facts: dict[str, Facts] = {
            "class": _classes(
                cell_batches(cells, _CLASS_COLUMNS, size=_BATCH, edited=edited), scheme, classes
            ),
            "class_by_person": corrected,
            "cell_score": column("cell_score").to_numpy(),
            "intensity": _words(column("intensity"), tuple(map(str, Intensity)), ordered=True),
            "pattern": _words(column("pattern"), tuple(map(str, Pattern)), ordered=True),
            "exclusion": _words(column("exclusion"), None),
            "in_tumour": column("in_tumour").to_numpy(),
            "piece": column("piece").to_numpy(),
            "control": _known(column("control")),
            "tile_id": _tiles_of(xy, tiles, slide_mpp),
            "hot_spot": _spots_of(xy, spots),
        }
        return ResearchCells(column("cell_id").to_numpy(), xy, measures, facts, classes)


def _words(column: pa.ChunkedArray, words: tuple[str, ...] | None, *, ordered: bool = False) -> Words:
    """Code the words of a column by `words`, or by those that occur, in alphabetical order."""
    if words is None:
        words = tuple(sorted(pc.unique(column.cast(pa.string())).drop_null().to_pylist()))
    known = pa.array(words, pa.string())
    chunks = [pc.index_in(chunk.cast(pa.string()), value_set=known) for chunk in column.chunks]
    places = pa.chunked_array(chunks, pa.int32()).fill_null(-1).cast(pa.int16())
    return Words(places.to_numpy(), words, ordered)


def _known(column: pa.ChunkedArray) -> Known:
    missing = column.is_null().to_numpy()
    return Known(column.fill_null(0).to_numpy().astype(np.int32), np.asarray(missing, np.bool_))


def _classes(batches: Iterable[pa.RecordBatch], scheme: CellScheme, classes: Sequence[CellClass]) -> Words:
    place_of = {kind: place for place, kind in enumerate(classes)}
    parts = [np.empty(0, np.int16)]
    for batch in batches:
        kinds = cell_classes(batch, scheme)
        parts.append(np.fromiter((place_of[kind] for kind in kinds), np.int16, len(kinds)))
    return Words(np.concatenate(parts), tuple(kind.name for kind in classes))


def _tiles_of(xy_px0: npt.NDArray[np.float64], tiles: Path, slide_mpp: float) -> Known:
    """Find the tile in whose core each cell lies; none for a cell beyond all of them."""
    table = read_table(tiles, TILES)
    found = np.full(len(xy_px0), -1, np.int32)
    if table.num_rows:
        rows, columns = (table[name].to_numpy() for name in ("row", "col"))
        scale = slide_mpp / table["target_mpp"][0].as_py()
        # Tiles stand in a grid, so a cell's row and column of tiles say which one it is.
        tops, lefts = np.unique(rows), np.unique(columns)
        number = np.full((len(tops), len(lefts)), -1, np.int32)
        number[np.searchsorted(tops, rows), np.searchsorted(lefts, columns)] = np.arange(table.num_rows)
        at_row = np.searchsorted(tops, xy_px0[:, 1] * scale, side="right") - 1
        at_column = np.searchsorted(lefts, xy_px0[:, 0] * scale, side="right") - 1
        # Centres are rounded to a thousandth of a pixel, so one on the outer edge may lie beyond it.
        place = number[np.maximum(at_row, 0), np.maximum(at_column, 0)]
        bottoms, rights = rows + table["height"].to_numpy(), columns + table["width"].to_numpy()
        inside = (place >= 0) & (xy_px0[:, 1] * scale < bottoms[place] + 0.01)
        inside &= xy_px0[:, 0] * scale < rights[place] + 0.01
        found[inside] = table["tile_id"].to_numpy()[place[inside]]
    return Known(np.maximum(found, 0), found < 0)


def _spots_of(xy_px0: npt.NDArray[np.float64], spots: Sequence[HotSpotEntry]) -> Known:
    """Rank of the first hot spot that a cell lies in."""
    rank = np.zeros(len(xy_px0), np.int32)
    for number, spot in reversed(list(enumerate(spots, start=1))):
        offset = xy_px0 - (spot.x_px0, spot.y_px0)
        rank[((offset >= 0) & (offset < spot.size_px0)).all(axis=1)] = number
    return Known(rank, rank == 0)


def polygons_of(rings: pa.Array, *, name: Path) -> npt.NDArray[np.object_]:
    """Build polygons of a column of outlines.

    Parameters
    ----------
    rings : list array of float32
        x0, y0, x1, y1, ... of each outline, whose first point is not repeated.
    name : Path
        The table, for messages.

    Returns
    -------
    polygons : ndarray of object, shape (n,)
        Level-0 pixels; an outline of fewer than three points is None.

    Raises
    ------
    ArtefactError
        An outline has an odd number of coordinates.
    """
    lengths = pc.list_value_length(rings).to_numpy(zero_copy_only=False)
    if (lengths % 2).any():
        raise ArtefactError(artefact_name(name), "an outline has an odd number of coordinates")
    drawn = lengths >= 6
    outlined = rings.filter(pa.array(drawn))
    points = outlined.flatten().to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, 2)
    corners = lengths[drawn].astype(np.intp) // 2
    ends = np.concatenate([[0], np.cumsum(corners + 1)])
    # A ring is closed by its first point: its places are those of its points and one more.
    take = np.arange(ends[-1]) - np.repeat(np.arange(len(corners)), corners + 1)
    take[ends[1:] - 1] = np.cumsum(corners) - corners
    polygons = np.full(len(lengths), None, object)
    offsets = (ends, np.arange(len(corners) + 1))
    polygons[drawn] = shapely.from_ragged_array(shapely.GeometryType.POLYGON, points[take], offsets)
    return polygons
