"""Tiles, blocks, hot spots, quality findings and drawn regions of a slide, as areas of its level 0."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from her2path.errors import ArtefactError
from her2path.io.case_sheet import ImageRow
from her2path.io.drawn_areas import read_drawn_areas
from her2path.io.files import artefact_name, sha256_of
from her2path.io.geojson import Json, read_features
from her2path.io.hot_spot_areas import outline_of
from her2path.io.research_slide import MeasuredSlide
from her2path.io.spatialdata_store import Areas
from her2path.io.tables import IHC_BLOCKS, TILES, read_table

_MOST_BYTES = 64 * 2**20
_NO_CLASS = "none"


def areas_of(found: MeasuredSlide) -> dict[str, Areas]:
    """Read what the results know of the areas of a slide, by the name of their element."""
    return {
        "tiles": _tiles(found),
        "blocks": _blocks(found),
        "hot_spots": _hot_spots(found),
        "quality_areas": _quality_areas(found.path("areas")),
    }


def regions_of(found: MeasuredSlide, row: ImageRow | None) -> dict[str, Areas]:
    """Read the regions that were drawn for a slide, in the files that its sheet names and as edits.

    The results hold of a region file no more than its digest, so without the sheet (None) regions are
    left out where it names any.

    Raises
    ------
    ArtefactError
        A file was changed since the slide was measured.
    RegionError
        A file is missing or broken.
    """
    if row is None and (found.sheet.has_tumour_roi or found.sheet.has_exclude_roi):
        return {}
    files = {name: None if row is None else getattr(row, name) for name in ("tumour_roi", "exclude_roi")}
    for name, path in files.items():
        _check(found, name, path)
    drawn = read_drawn_areas(
        files["tumour_roi"], files["exclude_roi"], found.edits, image_id=found.sheet.image_id
    )
    controls = [*drawn.controls, *drawn.added_controls]
    regions = {
        "tumour_regions": [] if drawn.tumour is None else list(drawn.tumour.geoms),
        "left_out_regions": [] if drawn.left_out is None else list(drawn.left_out.geoms),
        "control_regions": controls,
    }
    return {name: _numbered(polygons) for name, polygons in regions.items()}


def _check(found: MeasuredSlide, column: str, path: Path | None) -> None:
    if path is not None and not path.is_file():
        return  # whoever reads it says that it is missing
    if found.inputs.get(column) != (None if path is None else sha256_of(path)):
        name = f"{column} of {found.sheet.image_id}"
        raise ArtefactError(name, "was changed since the slide was measured", "run her2path again")


def _numbered(polygons: list[Any]) -> Areas:
    return Areas(_objects(polygons), {"number": np.arange(1, len(polygons) + 1)})


def _objects(polygons: list[Any]) -> npt.NDArray[np.object_]:
    found = np.empty(len(polygons), object)
    found[:] = polygons
    return found


def _tiles(found: MeasuredSlide) -> Areas:
    table = read_table(found.path("tiles"), TILES)
    names = ("tile_id", "x_px0", "y_px0", "width", "height", "target_mpp", "tissue_frac")
    tile_id, x, y, width, height, mpp, tissue = (table[name].to_numpy() for name in names)
    scale = mpp / found.slide.mpp
    polygons = np.atleast_1d(shapely.box(x, y, x + width * scale, y + height * scale))
    return Areas(polygons, {"tile_id": tile_id, "tissue_frac": tissue})


def _blocks(found: MeasuredSlide) -> Areas:
    table = read_table(found.path("blocks"), IHC_BLOCKS)
    x, y, size_um = (table[name].to_numpy() for name in ("x_px0", "y_px0", "size_um"))
    size = size_um / found.slide.mpp
    told = [name for name in IHC_BLOCKS.names if name not in {"x_px0", "y_px0", "size_um"}]
    polygons = np.atleast_1d(shapely.box(x, y, x + size, y + size))
    return Areas(polygons, {name: table[name].to_numpy() for name in told})


def _hot_spots(found: MeasuredSlide) -> Areas:
    spots = found.score.hot_spots
    size_px0 = found.slide.width_px0, found.slide.height_px0
    polygons = [outline_of(spot, size_px0) for spot in spots]
    columns: Mapping[str, Any] = {
        "rank": np.arange(1, len(spots) + 1),
        "cells": [spot.cells for spot in spots],
        "deciding_pct": [spot.pct for spot in spots],
        "h_score": [spot.h_score for spot in spots],
    }
    return Areas(_objects(polygons), columns)


def _quality_areas(path: Path) -> Areas:
    polygons, kinds = [], []
    for feature in read_features(path, name=artefact_name(path), max_bytes=_MOST_BYTES):
        try:
            polygons.append(shapely.geometry.shape(feature["geometry"]))  # type: ignore[index,call-overload]
            kinds.append(_class(feature))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ArtefactError(artefact_name(path), "holds an area that cannot be read") from error
    return Areas(_objects(polygons), {"class": kinds})


def _class(feature: Json) -> str:
    properties = feature["properties"] if isinstance(feature, dict) else None
    kind = properties.get("classification") if isinstance(properties, dict) else None
    return str(kind["name"]) if isinstance(kind, dict) else _NO_CLASS
