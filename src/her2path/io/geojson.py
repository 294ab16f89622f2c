"""Regions drawn in QuPath, read from GeoJSON (cells go out through `her2path.io.qupath_cells`).

Coordinates are level-0 pixels with the origin at the top left, as QuPath writes them.  A region whose
outline crosses itself is refused, not repaired: the usual repair (`make_valid`) can turn the inside
out, and which cells count as tumour is not for a reader to guess.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import shapely
from shapely.geometry.base import BaseGeometry

from her2path.domain.ihc import IhcScore
from her2path.errors import RegionError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Regions: TypeAlias = shapely.MultiPolygon
"""All regions of a file as one geometry in level-0 pixels."""

_NOT_AREAS = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString"})
_NOT_REGIONS = frozenset({"cell", "detection", "tile"})
"""QuPath objects that are measurements, not drawn regions; an export of everything holds them too."""
_MAX_BYTES = 512 * 2**20
"""Largest region file that is read; drawn regions take kilobytes, exported cells are no regions."""


def read_regions(path: Path, *, name: str) -> Regions:
    """Read the areas of a GeoJSON file and unite them.

    A FeatureCollection, a single Feature, a bare geometry and a list of features are accepted;
    points, lines, cells and detections are left out; overlapping regions count once.

    Parameters
    ----------
    path : Path
        GeoJSON file as exported by QuPath.
    name : str
        Name of the file for messages.

    Returns
    -------
    MultiPolygon
        Level-0 pixels.

    Raises
    ------
    RegionError
        The file is missing, no GeoJSON, holds a broken polygon, or holds no area at all.
    """
    polygons: list[BaseGeometry] = []
    for number, feature in enumerate(_features(_load(path, name), name), start=1):
        polygons += polygons_of(feature, number, name)
    if not polygons:
        raise RegionError(name, "it holds no polygon, so it selects nothing")
    return _united(polygons)


def _united(polygons: Sequence[BaseGeometry]) -> Regions:
    united = shapely.union_all(polygons)
    return united if isinstance(united, shapely.MultiPolygon) else shapely.MultiPolygon([united])


@dataclass(frozen=True, slots=True)
class DrawnControl:
    """Control tissue that a person drew."""

    regions: Regions
    """Level-0 pixels."""
    expected: IhcScore | None
    """The score that it should have; None = not stated."""


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What a person drew to be left out of the score."""

    left_out: Regions | None
    """Neither scored nor looked at otherwise; None = all regions are control tissue."""
    controls: tuple[DrawnControl, ...]
    """Scored on its own, in the order of the file."""


def read_exclusions(path: Path, *, name: str) -> Exclusions:
    """Read regions to leave out, and tell control tissue among them by its class or name.

    A region of the QuPath class (or with the name) ``Control`` is control tissue;
    ``Control: 3+``, QuPath's derived class, states its expected score.  Capitals do not matter.

    Raises
    ------
    RegionError
        As by `read_regions`; what follows ``Control:`` is no score; or two controls overlap, so
        that a cell would speak for both.
    """
    left_out: list[BaseGeometry] = []
    controls: list[DrawnControl] = []
    for number, feature in enumerate(_features(_load(path, name), name), start=1):
        polygons = polygons_of(feature, number, name)
        label = _control_label(feature)
        if label is None:
            left_out += polygons
        elif polygons:
            controls.append(DrawnControl(_united(polygons), _expected(label, number, name)))
    if not left_out and not controls:
        raise RegionError(name, "it holds no polygon, so it selects nothing")
    for one, other in combinations(controls, 2):
        if shapely.area(shapely.intersection(one.regions, other.regions)) > 0:
            near = _corner(other.regions)
            raise RegionError(name, f"two control regions overlap near {near}; draw each by itself")
    return Exclusions(_united(left_out) if left_out else None, tuple(controls))


_NUMBER = re.compile(r"\d{1,3}\+?")
_CONTROL = re.compile(r"\s*control\s*(?::\s*(.*?))?\s*", re.IGNORECASE)


def _control_label(feature: Json) -> str | None:
    """Return what follows ``Control:`` in the class or name of a feature; None if it is no control."""
    for words in _labels(feature):
        if found := _CONTROL.fullmatch(words):
            return found[1] or ""
    return None


def _labels(feature: Json) -> Sequence[str]:
    """Give class and name of a feature: `name` since QuPath 0.2, `names` of a derived class since 0.5."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return ()
    kind = properties.get("classification")
    found = [kind.get("name"), properties.get("name")] if isinstance(kind, dict) else [properties.get("name")]
    names = kind.get("names") if isinstance(kind, dict) else None
    if isinstance(names, list):
        found.insert(0, ": ".join(part for part in names if isinstance(part, str)))
    # A class says more than a name, and `Control: 3+` more than `Control`.
    labels = [words for words in found if isinstance(words, str)]
    return sorted(labels, key=lambda words: ":" not in words)


def _expected(label: str, number: int, name: str) -> IhcScore | None:
    if not label:
        return None
    if label not in tuple(IhcScore):
        raise RegionError(name, f"feature {number} is {unscored_control(label)}")
    return IhcScore(label)


def unscored_control(label: str) -> str:
    """Say that what follows ``Control:`` is no score; words, which may name somebody, are not repeated.

    Examples
    --------
    >>> unscored_control("4+")
    "control tissue of score '4+'; use 0, 1+, 2+, 3+"
    >>> unscored_control("tonsil of A. Byron")
    'control tissue with words that are no score; use 0, 1+, 2+, 3+'
    """
    stated = f"of score {label!r}" if _NUMBER.fullmatch(label) else "with words that are no score"
    return f"control tissue {stated}; use {', '.join(IhcScore)}"


def read_features(path: Path, *, name: str, max_bytes: int) -> Sequence[Json]:
    """Read the features of a GeoJSON file as they are, however they are bundled.

    Raises
    ------
    RegionError
        The file is missing, larger than `max_bytes`, or no GeoJSON.
    """
    return _features(_load(path, name, max_bytes), name)


def _load(path: Path, name: str, max_bytes: int = _MAX_BYTES) -> Json:
    try:
        if path.stat().st_size > max_bytes:
            limit = f"it is larger than {max_bytes >> 20} MB"
            raise RegionError(name, f"{limit}; export only what you drew, not all cells")
        data: Json = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise RegionError(name, "the file was not found") from error
    except OSError as error:
        raise RegionError(name, f"the file cannot be opened: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # also what is not UTF-8
        raise RegionError(name, "it is not JSON (empty, cut off, or another kind of file)") from error
    return data


def _features(data: Json, name: str) -> Sequence[Json]:
    if isinstance(data, list):
        return data
    if isinstance(data, dict):
        features = data.get("features")
        if data.get("type") == "FeatureCollection" and isinstance(features, list):
            return features
        if data.get("type") == "GeometryCollection" and isinstance(data.get("geometries"), list):
            return [data]
        if isinstance(data.get("type"), str):
            return [data]
    raise RegionError(name, "it is JSON, but not GeoJSON")


def polygons_of(feature: Json, number: int, name: str) -> list[BaseGeometry]:
    """Give the areas of a feature; none of points, lines, cells and tiles.

    Raises
    ------
    RegionError
        An outline is broken or has no area; `number` and `name` tell which feature of which file.
    """
    if _object_type(feature) in _NOT_REGIONS:
        return []
    geometry = feature.get("geometry") if isinstance(feature, dict) and "geometry" in feature else feature
    if not isinstance(geometry, dict):
        raise RegionError(name, f"feature {number} has no geometry")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        parts = members if isinstance(members, list) else []
        return [polygon for part in parts for polygon in polygons_of(part, number, name)]
    if kind in _NOT_AREAS:
        return []
    coordinates = geometry.get("coordinates")
    if kind == "Polygon":
        return [_polygon(coordinates, number, name)]
    if kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        united = [_polygon(rings, number, name) for rings in coordinates]
        return [shapely.union_all(united)]
    found = kind[:30] if isinstance(kind, str) else kind.__class__.__name__
    raise RegionError(name, f"feature {number} is of kind {found!r}, which is no region")


def _object_type(feature: Json) -> Json:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return None
    return properties.get("objectType", properties.get("object_type"))  # the second until QuPath 0.3


def _polygon(rings: Json, number: int, name: str) -> BaseGeometry:
    if not isinstance(rings, list) or not rings:
        raise RegionError(name, f"feature {number} has no coordinates")
    outer, *holes = (_ring(ring, number, name) for ring in rings)
    polygon = shapely.Polygon(outer, holes)
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon).split("[")[0].strip().lower()
        where = f"feature {number} is broken ({reason}) near {_corner(polygon)}"
        raise RegionError(name, f"{where}; draw that region anew without crossing lines")
    if polygon.area <= 0:
        raise RegionError(name, f"feature {number} has no area")
    return polygon


def _ring(ring: Json, number: int, name: str) -> list[tuple[float, float]]:
    points = []
    for point in ring if isinstance(ring, list) else []:
        pair = point[:2] if isinstance(point, list) else []
        if len(pair) != 2 or not all(_is_coordinate(value) for value in pair):
            raise RegionError(name, f"feature {number} has a point that is not a pair of numbers")
        points.append((float(pair[0]), float(pair[1])))  # type: ignore[arg-type]  # checked just above
    if len(set(points)) < 3:
        raise RegionError(name, f"feature {number} has fewer than three different points")
    return points


def _is_coordinate(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _corner(polygon: BaseGeometry) -> str:
    left, top, _, _ = polygon.bounds
    return f"x {left:.0f}, y {top:.0f}"
