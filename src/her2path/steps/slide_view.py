"""Step slide_view: an IHC slide as a small pyramid that a page can hold, with its hot spots."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.imaging.tile_pyramid import TILE_PX, Rgb, Tile, TileLevel, cut_tiles, plan_levels
from her2path.io.documents import SlideDoc, read_document
from her2path.io.geojson import read_exclusions, read_regions
from her2path.io.hot_spot_areas import SpotPlace, read_hot_spots
from her2path.io.slide_view_file import ShownArea, SlideView, ViewLevel, ViewSpot, encode_jpeg, write_view
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox
from her2path.reports.shown_areas import region_area

log = logging.getLogger(__name__)

_QUALITIES = (82, 72, 60)
"""Of JPEG, the best first: at 60 membranes still stand out against the cytoplasm; below it, blocks do."""

_REGION_UM = 2.0
"""How far the outline of a region may run beside the drawn one."""


class SlideViewParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    finest_mpp: Annotated[float, Ge(0.1), Le(4)] = 0.25
    """Finest pixel (µm) that is shown: 40x, beyond which a light microscope shows no more."""
    most_px: Annotated[int, Ge(250_000), Le(100_000_000)] = 9_000_000
    """Most pixels of the whole slide at its finest: larger slides are shown more coarsely, apart from
    their hot spots."""
    most_bytes: Annotated[int, Ge(100_000)] = 1_800_000
    """Most bytes of all tiles: the quality of the JPEG falls first, then the finest level is left out."""
    spots_bytes: Annotated[int, Ge(100_000)] = 800_000
    """Most bytes of the hot spots together; only the quality of their JPEG falls to meet it."""


def run(
    *,
    image: list[Path],
    slide: Path,
    spots: Path,
    view: Path,
    tumour_roi: Path | None = None,
    exclude_roi: Path | None = None,
    params: SlideViewParams,
) -> None:
    """Write `view.tif`: each pixel of the slide is read once for the pyramid, in blocks."""
    document = read_document(slide, SlideDoc)
    if document.result is None:
        raise ValueError("slide_view needs the result of slide_intake")
    sha256 = document.result.files[0].sha256
    places = read_hot_spots(spots, image_sha256=sha256)
    regions = _regions(tumour_roi, exclude_roi, tolerance=_REGION_UM / document.result.mpp)
    with open_slide(image[0], name=document.sheet.image_id) as source:
        finest = max(1.0, params.finest_mpp / document.result.mpp)
        levels = plan_levels(source.size_px0, finest_downsample=finest, most_px=params.most_px)
        found = SlideView(
            levels=_pyramid(source, levels, most_bytes=params.most_bytes),
            spots=_spots(source, places, downsample=finest, most_bytes=params.spots_bytes),
            regions=regions,
            slide_sha256=sha256,
        )
    write_view(view, found, mpp=document.result.mpp)
    log.info(
        "view of %d x %d px at %.2f µm, %.1f MB, and %d hot spots",
        found.levels[0].width,
        found.levels[0].height,
        found.levels[0].downsample * document.result.mpp,
        found.size_bytes / 1e6,
        len(found.spots),
    )


def _regions(tumour_roi: Path | None, exclude_roi: Path | None, *, tolerance: float) -> tuple[ShownArea, ...]:
    """Read the regions of the case sheet under QuPath's names of their classes."""
    found = []
    if tumour_roi is not None:
        found.append(("Tumor", read_regions(tumour_roi, name="tumour_roi")))
    if exclude_roi is not None:
        drawn = read_exclusions(exclude_roi, name="exclude_roi")
        found += [] if drawn.left_out is None else [("Ignore*", drawn.left_out)]
        found += [("Control", control.regions) for control in drawn.controls]
    return tuple(region_area(kind, regions, tolerance=tolerance) for kind, regions in found)


def _pyramid(source: SlideSource, levels: tuple[TileLevel, ...], *, most_bytes: int) -> tuple[ViewLevel, ...]:
    """Encode all tiles in each quality while their pixels are at hand, and keep the best that fits."""
    encoded: defaultdict[int, dict[tuple[int, int, int], bytes]] = defaultdict(dict)

    def read(row: int, column: int, side: int) -> Rgb:
        return source.read(WorkingBox(row, column, side, side), downsample=levels[0].downsample)

    def keep(tile: Tile) -> None:
        for quality in _QUALITIES:
            where = tile.level, tile.row, tile.column
            encoded[quality][where] = encode_jpeg(tile.rgb, quality=quality)

    cut_tiles(levels, read, keep)
    for first in range(len(levels)):
        for quality in _QUALITIES:
            kept = [
                _view_level(level, number, encoded[quality])
                for number, level in enumerate(levels)
                if number >= first
            ]
            if sum(len(tile) for level in kept for tile in level.tiles) <= most_bytes:
                return tuple(kept)
    return (_view_level(levels[-1], len(levels) - 1, encoded[_QUALITIES[-1]]),)


def _view_level(level: TileLevel, number: int, tiles: dict[tuple[int, int, int], bytes]) -> ViewLevel:
    ordered = [tiles[number, row, column] for row in range(level.rows) for column in range(level.columns)]
    return ViewLevel(level.downsample, level.width, level.height, TILE_PX, tuple(ordered))


def _spots(
    source: SlideSource, places: tuple[SpotPlace, ...], *, downsample: float, most_bytes: int
) -> tuple[ViewSpot, ...]:
    """Read every hot spot as finely as it is shown, in the best quality that fits for all of them."""
    boxes = [_box(place, downsample) for place in places]
    pixels = [source.read(box, downsample=downsample) for box in boxes]
    encoded: list[bytes] = []
    for quality in _QUALITIES:
        encoded = [encode_jpeg(rgb, quality=quality) for rgb in pixels]
        if sum(map(len, encoded)) <= most_bytes:
            break
    return tuple(
        ViewSpot(box.col * downsample, box.row * downsample, downsample, box.width, box.height, jpeg)
        for box, jpeg in zip(boxes, encoded, strict=True)
    )


def _box(place: SpotPlace, downsample: float) -> WorkingBox:
    side = round(place.size_px0 / downsample)
    return WorkingBox(round(place.y_px0 / downsample), round(place.x_px0 / downsample), side, side)
