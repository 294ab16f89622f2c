"""Areas of a slide as its page draws them: tissue, artefacts, and regions that a person drew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from her2path.errors import ArtefactError
from her2path.io.files import artefact_name
from her2path.io.masks import read_mask
from her2path.io.slide_view_file import Ring, ShownArea

_MOST_CORNERS = 20_000
"""Of all areas of one kind: the outline of a speckled slide is drawn more coarsely beyond it."""


def tissue_area(mask: Path, *, size_px0: tuple[int, int]) -> ShownArea:
    """Outline the tissue of a slide of this width and height.

    Raises
    ------
    ArtefactError
        The mask is missing or no PNG.
    """
    tissue = read_mask(mask)
    px0 = max(size_px0[0] / tissue.shape[1], size_px0[1] / tissue.shape[0])
    found, _ = cv2.findContours(tissue.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # OpenCV runs through the middles of pixels.
    outlines = [(np.asarray(outline, np.float64)[:, 0] + 0.5) * px0 for outline in found]
    return ShownArea("tissue", _drawable(outlines, tolerance=px0))


def drawn_areas(geojson: Path, *, tolerance: float) -> tuple[ShownArea, ...]:
    """Read polygons by their class, from a file that her2path wrote.

    Parameters
    ----------
    geojson : Path
        ``quality.geojson`` or another file of annotations.
    tolerance : float
        How far an outline may run beside the original (level-0 pixels).

    Raises
    ------
    ArtefactError
        The file is missing or no such file.
    """
    try:
        features = json.loads(geojson.read_text(encoding="utf-8"))["features"]
        found: dict[str, list[npt.NDArray[np.float64]]] = {}
        for feature in features:
            kind = feature["properties"].get("classification", {}).get("name", "")
            found.setdefault(kind, []).extend(_rings(feature["geometry"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        detail = f"holds no areas ({type(error).__name__})"
        raise ArtefactError(artefact_name(geojson), detail) from error
    return tuple(ShownArea(kind, _drawable(rings, tolerance=tolerance)) for kind, rings in found.items())


def region_area(kind: str, regions: shapely.MultiPolygon, *, tolerance: float) -> ShownArea:
    """Take regions that a person drew; `tolerance` as in `drawn_areas`."""
    rings = [ring for polygon in regions.geoms for ring in (polygon.exterior, *polygon.interiors)]
    outlines = [np.asarray(ring.coords, np.float64)[:-1, :2] for ring in rings]
    return ShownArea(kind, _drawable(outlines, tolerance=tolerance))


def _rings(geometry: Mapping[str, Any]) -> list[npt.NDArray[np.float64]]:
    several = geometry["type"] == "MultiPolygon"
    polygons = geometry["coordinates"] if several else [geometry["coordinates"]]
    return [np.asarray(ring, np.float64)[:-1, :2] for polygon in polygons for ring in polygon]


def _drawable(outlines: Sequence[npt.NDArray[np.float64]], *, tolerance: float) -> tuple[Ring, ...]:
    """Leave out corners that nobody would see, more of them where there are too many."""
    while True:
        kept = [
            cv2.approxPolyDP(outline.astype(np.float32)[:, None], tolerance, closed=True)[:, 0]
            for outline in outlines
        ]
        kept = [ring for ring in kept if len(ring) >= 3]
        if sum(map(len, kept)) <= _MOST_CORNERS:
            break
        tolerance *= 2
    return tuple(tuple((round(float(x)), round(float(y))) for x, y in ring) for ring in kept)
