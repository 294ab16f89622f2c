"""Step `train_next`: choose cells and tiles that a person should label next, and write them for QuPath."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import shapely
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay
from her2path.domain.guideline.registry import guideline_ids
from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.errors import ArtefactError
from her2path.imaging.ihc.calibration_facts import calibration_of
from her2path.io.case_sheet import ImageRow, read_case_sheet
from her2path.io.dataset_documents import item_path, read_dataset
from her2path.io.documents import SlideDoc, read_document, required, write_document
from her2path.io.files import write_text
from her2path.io.labels import read_labels
from her2path.io.provenance import digests, producer
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.query_documents import CellQuery, QueriesDoc, TileQuery
from her2path.io.qupath_cells import read_cells
from her2path.io.tables import IHC_CELLS, facts_of, not_evaluable_of, open_table

log = logging.getLogger(__name__)

_FEATURES = (
    "membrane_completeness",
    "membrane_excess_od_um",
    "membrane_contrast_od",
    "cytoplasm_od",
    "nucleus_od",
    "nucleus_area_um2",
    "cell_area_um2",
)
"""What makes two cells unlike each other."""
_COLUMNS = ("image", "kind", "labels", "mpp", "patient_id", "source", "licence", "slide_id")
_SCORES = tuple(IhcScore)
_CELLS = "ihc_cells.parquet"
_CELL_FILE, _TILE_FILE = ".cells.geojson", ".tiles.geojson"
_DIGITS = 6
Floats = npt.NDArray[np.float64]


class TrainNextParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cells: Annotated[int, Ge(0), Le(5000)] = 100
    """Cells to ask for, over all images."""
    tiles: Annotated[int, Ge(0), Le(500)] = 8
    """Tiles to ask for, over all images."""
    tile_um: Annotated[float, Gt(0), Le(2000)] = 128.0
    """Edge of a tile."""


@dataclass(frozen=True, slots=True)
class _Image:
    """Scored tumour cells of one image that have no label yet."""

    row: ImageRow
    folder: Path
    mpp: float
    sha256: str
    cell_id: npt.NDArray[np.int64]
    places: Floats
    """Shape (n, 2), level-0 pixels, x first."""
    features: Floats
    chances: Floats
    labelled: int


def run(
    *, results: Path, cases: Path, dataset: Path | None, sheet: Path, queries: Path, params: TrainNextParams
) -> None:
    """Write `queries.json`, two GeoJSON files an image beside it, and a sheet for `train dataset`."""
    known = _labelled(dataset)
    images, left_out = [], {}
    for row in read_case_sheet(cases, guidelines=guideline_ids()).rows:
        folder = results / "images" / row.image_id
        if row.assay is not Assay.IHC:
            continue
        if why := _why_none(folder):
            left_out[row.image_id] = why
        else:
            images.append(_read(row, folder, known))
    pool = _Pool(tuple(images))
    cells, tiles = pool.cell_queries(params.cells), pool.tile_queries(params.tiles, params.tile_um)
    asked = _write_geojson(queries.parent, images, cells, tiles)
    _write_sheet(sheet, queries.parent, asked)
    write_document(
        queries,
        QueriesDoc(
            produced_by=producer("train_next", params),
            inputs=digests(**{image.row.image_id: image.folder / _CELLS for image in images}),
            images=tuple(image.row.image_id for image in images),
            candidates=len(pool.uncertainty),
            labelled=sum(image.labelled for image in images),
            left_out=left_out,
            cells=cells,
            tiles=tiles,
        ),
    )
    log.info("%d cells and %d tiles to label, of %d cells", len(cells), len(tiles), len(pool.uncertainty))


class _Pool:
    """The cells of all images together, from which queries are chosen."""

    def __init__(self, images: tuple[_Image, ...]) -> None:
        from her2path.training.queries import uncertainty_of  # noqa: PLC0415  (as in `_read`)

        self.images = images
        self.owner = np.repeat(np.arange(len(images)), [len(image.cell_id) for image in images])
        self.own = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(i.cell_id)) for i in images)])
        self.features = np.concatenate([np.zeros((0, len(_FEATURES))), *(i.features for i in images)])
        self.chances = np.concatenate([np.zeros((0, len(_SCORES))), *(i.chances for i in images)])
        self.uncertainty = uncertainty_of(self.chances)

    def cell_queries(self, number: int) -> tuple[CellQuery, ...]:
        from her2path.training.queries import rank_queries  # noqa: PLC0415  (as in `_read`)

        found = []
        for rank, k in enumerate(rank_queries(self.uncertainty, self.features, number=number), start=1):
            image, own = self.images[self.owner[k]], int(self.own[k])
            second, first = np.argsort(self.chances[k], kind="stable")[-2:]
            x, y = image.places[own].tolist()
            found.append(
                CellQuery(
                    rank=rank,
                    image_id=image.row.image_id,
                    cell_id=int(image.cell_id[own]),
                    x_px0=x,
                    y_px0=y,
                    likely=(_SCORES[first], _SCORES[second]),
                    uncertainty=round(float(self.uncertainty[k]), _DIGITS),
                )
            )
        return tuple(found)

    def tile_queries(self, number: int, tile_um: float) -> tuple[TileQuery, ...]:
        from her2path.training.queries import rank_queries, tile_candidates  # noqa: PLC0415  (as in `_read`)

        sizes = [tile_um / image.mpp for image in self.images]
        grids = [np.floor(image.places / size) for image, size in zip(self.images, sizes, strict=True)]
        places = np.concatenate([np.zeros((0, 2)), *grids]).astype(np.int64)
        named, tile = np.unique(np.column_stack([self.owner, places]), axis=0, return_inverse=True)
        found = tile_candidates(tile.ravel(), self.uncertainty, self.features)
        queries = []
        for rank, k in enumerate(rank_queries(found.uncertainty, found.features, number=number), start=1):
            owner, column, line = named[found.number[k]].tolist()
            queries.append(
                TileQuery(
                    rank=rank,
                    image_id=self.images[owner].row.image_id,
                    x_px0=round(column * sizes[owner], _DIGITS),
                    y_px0=round(line * sizes[owner], _DIGITS),
                    size_px0=round(sizes[owner], _DIGITS),
                    cells=int(found.cells[k]),
                    uncertainty=round(float(found.uncertainty[k]), _DIGITS),
                )
            )
        return tuple(queries)


def _why_none(folder: Path) -> str:
    """Say why an image has no cells to ask about; empty where it has."""
    if not (folder / _CELLS).is_file():
        return "it was not measured; run the case sheet first"
    why = not_evaluable_of(folder / _CELLS)
    return "" if why is None else why.reason


def _read(row: ImageRow, folder: Path, known: Mapping[str, Sequence[shapely.Polygon]]) -> _Image:
    """Read the scored tumour cells of an image and drop those that have a label."""
    # SciPy takes half a second to load, and every step's parameters are loaded together.
    from her2path.training.scorer import MeasuredCells, Scorer  # noqa: PLC0415

    slide = folder / "slide.json"
    facts = required(read_document(slide, SlideDoc).result, slide)
    with open_table(folder / _CELLS, IHC_CELLS) as file:
        columns = ["cell_id", "x_px0", "y_px0", "control", "exclusion", *_FEATURES]
        table = file.read(columns=columns)
    table = table.filter(pc.and_(pc.is_null(table["exclusion"]), pc.is_null(table["control"])))
    places = np.column_stack([table[name].to_numpy() for name in ("x_px0", "y_px0")])
    features = np.column_stack([table[name].to_numpy().astype(np.float64) for name in _FEATURES])
    sha256 = facts.files[0].sha256
    labelled = _within(places, known.get(sha256, ()))
    try:
        scorer = Scorer(calibration_of(facts_of(folder / _CELLS)))
    except ValueError as error:
        raise ArtefactError(f"{row.image_id}/{_CELLS}", str(error)) from error
    features = features[~labelled]
    return _Image(
        row=row,
        folder=folder,
        mpp=facts.mpp,
        sha256=sha256,
        cell_id=table["cell_id"].to_numpy()[~labelled],
        places=places[~labelled],
        features=features,
        chances=scorer.chances(MeasuredCells(features[:, 0], features[:, 1])),
        labelled=int(labelled.sum()),
    )


def _within(places: Floats, outlines: Sequence[shapely.Polygon]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(places), np.bool_)
    if outlines:
        inside[shapely.STRtree(shapely.points(places)).query(outlines, predicate="contains")[1]] = True
    return inside


def _labelled(manifest: Path | None) -> dict[str, list[shapely.Polygon]]:
    """Outlines of cells that have a label, by the digest of their image."""
    found: dict[str, list[shapely.Polygon]] = defaultdict(list)
    if manifest is None:
        return found
    dataset = read_dataset(manifest)
    for item in dataset.items:
        if item.kind == "cells" and item.labels is not None:
            drawn = read_labels(item_path(manifest, item.labels), name=item.labels, renamed=dataset.renamed)
            found[item.image_sha256] += [c.outline for c in drawn.cells if c.kind is not LabelClass.IGNORE]
    return found


def _write_geojson(
    folder: Path, images: Iterable[_Image], cells: Iterable[CellQuery], tiles: Iterable[TileQuery]
) -> list[_Image]:
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
        drawn = read_cells(image.folder / _CELLS, image.folder / "ihc_contours.parquet")
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


def _write_sheet(sheet: Path, folder: Path, images: Iterable[_Image]) -> None:
    """Write the rows that `train dataset` reads once a person has given the cells their classes."""
    lines = ["\t".join(_COLUMNS)]
    for image in images:
        row = image.row
        labels = folder / f"{row.image_id}{_CELL_FILE}"
        paths = [os.path.relpath(path, sheet.parent).replace(os.sep, "/") for path in (row.path[0], labels)]
        lines.append("\t".join([paths[0], "cells", paths[1], f"{image.mpp!r}", row.case_id, "", "", ""]))
    write_text(sheet, "\n".join(lines) + "\n")
