"""Export the cells of one measured slide as AnnData or SpatialData."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from her2path.domain.guideline.registry import find_guideline, guideline_ids
from her2path.errors import ConfigError
from her2path.io.anndata_table import to_anndata, write_anndata
from her2path.io.case_sheet import ImageRow, read_case_sheet
from her2path.io.qupath_cells import scheme_of
from her2path.io.research_cells import read_research_cells
from her2path.io.research_slide import MeasuredSlide, find_slide, provenance
from her2path.io.slide_areas import areas_of, regions_of
from her2path.io.slide_picture import read_picture
from her2path.io.spatialdata_store import SlideSpace, write_spatialdata

if TYPE_CHECKING:
    from anndata import AnnData


def export_anndata(results: Path, image_id: str, out: Path, *, overwrite: bool) -> str:
    """Write the table of a slide; say what was written."""
    _check(out, (".h5ad", ".zarr"), ("anndata",))
    found = find_slide(results, image_id)
    table = _table(found)
    with _refusing(out):
        write_anndata(table, out, overwrite=overwrite)
    return f"{out}: {table.n_obs} cells with {table.n_vars} measures"


def export_spatialdata(
    results: Path, image_id: str, out: Path, *, sheet: Path | None, overwrite: bool
) -> str:
    """Write a slide with its outlines, regions and tiles; say what was written."""
    _check(out, (".zarr",), ("anndata", "spatialdata"))
    found = find_slide(results, image_id)
    areas = areas_of(found) | regions_of(found, None if sheet is None else _row(sheet, image_id))
    space = SlideSpace(_table(found), found.path("contours"), found.slide.mpp, areas, read_picture(found))
    with _refusing(out):
        written = write_spatialdata(space, out, overwrite=overwrite)
    counts = [f"{count} {name}" for name, count in written.items()]
    counts += [
        f"{len(some.polygons)} {name.replace('_', ' ')}" for name, some in areas.items() if len(some.polygons)
    ]
    picture = "" if space.picture is None else "; with the picture of the slide"
    return f"{out}: {space.table.n_obs} rows, {', '.join(counts)}{picture}"


def _table(found: MeasuredSlide) -> AnnData:
    slide, image_id = found.slide, found.sheet.image_id
    cells = read_research_cells(
        found.path("cells"),
        found.path("tiles"),
        found.score.hot_spots,
        slide_mpp=slide.mpp,
        scheme=scheme_of(find_guideline(found.sheet.guideline)),
        edited=found.edits.cells,
    )
    return to_anndata(cells, image_id=image_id, mpp=slide.mpp, uns=provenance(found))


def _row(sheet: Path, image_id: str) -> ImageRow:
    rows = {row.image_id: row for row in read_case_sheet(sheet, guidelines=guideline_ids()).rows}
    if image_id not in rows:
        raise ConfigError((f"--cases: the sheet has no image {image_id!r}; give the sheet of this run",))
    return rows[image_id]


def _check(out: Path, suffixes: Sequence[str], libraries: Sequence[str]) -> None:
    """Refuse at once what would fail after a slide was read."""
    if out.suffix not in suffixes:
        raise ConfigError((f"--out: {out.name!r} should end in {' or '.join(suffixes)}",))
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        raise ConfigError((f"{what}; they come with: pip install 'her2path[spatial]'",))


@contextmanager
def _refusing(out: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        remedy = "give another name, or --overwrite for an earlier export"
        raise ConfigError((f"--out: there is something named {out.name!r} already; {remedy}",)) from error
