"""What is asked of a person, as files: GeoJSON for QuPath, and a sheet for `train dataset`."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from her2path.errors import ArtefactError, ConfigError
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import read_document
from her2path.io.files import sha256_of, write_text
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.query_documents import CellQuery, QueriesDoc, TileQuery
from her2path.io.qupath_cells import read_cells

_COLUMNS = ("image", "kind", "labels", "mpp", "patient_id", "source", "licence", "slide_id")
CELLS = "ihc_cells.parquet"
"""Table of the cells of an image, in the folder of its results."""
_CELL_FILE, _TILE_FILE = ".cells.geojson", ".tiles.geojson"


@dataclass(frozen=True, slots=True)
class MeasuredImage:
    """An image of a run."""

    row: ImageRow
    folder: Path
    """Of its results."""
    mpp: float
    sha256: str
    """As in a dataset, see `her2path.io.dataset_documents.image_sha256`."""

    @property
    def cells(self) -> Path:
        """Table of its cells."""
        return self.folder / CELLS


def refuse_labelled(queries: Path, sheet: Path) -> None:
    """Refuse a folder in which a person has labelled, before anything there is written over.

    Parameters
    ----------
    queries : Path
        `queries.json` of an earlier choice, beside its GeoJSON files; it need not be there.
    sheet : Path
        The sheet that would be written.

    Raises
    ------
    ConfigError
        With every GeoJSON file and sheet that is not as it was written.
    """
    written = _written(queries)
    files = [*_area_files(queries.parent), *([sheet] if sheet.exists() else [])]
    changed = [file.name for file in files if written.get(file.name) != sha256_of(file)]
    if changed:
        listed = f"{', '.join(changed[:5])}{f' and {len(changed) - 5} more' if len(changed) > 5 else ''}"
        remedy = "labels may lie there, and nothing was written over: give another --out"
        raise ConfigError((f"{queries.parent} holds {listed}, not as `train next` wrote it; {remedy}",))


def written_files(folder: Path, sheet: Path) -> dict[str, str]:
    """Digest what was written, by name, for `refuse_labelled`."""
    return {file.name: sha256_of(file) for file in sorted([*_area_files(folder), sheet])}


def _area_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob(f"*{_CELL_FILE}"), *folder.glob(f"*{_TILE_FILE}")])


def _written(queries: Path) -> dict[str, str]:
    try:
        return read_document(queries, QueriesDoc).files
    except ArtefactError:  # nothing is known of the files then, and each is taken for a person's
        return {}


def write_query_areas(
    folder: Path, images: Iterable[MeasuredImage], cells: Iterable[CellQuery], tiles: Iterable[TileQuery]
) -> list[MeasuredImage]:
    """Write what is asked of each image; return the images that anything is asked of."""
    by_image: dict[str, list[CellQuery]] = defaultdict(list)
    tiles_of: dict[str, list[TileQuery]] = defaultdict(list)
    for query in cells:
        by_image[query.image_id].append(query)
    for tile in tiles:
        tiles_of[tile.image_id].append(tile)
    asked = [image for image in images if image.row.image_id in by_image or image.row.image_id in tiles_of]
    for image in asked:
        name = image.row.image_id
        wanted = {query.cell_id: query for query in by_image[name]}
        drawn = read_cells(image.cells, image.folder / "ihc_contours.parquet")
        rings = {cell.cell_id: cell.cell_xy for cell in drawn if cell.cell_id in wanted}
        areas = [_cell_area(query, rings[query.cell_id]) for query in by_image[name]]
        write_areas(folder / f"{name}{_CELL_FILE}", areas, image_sha256=f"{image.sha256}/next")
        squares = [_tile_area(tile) for tile in tiles_of[name]]
        write_areas(folder / f"{name}{_TILE_FILE}", squares, image_sha256=f"{image.sha256}/next_tile")
    return asked


def _cell_area(query: CellQuery, ring: npt.NDArray[np.float64]) -> QuPathArea:
    first, second = query.likely
    name = f"{query.rank}: {first} or {second}?"
    return QuPathArea(None, shapely.Polygon(ring), {"Uncertainty": query.uncertainty}, name)


def _tile_area(tile: TileQuery) -> QuPathArea:
    square = shapely.box(tile.x_px0, tile.y_px0, tile.x_px0 + tile.size_px0, tile.y_px0 + tile.size_px0)
    name = f"tile {tile.rank}: {tile.cells} tumour cells"
    return QuPathArea(None, square, {"Uncertainty": tile.uncertainty}, name)


def write_query_sheet(sheet: Path, folder: Path, images: Iterable[MeasuredImage]) -> None:
    """Write the rows that `train dataset` reads once a person has given the cells their classes."""
    lines = ["\t".join(_COLUMNS)]
    for image in images:
        row = image.row
        labels = folder / f"{row.image_id}{_CELL_FILE}"
        paths = [os.path.relpath(path, sheet.parent).replace(os.sep, "/") for path in (row.path[0], labels)]
        lines.append("\t".join([paths[0], "cells", paths[1], f"{image.mpp!r}", row.case_id, "", "", ""]))
    write_text(sheet, "\n".join(lines) + "\n")
