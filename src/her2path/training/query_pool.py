"""Scored tumour cells of a run that have no label yet, and those of them that a person should label next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import shapely

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.errors import ArtefactError
from her2path.imaging.ihc.calibration_facts import calibration_of
from her2path.io.case_sheet import ImageRow
from her2path.io.dataset_documents import item_path, joint_sha256, read_dataset
from her2path.io.documents import SlideDoc, read_document, required
from her2path.io.labels import read_labels
from her2path.io.query_documents import CellQuery, TileQuery
from her2path.io.query_files import CELLS, MeasuredImage
from her2path.io.tables import IHC_CELLS, facts_of, not_evaluable_of, open_table
from her2path.training.queries import Floats, rank_queries, tile_candidates, uncertainty_of
from her2path.training.scorer import MeasuredCells, Scorer

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
_SCORES = tuple(IhcScore)
_DIGITS = 6
Outlines = Mapping[str, Sequence[shapely.Polygon]]
"""Of labelled cells in level-0 pixels, by the digest of their image."""


@dataclass(frozen=True, slots=True)
class UnlabelledCells:
    """Scored tumour cells of one image that have no label yet."""

    image: MeasuredImage
    cell_id: npt.NDArray[np.int64]
    places: Floats
    """Shape (n, 2), level-0 pixels, x first."""
    features: Floats
    chances: Floats
    labelled: int
    """Cells that were left out because they have a label."""


def labelled_outlines(manifest: Path | None) -> Outlines:
    """Read the outlines of the cells that a dataset has a label of; none without a dataset.

    Raises
    ------
    ArtefactError, LabelError
        The manifest or a file of labels cannot be read.
    """
    found: dict[str, list[shapely.Polygon]] = defaultdict(list)
    if manifest is None:
        return found
    dataset = read_dataset(manifest)
    for item in dataset.items:
        if item.kind == "cells" and item.labels is not None:
            drawn = read_labels(item_path(manifest, item.labels), name=item.labels, renamed=dataset.renamed)
            found[item.image_sha256] += [c.outline for c in drawn.cells if c.kind is not LabelClass.IGNORE]
    return found


def why_left_out(folder: Path) -> str:
    """Say why the results of an image hold no cells to ask about; empty where they do."""
    cells = folder / CELLS
    if not cells.is_file():
        return "it was not measured; run the case sheet first"
    why = not_evaluable_of(cells)
    return "" if why is None else why.reason


def read_unlabelled(row: ImageRow, folder: Path, known: Outlines) -> UnlabelledCells:
    """Read the scored tumour cells of an image and drop those that have a label.

    Parameters
    ----------
    row : ImageRow
    folder : Path
        Results of the image, for which `why_left_out` is empty.
    known : mapping of str to sequence of Polygon
        See `labelled_outlines`.

    Raises
    ------
    ArtefactError
        The results cannot be understood.
    """
    slide = folder / "slide.json"
    facts = required(read_document(slide, SlideDoc).result, slide)
    image = MeasuredImage(row, folder, facts.mpp, joint_sha256([file.sha256 for file in facts.files]))
    with open_table(image.cells, IHC_CELLS) as file:
        columns = ["cell_id", "x_px0", "y_px0", "control", "exclusion", *_FEATURES]
        table = file.read(columns=columns)
    table = table.filter(pc.and_(pc.is_null(table["exclusion"]), pc.is_null(table["control"])))
    places = np.column_stack([table[name].to_numpy() for name in ("x_px0", "y_px0")])
    features = np.column_stack([table[name].to_numpy().astype(np.float64) for name in _FEATURES])
    labelled = _within(places, known.get(image.sha256, ()))
    try:
        scorer = Scorer(calibration_of(facts_of(image.cells)))
    except ValueError as error:
        raise ArtefactError(f"{row.image_id}/{CELLS}", str(error)) from error
    features = features[~labelled]
    return UnlabelledCells(
        image=image,
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


class QueryPool:
    """The cells of all images together, from which queries are chosen."""

    def __init__(self, images: Sequence[UnlabelledCells]) -> None:
        self.images = images
        self.owner = np.repeat(np.arange(len(images)), [len(cells.cell_id) for cells in images])
        self.own = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(i.cell_id)) for i in images)])
        self.features = np.concatenate([np.zeros((0, len(_FEATURES))), *(i.features for i in images)])
        self.chances = np.concatenate([np.zeros((0, len(_SCORES))), *(i.chances for i in images)])
        self.uncertainty = uncertainty_of(self.chances)

    def cell_queries(self, number: int) -> tuple[CellQuery, ...]:
        """Choose cells, the most useful first."""
        found = []
        for rank, k in enumerate(rank_queries(self.uncertainty, self.features, number=number), start=1):
            found_in, own = self.images[self.owner[k]], int(self.own[k])
            second, first = np.argsort(self.chances[k], kind="stable")[-2:]
            x, y = found_in.places[own].tolist()
            found.append(
                CellQuery(
                    rank=rank,
                    image_id=found_in.image.row.image_id,
                    cell_id=int(found_in.cell_id[own]),
                    x_px0=x,
                    y_px0=y,
                    likely=(_SCORES[first], _SCORES[second]),
                    uncertainty=round(float(self.uncertainty[k]), _DIGITS),
                )
            )
        return tuple(found)

    def tile_queries(self, number: int, tile_um: float) -> tuple[TileQuery, ...]:
        """Choose squares of the grid that begins at each image's first pixel, the most useful first."""
        sizes = [tile_um / cells.image.mpp for cells in self.images]
        grids = [np.floor(cells.places / size) for cells, size in zip(self.images, sizes, strict=True)]
        places = np.concatenate([np.zeros((0, 2)), *grids]).astype(np.int64)
        named, tile = np.unique(np.column_stack([self.owner, places]), axis=0, return_inverse=True)
        found = tile_candidates(tile.ravel(), self.uncertainty, self.features)
        queries = []
        for rank, k in enumerate(rank_queries(found.uncertainty, found.features, number=number), start=1):
            owner, column, line = named[found.number[k]].tolist()
            queries.append(
                TileQuery(
                    rank=rank,
                    image_id=self.images[owner].image.row.image_id,
                    x_px0=round(column * sizes[owner], _DIGITS),
                    y_px0=round(line * sizes[owner], _DIGITS),
                    size_px0=round(sizes[owner], _DIGITS),
                    cells=int(found.cells[k]),
                    uncertainty=round(float(found.uncertainty[k]), _DIGITS),
                )
            )
        return tuple(queries)
