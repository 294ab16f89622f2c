"""Step `slide_tiles`: cut the tissue to be measured into tiles on the working grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.geometry import Tile, tile_grid, working_downsample, working_size
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.control_areas import locate_controls
from her2path.imaging.regions import region_mask
from her2path.imaging.tissue_pieces import find_pieces
from her2path.io.documents import QualityDoc, SheetFacts, SlideDoc, SlideResult, read_document
from her2path.io.geojson import Exclusions, Regions, read_exclusions, read_regions
from her2path.io.masks import read_mask
from her2path.io.provenance import producer
from her2path.io.tables import TILES, write_table


class SlideTilesParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    target_mpp: Annotated[float, Ge(0.2), Le(1.1)] = 0.5
    """Working pixel size in µm: a membrane of 1 µm covers two pixels.  A slide that is coarser is
    worked at its own pixel size; one within 2 % of a whole multiple is worked at that multiple."""
    tile_px: Annotated[int, Ge(256), Le(8192)] = 2048
    """Edge of a tile's core in working pixels: 12 MB of RGB, so that a step's memory stays small."""


def run(
    *,
    slide: Path,
    quality: Path,
    tissue: Path,
    tumour_roi: Path | None,
    exclude_roi: Path | None,
    tiles: Path,
    params: SlideTilesParams,
) -> None:
    """Write the tiles whose core holds tissue of the tumour regions, or control tissue."""
    document = read_document(slide, SlideDoc)
    result, found = document.result, read_document(quality, QualityDoc).result
    if result is None or found is None:
        raise ValueError("slide_tiles needs the results of slide_intake and slide_quality")
    sheet, mask_px0 = document.sheet, found.mask_mpp / result.mpp
    mask = _tissue(tissue, result, mask_px0)
    drawn = None
    if exclude_roi is not None:
        drawn = read_exclusions(exclude_roi, name=f"exclude_roi of {sheet.image_id}")
    control = _control(mask, sheet, drawn, found.mask_mpp, mask_px0)
    own = mask & ~control
    if tumour_roi is not None:
        own &= _rasterised(
            read_regions(tumour_roi, name=f"tumour_roi of {sheet.image_id}"), mask.shape, mask_px0
        )
    if drawn is not None and drawn.left_out is not None:
        left_out = _rasterised(drawn.left_out, mask.shape, mask_px0)
        own, control = own & ~left_out, control & ~left_out
    if not own.any():
        where = "within the regions" if tumour_roi or exclude_roi else "on it"
        detail = f"no tissue was found {where}; look at the image and its regions in QuPath"
        raise UnsuitableImageError(sheet.image_id, detail, code="no_tissue")
    _write(tiles, result, params, own | control, mask_px0)


def _control(
    mask: npt.NDArray[np.bool_], sheet: SheetFacts, drawn: Exclusions | None, mpp: float, mask_px0: float
) -> npt.NDArray[np.bool_]:
    """Find the control tissue, which is measured wherever the tumour was drawn."""
    areas = locate_controls(
        find_pieces(mask, mpp=mpp),
        named=sheet.control_piece,
        drawn=[control.regions for control in drawn.controls] if drawn is not None else [],
        px0_per_px=mask_px0,
    )
    if isinstance(areas, NotEvaluable):
        raise UnsuitableImageError(sheet.image_id, areas.reason, code=areas.code)
    return areas.mask()


def _tissue(path: Path, slide: SlideResult, mask_px0: float) -> npt.NDArray[np.bool_]:
    mask = read_mask(path)
    for pixels, edge in zip(mask.shape, (slide.height_px0, slide.width_px0), strict=True):
        if abs(pixels - edge / mask_px0) > 1.5:
            raise ArtefactError(path.name, f"a mask of {mask.shape} pixels does not cover this slide")
    return mask


def _rasterised(regions: Regions, shape: tuple[int, ...], mask_px0: float) -> npt.NDArray[np.bool_]:
    return region_mask(regions, shape=(shape[0], shape[1]), px0_per_px=mask_px0)


def _write(
    path: Path, slide: SlideResult, params: SlideTilesParams, mask: npt.NDArray[np.bool_], mask_px0: float
) -> None:
    downsample = working_downsample(slide.mpp, params.target_mpp)
    target_mpp = downsample * slide.mpp
    size = working_size((slide.width_px0, slide.height_px0), downsample)
    kept = list(_with_tissue(tile_grid(size, params.tile_px), mask, downsample / mask_px0))
    rows = [tile for tile, _ in kept]
    with write_table(path, TILES, produced_by=producer("slide_tiles", params)) as table:
        table.append(
            {
                "tile_id": list(range(len(rows))),
                "row": [tile.row for tile in rows],
                "col": [tile.col for tile in rows],
                "height": [tile.height for tile in rows],
                "width": [tile.width for tile in rows],
                "target_mpp": [target_mpp] * len(rows),
                "x_px0": [tile.col * downsample for tile in rows],
                "y_px0": [tile.row * downsample for tile in rows],
                "tissue_frac": [frac for _, frac in kept],
            }
        )


def _with_tissue(
    tiles: Iterator[Tile], mask: npt.NDArray[np.bool_], scale: float
) -> Iterator[tuple[Tile, float]]:
    """Give the tiles that touch the mask, whose pixels are 1 / `scale` working pixels wide."""
    for tile in tiles:
        top, left = math.floor(tile.row * scale), math.floor(tile.col * scale)
        bottom = max(math.ceil((tile.row + tile.height) * scale), top + 1)
        right = max(math.ceil((tile.col + tile.width) * scale), left + 1)
        part = mask[top:bottom, left:right]
        if part.any():
            yield tile, float(part.sum() / ((bottom - top) * (right - left)))
