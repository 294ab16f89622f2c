"""The IHC steps of one image in a row, as Snakemake would call them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.steps import ihc_cells, ihc_score, slide_intake, slide_quality, slide_tiles


def artefacts(folder: Path) -> SimpleNamespace:
    """Paths of all files that the IHC steps write for one image."""
    return SimpleNamespace(**{key: folder / name for key, name in IHC_FILES.items()})


def prepare(image: Path, folder: Path, *, mpp: float | None = None, tile_px: int = 2048, **row: object):
    """Run intake, quality and tiles."""
    at = artefacts(folder)
    sheet = ImageRow(case_id="case", image_id=folder.name, assay="ihc", path=(image,), mpp=mpp, **row)
    files = [image]
    slide_intake.run(image=files, row=sheet, slide=at.slide, params=slide_intake.SlideIntakeParams())
    slide_quality.run(
        image=files,
        slide=at.slide,
        quality=at.quality,
        tissue=at.tissue,
        artefacts=at.artefacts,
        areas=at.areas,
        picture=at.picture,
        params=slide_quality.SlideQualityParams(),
    )
    slide_tiles.run(
        slide=at.slide,
        quality=at.quality,
        tissue=at.tissue,
        tumour_roi=sheet.tumour_roi,
        exclude_roi=sheet.exclude_roi,
        tiles=at.tiles,
        params=slide_tiles.SlideTilesParams(tile_px=tile_px),
    )
    return at, sheet


def find_cells(
    image: Path,
    at: SimpleNamespace,
    sheet: ImageRow,
    *,
    workers: int = 1,
    block_px: int = 1024,
    model: str | None = None,
) -> None:
    """Run ihc_cells."""
    ihc_cells.run(
        image=[image],
        slide=at.slide,
        quality=at.quality,
        tissue=at.tissue,
        artefacts=at.artefacts,
        tiles=at.tiles,
        tumour_roi=sheet.tumour_roi,
        exclude_roi=sheet.exclude_roi,
        cells=at.cells,
        contours=at.contours,
        workers=workers,
        params=ihc_cells.IhcCellsParams(block_px=block_px, model=model),
    )


def score(image: Path, at: SimpleNamespace) -> None:
    """Run ihc_score."""
    ihc_score.run(
        image=[image],
        slide=at.slide,
        quality=at.quality,
        cells=at.cells,
        contours=at.contours,
        score=at.score,
        geojson=at.geojson,
        overlay=at.overlay,
        controls=at.controls,
        blocks=at.blocks,
        heterogeneity=at.heterogeneity,
        spots=at.spots,
        crops=at.crops,
        params=ihc_score.IhcScoreParams(),
    )
