"""Hot spots as QuPath annotations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from her2path.errors import ArtefactError
from her2path.io.files import artefact_name
from her2path.io.quality_areas import QuPathArea, area_identifier, write_areas
from her2path.io.qupath_cells import CellClass
from her2path.io.score_entries import HotSpotEntry

HOT_SPOT = CellClass("HER2 hot spot", (230, 0, 230))
_LAYER = "hotspots"


@dataclass(frozen=True, slots=True)
class SpotPlace:
    """Where a hot spot lies on level 0: the square that holds all of it that lies on the slide."""

    x_px0: float
    y_px0: float
    size_px0: float


def write_hot_spots(
    path: Path, spots: Sequence[HotSpotEntry], *, image_sha256: str, size_px0: tuple[int, int]
) -> None:
    """Write hot spots in their order, each with its rank and numbers, whole or not at all.

    `size_px0` is the slide's width and height.
    """
    areas = [_area(spot, rank, size_px0) for rank, spot in enumerate(spots, start=1)]
    write_areas(path, areas, image_sha256=image_sha256, layer=_LAYER)


def outline_of(spot: HotSpotEntry, size_px0: tuple[int, int]) -> shapely.Polygon:
    """Outline the part of a hot spot that lies on a slide of a width and height.

    The window over the cells may reach beyond the edge, where there are none.
    """
    right = min(spot.x_px0 + spot.size_px0, size_px0[0])
    bottom = min(spot.y_px0 + spot.size_px0, size_px0[1])
    return shapely.box(spot.x_px0, spot.y_px0, right, bottom)


def _area(spot: HotSpotEntry, rank: int, size_px0: tuple[int, int]) -> QuPathArea:
    measurements = {
        "Rank": float(rank),
        "Cells": float(spot.cells),
        "Deciding cells %": spot.pct,
        "H-score": spot.h_score,
    }
    outline = outline_of(spot, size_px0)
    return QuPathArea(HOT_SPOT, outline, measurements, name=f"Hot spot {rank}", is_locked=True)


def read_hot_spots(path: Path, *, image_sha256: str) -> tuple[SpotPlace, ...]:
    """Read where the hot spots lie, in their order; none where the slide has no score.

    Raises
    ------
    ArtefactError
        The file is missing, no file of `write_hot_spots`, or of another image.
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        rings = [feature["geometry"]["coordinates"][0] for feature in features]
        places = tuple(_place(ring) for ring in rings)
        found = [str(feature["id"]) for feature in features]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        detail = f"holds no hot spots ({type(error).__name__})"
        raise ArtefactError(artefact_name(path), detail) from error
    if found != [area_identifier(image_sha256, rank, layer=_LAYER) for rank in range(1, len(found) + 1)]:
        raise ArtefactError(artefact_name(path), "is of another image")
    return places


def _place(ring: Sequence[Sequence[float]]) -> SpotPlace:
    left, top = (min(float(point[axis]) for point in ring) for axis in (0, 1))
    right, bottom = (max(float(point[axis]) for point in ring) for axis in (0, 1))
    return SpotPlace(left, top, max(right - left, bottom - top))
