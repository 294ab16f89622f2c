"""Detections other than cells as QuPath shows them: tiles, nuclei and signals, written one by one.

Coordinates are level-0 pixels with edges at integers, rounded to 0.1, as everywhere in QuPath's files.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.io.files import replacing
from her2path.io.qupath_cells import CellClass

_NAMESPACE = uuid.UUID("4a1f7c63-8d8b-5a6e-9f0d-2f6d0d1c7b54")
"""Namespace of the detections' identifiers; changing it changes every written file."""


@dataclass(frozen=True, slots=True)
class QuPathDetection:
    """One outline with its measures."""

    xy_px0: npt.NDArray[np.float64]
    """Outline, shape (n, 2), first point not repeated."""
    measurements: Mapping[str, float | None] = field(default_factory=dict)
    """None and NaN are left out: not measured."""
    kind: CellClass | None = None
    object_type: Literal["tile", "detection"] = "detection"


def write_detections(
    path: Path, detections: Iterable[QuPathDetection], *, image_sha256: str, layer: str
) -> int:
    """Write detections as a GeoJSON FeatureCollection, whole or not at all; give their number.

    `layer` keeps the identifiers of two files of one image apart.
    """
    written = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for written, detection in enumerate(detections, start=1):
            identifier = uuid.uuid5(_NAMESPACE, f"{image_sha256}/{layer}/{written}")
            file.write(",\n" if written > 1 else "\n")
            json.dump(_feature(detection, identifier), file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n]}\n")
    return written


def _feature(detection: QuPathDetection, identifier: uuid.UUID) -> dict[str, object]:
    ring = [[round(x, 1), round(y, 1)] for x, y in detection.xy_px0.tolist()]
    properties: dict[str, object] = {"objectType": detection.object_type}
    if detection.kind is not None:
        properties["classification"] = {"name": detection.kind.name, "color": list(detection.kind.rgb)}
    properties["measurements"] = {
        name: round(value, 4)
        for name, value in detection.measurements.items()
        if value is not None and math.isfinite(value)
    }
    return {
        "type": "Feature",
        "id": str(identifier),
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": properties,
    }
