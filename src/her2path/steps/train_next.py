"""Step `train_next`: choose cells and tiles that a person should label next, and write them for QuPath."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

log = logging.getLogger(__name__)


class TrainNextParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cells: Annotated[int, Ge(0), Le(5000)] = 100
    """Cells to ask for, over all images."""
    tiles: Annotated[int, Ge(0), Le(500)] = 8
    """Tiles to ask for, over all images."""
    tile_um: Annotated[float, Gt(0), Le(2000)] = 128.0
    """Edge of a tile."""


def run(
    *, results: Path, cases: Path, dataset: Path | None, sheet: Path, queries: Path, params: TrainNextParams
) -> None:
    """Write `queries.json`, two GeoJSON files an image beside it, and a sheet for `train dataset`.

    A folder in which a person has labelled since is refused, so that no label is lost.
    """
    # Shapely, SciPy and PyArrow take a second to load, and every step's parameters are loaded together.
    from her2path.domain.case import Assay  # noqa: PLC0415
    from her2path.domain.guideline.registry import guideline_ids  # noqa: PLC0415
    from her2path.io.case_sheet import read_case_sheet  # noqa: PLC0415
    from her2path.io.documents import write_document  # noqa: PLC0415
    from her2path.io.provenance import digests, producer  # noqa: PLC0415
    from her2path.io.query_documents import QueriesDoc  # noqa: PLC0415
    from her2path.io.query_files import (  # noqa: PLC0415
        refuse_labelled,
        write_query_areas,
        write_query_sheet,
        written_files,
    )
    from her2path.training.query_pool import (  # noqa: PLC0415
        QueryPool,
        labelled_outlines,
        read_unlabelled,
        why_left_out,
    )

    refuse_labelled(queries, sheet)
    known = labelled_outlines(dataset)
    found, left_out = [], {}
    for row in read_case_sheet(cases, guidelines=guideline_ids()).rows:
        folder = results / "images" / row.image_id
        if row.assay is not Assay.IHC:
            continue
        if why := why_left_out(folder):
            left_out[row.image_id] = why
        else:
            found.append(read_unlabelled(row, folder, known))
    pool = QueryPool(found)
    cells, tiles = pool.cell_queries(params.cells), pool.tile_queries(params.tiles, params.tile_um)
    images = [one.image for one in found]
    asked = write_query_areas(queries.parent, images, cells, tiles)
    write_query_sheet(sheet, queries.parent, asked)
    write_document(
        queries,
        QueriesDoc(
            produced_by=producer("train_next", params),
            inputs=digests(**{image.row.image_id: image.cells for image in images}),
            images=tuple(image.row.image_id for image in images),
            candidates=len(pool.uncertainty),
            labelled=sum(one.labelled for one in found),
            left_out=left_out,
            cells=cells,
            tiles=tiles,
            files=written_files(queries.parent, sheet),
        ),
    )
    log.info("%d cells and %d tiles to label, of %d cells", len(cells), len(tiles), len(pool.uncertainty))
