"""A slide as SpatialData: outlines, regions, tiles and picture in one space, the table annotating the cells.

`spatialdata` lays out the store and writes everything of it but the outlines of cells and nuclei.  Those
are written as a stream of GeoParquet into the places it has made, because two million polygons as Python
objects take gigabytes.  All shapes are in level-0 pixels (coordinate system ``global``); ``um`` is the
same in µm.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from her2path.errors import ArtefactError
from her2path.io.files import artefact_name, replacing_folder
from her2path.io.geo_parquet import write_polygons
from her2path.io.research_cells import polygons_of
from her2path.io.tables import IHC_CONTOURS, open_table

if TYPE_CHECKING:
    from anndata import AnnData
    from spatialdata import SpatialData

_BATCH = 16_384
_OUTLINES = {"cells": "cell_xy_px0", "nuclei": "nucleus_xy_px0"}
"""Columns of `ihc_contours` by the element that they become."""
GLOBAL, UM = "global", "um"
"""Coordinate systems: level-0 pixels, and µm from the same corner."""


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas of one kind, with what is known of each."""

    polygons: npt.NDArray[np.object_]
    """Polygons and multipolygons in level-0 pixels, shape (n,)."""
    columns: Mapping[str, Any]
    """By name, each of n."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The slide at a coarser pixel."""

    rgb: npt.NDArray[np.uint8]
    """Shape (M, N, 3)."""
    downsample: float
    """Level-0 pixels per pixel."""


@dataclass(frozen=True, slots=True)
class SlideSpace:
    """All that is exported of a slide."""

    table: AnnData
    contours: Path
    mpp: float
    areas: Mapping[str, Areas]
    """By the name of their element; empty ones are left out."""
    picture: Picture | None = None


def write_spatialdata(space: SlideSpace, path: Path, *, overwrite: bool = False) -> dict[str, int]:
    """Write a slide as a SpatialData store, whole or not at all.

    Returns
    -------
    dict
        Outlines written by element (``cells``, ``nuclei``); cells without one are in the table alone.

    Raises
    ------
    FileExistsError
        There is something of this name, and it may not be replaced.
    ArtefactError
        The outlines are not those of the table's cells.
    """
    with (
        replacing_folder(path, mark="zarr.json", overwrite=overwrite) as folder,
        warnings.catch_warnings(),
    ):
        # What the libraries tell each other (old calls, consolidated metadata) is nothing to act on here.
        for category in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.simplefilter("ignore", category)
        _laid_out(space).write(folder)
        written = {}
        for element, column in _OUTLINES.items():
            place = folder / "shapes" / element / "shapes.parquet"
            if place.is_file():
                ids = space.table.obs["cell_id"].to_numpy()
                written[element] = write_polygons(place, _outlines(space.contours, column, ids))
        return written


def _laid_out(space: SlideSpace) -> SpatialData:
    """Build the store with one outline an element, which is replaced by all of them."""
    # Optional, and they take two seconds to load.
    from spatialdata import SpatialData  # noqa: PLC0415
    from spatialdata.models import Image2DModel, TableModel  # noqa: PLC0415
    from spatialdata.transformations import Identity, Scale, Sequence  # noqa: PLC0415

    um = Scale([space.mpp, space.mpp], axes=("x", "y"))
    places = {GLOBAL: Identity(), UM: um}
    ids = space.table.obs["cell_id"].to_numpy()
    shapes = {}
    for element, column in _OUTLINES.items():
        first = next(_outlines(space.contours, column, ids), None)
        if first is not None:
            shapes[element] = _shapes(Areas(first[1][:1], {"cell_id": first[0][:1]}), places, index="cell_id")
    shapes |= {name: _shapes(areas, places) for name, areas in space.areas.items() if len(areas.polygons)}
    images = {}
    if space.picture is not None:
        scale = Scale([space.picture.downsample] * 2, axes=("x", "y"))
        images["slide"] = Image2DModel.parse(
            space.picture.rgb,
            dims=("y", "x", "c"),
            c_coords=["r", "g", "b"],
            scale_factors=_scale_factors(space.picture.rgb.shape),
            chunks=(3, 1024, 1024),
            transformations={GLOBAL: scale, UM: Sequence([scale, um])},
        )
    table = space.table
    if "cells" in shapes:
        table.obs["region"] = table.obs["image_id"].cat.rename_categories(["cells"])
        table = TableModel.parse(table, region="cells", region_key="region", instance_key="cell_id")
    return SpatialData(images=images, shapes=shapes, tables={"table": table})


def _scale_factors(shape: tuple[int, ...]) -> list[int]:
    """Halve a picture until a screen holds it."""
    return [2] * max(0, int(max(shape[:2]) / 512).bit_length())


def _shapes(areas: Areas, places: Mapping[str, Any], *, index: str | None = None) -> Any:
    from geopandas import GeoDataFrame  # noqa: PLC0415  (optional)
    from spatialdata.models import ShapesModel  # noqa: PLC0415

    frame = GeoDataFrame(dict(areas.columns), geometry=list(areas.polygons))
    if index is not None:
        frame = frame.set_index(index)
    return ShapesModel.parse(frame, transformations=dict(places))


def _outlines(
    contours: Path, column: str, cell_ids: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]]:
    """Give ids and polygons of cells batch by batch; those without an outline are left out."""
    start = 0
    with open_table(contours, IHC_CONTOURS) as table:
        if table.metadata.num_rows != len(cell_ids):
            raise ArtefactError(artefact_name(contours), "it holds other cells than the table of cells")
        for batch in table.iter_batches(_BATCH, columns=["cell_id", column]):
            ids = batch["cell_id"].to_numpy()
            if not np.array_equal(ids, cell_ids[start : start + len(ids)]):
                raise ArtefactError(artefact_name(contours), "it holds other cells than the table of cells")
            start += len(ids)
            polygons = polygons_of(batch[column], name=contours)
            drawn = polygons != None  # noqa: E711  (element by element)
            if drawn.any():
                yield ids[drawn], polygons[drawn]
