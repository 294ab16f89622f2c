"""Areas of a slide as QuPath annotations: GeoJSON with one polygon and one class each.

Coordinates are level-0 pixels rounded to 0.1.  Identifiers are made from the image's digest and the
area's number, so that the same slide gives the same file.  `her2path.io.geojson.read_regions` reads
the file back, so that it can serve as regions to leave out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from her2path.io.files import write_text
from her2path.io.qupath_cells import CellClass

_NAMESPACE = uuid.UUID("0b7c8a4e-3f55-5d0e-9a53-5b1d3f6f6c21")
"""Namespace of the areas' identifiers; changing it changes every written file."""


@dataclass(frozen=True, slots=True)
class QuPathArea:
    """One annotation as it appears in QuPath."""

    kind: CellClass | None
    """None = a person is to give it one."""
    polygon: shapely.Polygon
    """Level-0 pixels."""
    measurements: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    """Shown in QuPath's list of annotations."""
    is_locked: bool = False
    """Whether QuPath keeps it from being moved by mistake: what was measured is not to be redrawn."""


def write_areas(path: Path, areas: Iterable[QuPathArea], *, image_sha256: str, layer: str = "") -> None:
    """Write areas as a GeoJSON FeatureCollection, whole or not at all.

    Files of one image that QuPath may hold together need each its own `layer`, which keeps their
    identifiers apart.
    """
    features = [
        _feature(area, area_identifier(image_sha256, number, layer=layer))
        for number, area in enumerate(areas, start=1)
    ]
    body = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    write_text(path, f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n')


def area_identifier(image_sha256: str, number: int, *, layer: str = "") -> str:
    """Name an area of an image by its number, from 1; the same image and number give the same name."""
    stem = f"{image_sha256}/{layer}/" if layer else f"{image_sha256}/"
    return str(uuid.uuid5(_NAMESPACE, f"{stem}{number}"))


def _feature(area: QuPathArea, identifier: str) -> dict[str, object]:
    rings = [area.polygon.exterior, *area.polygon.interiors]
    coordinates = [[[round(x, 1), round(y, 1)] for x, y in ring.coords] for ring in rings]
    properties: dict[str, object] = {"objectType": "annotation"}
    if area.name:
        properties["name"] = area.name
    if area.kind is not None:
        properties["classification"] = {"name": area.kind.name, "color": list(area.kind.rgb)}
    if area.is_locked:
        properties["isLocked"] = True
    properties["measurements"] = {key: round(value, 6) for key, value in area.measurements.items()}
    return {
        "type": "Feature",
        "id": identifier,
        "geometry": {"type": "Polygon", "coordinates": coordinates},
        "properties": properties,
    }
