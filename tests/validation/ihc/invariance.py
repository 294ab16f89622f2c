"""The same slide cut into other tiles and blocks and measured by other numbers of workers."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from her2path.cli import chain
from her2path.config import Config, parse_config
from her2path.domain.case import Assay
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.io import phantom_files
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, read_table
from tests.validation.ihc.reading import Her2Path
from tests.validation.ihc.slides import MIXES, ValidationSlide, make_slide
from tests.validation.measures import Measure

FIRST = 400
SLIDES = (
    ("crisp", "2+", "plain", 0.25),
    ("violet", "3+ focal", "lifelike", 0.5),
    ("pale", "1+", "random", 0.5),
)
"""Style, mix, tissue and pixel size."""
CUTS = ((2048, 1024, 1), (2048, 1024, 2), (2048, 1024, 3), (512, 512, 2), (700, 300, 2), (333, 1024, 1))
"""Edge of tiles and of blocks in working pixels, and workers; the first is the reference."""


def slides(*, development: bool, count: int | None = None) -> list[ValidationSlide]:
    """Three slides that differ in style, staining and pixel size."""
    return [
        make_slide("invariance", mix, MIXES[mix], style, FIRST + n, tissue, development=development, mpp=mpp)
        for n, (style, mix, tissue, mpp) in enumerate(SLIDES[:count])
    ]


def rows(chosen: Sequence[ValidationSlide], method: Her2Path) -> list[Measure]:
    """Number of runs that differ from the reference of their slide."""
    faults, runs = [], 0
    for slide in chosen:
        phantom = render_ihc(slide.spec)
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "slide.tif"
            phantom_files.write_slide(file, phantom.rgb, mpp=slide.spec.mpp)
            reference = None
            for cut in CUTS:
                found = _content(file, Path(name) / "-".join(map(str, cut)), method.config, cut)
                reference = reference or found
                # The order and the numbers of the cells follow the tiles; all else is the cell's own.
                same = found == reference if cut[:2] == CUTS[0][:2] else found[1:] == reference[1:]
                runs += 1
                faults += [] if same else [f"{slide.name} at {cut}"]
    detail = "; ".join(faults) or (
        f"{runs} runs, tiles of {', '.join(sorted({str(c[0]) for c in CUTS}))} px, 1 to 3 workers"
    )
    name = "tables that differ with tiles or workers"
    return [
        Measure(name, f"{len(chosen)} slides", len(faults), threshold=0.0, direction="at most", detail=detail)
    ]


def _content(slide: Path, folder: Path, config: Config, cut: tuple[int, int, int]) -> tuple[str, str, str]:
    """SHA-256 of the tables as they stand, of the cells and of the outlines in the order of places."""
    tile_px, block_px, workers = cut
    cells_params = config.ihc_cells.model_dump(mode="json") | {"block_px": block_px}
    chosen = parse_config({"slide_tiles": {"tile_px": tile_px}, "ihc_cells": cells_params})
    row = ImageRow(case_id="c", image_id="i", assay=Assay.IHC, path=(slide,))
    if why := chain.run_image(row, folder, chosen, workers=workers):
        raise ValueError(f"a slide of the invariance test was refused: {why.reason}")
    image = folder / "images" / "i"
    cells = read_table(image / IHC_FILES["cells"], IHC_CELLS)
    outlines = read_table(image / IHC_FILES["contours"], IHC_CONTOURS)
    order = pc.sort_indices(cells, sort_keys=[("y_px0", "ascending"), ("x_px0", "ascending")])
    return (
        _sha256(cells) + _sha256(outlines),
        _sha256(cells.take(order).drop_columns("cell_id")),
        _sha256(outlines.take(order).drop_columns("cell_id")),
    )


def _sha256(table: pa.Table) -> str:
    rows_as_text = table.replace_schema_metadata(None).to_pylist()
    return hashlib.sha256(repr(rows_as_text).encode()).hexdigest()
