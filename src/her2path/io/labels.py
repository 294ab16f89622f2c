"""Labels that a person drew in QuPath, as outlines with a class, in level-0 pixels.

Which objects are cells: QuPath's cells and detections; annotations too where the file holds neither,
as people draw single cells by hand.  All other annotations are areas.  An annotation of the class
``Region*`` bounds an area in which every cell is labelled.  A cell without class is one of which
nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from her2path.domain.label_classes import LabelClass, label_class
from her2path.errors import LabelError, RegionError
from her2path.io.geojson import Json, read_features

WHOLLY_LABELLED = "region*"
_CELLS = ("cell", "detection")
_MAX_BYTES = 128 * 2**20
"""Largest file that is read: a third of a million outlined cells, more than anybody labels."""
_MENDED = 0.05
"""Share of its area by which mending may change an outline that crosses itself."""
_FARTHEST_PX = 1e7
"""Beyond any image; the largest scans have 200 000 pixels along an edge."""


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """One labelled cell."""

    kind: LabelClass
    """`IGNORE` where it was given no class."""
    outline: shapely.Polygon
    nucleus: shapely.Polygon | None
    feature: int = 0
    """Its place in the file, from 1."""


@dataclass(frozen=True, slots=True)
class DrawnLabels:
    """All labels of one file."""

    cells: tuple[DrawnCell, ...]
    regions: tuple[tuple[LabelClass, BaseGeometry], ...]
    """Areas with their class, polygons and multipolygons."""
    wholly: BaseGeometry | None
    """Where every cell is labelled; None where no such area was drawn."""
    left_out: Mapping[str, int]
    """What was not read, in words, with its number."""

    def counts(self) -> dict[str, int]:
        """Count labels by class, those that say nothing left out."""
        kinds = [cell.kind for cell in self.cells] + [kind for kind, _ in self.regions]
        found: Counter[LabelClass] = Counter(kind for kind in kinds if kind is not LabelClass.IGNORE)
        return {kind.value: found[kind] for kind in LabelClass if found[kind]}


def read_labels(
    path: Path, *, name: str, renamed: Mapping[str, LabelClass] | None = None, hand_drawn_cells: bool = True
) -> DrawnLabels:
    """Read the labels of a GeoJSON file.

    Parameters
    ----------
    path : Path
    name : str
        Name of the file for messages.
    renamed : mapping of str to LabelClass, optional
        Classes of names that another project uses.
    hand_drawn_cells : bool
        Whether annotations are cells where the file holds no cell and no detection.

    Raises
    ------
    LabelError
        The file is missing or no GeoJSON, an outline is broken, a class is unknown, or nothing is labelled.
    """
    try:
        features = read_features(path, name=name, max_bytes=_MAX_BYTES)
    except RegionError as error:
        raise LabelError(name, error.detail) from error
    reader = _Reader(name, {key.strip().lower(): kind for key, kind in (renamed or {}).items()})
    cells_by_hand = hand_drawn_cells and not any(_object_type(feature) in _CELLS for feature in features)
    for number, feature in enumerate(features, start=1):
        reader.take(number, feature, cells_by_hand=cells_by_hand)
    return reader.labels()


class _Reader:
    def __init__(self, name: str, renamed: Mapping[str, LabelClass]) -> None:
        self.name = name
        self.renamed = renamed
        self.cells: list[DrawnCell] = []
        self.regions: list[tuple[LabelClass, BaseGeometry]] = []
        self.wholly: list[BaseGeometry] = []
        self.left_out: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    def take(self, number: int, feature: Json, *, cells_by_hand: bool) -> None:
        kind, words = _object_type(feature), _class_name(feature)
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if kind in {"tile", "root"} or not isinstance(geometry, dict):
            self.left_out["objects without an outline"] += 1
            return
        if not _holds_polygon(geometry):
            self.left_out["points and lines"] += 1
            return
        area = self._geometry(f"feature {number}", geometry)
        if words.lower() == WHOLLY_LABELLED:
            self.wholly.append(area)
        elif kind in _CELLS or (cells_by_hand and kind in {"annotation", None}):
            self._cell(number, feature, area, words)
        elif not words:
            self.left_out["annotations without a class"] += 1
        else:
            self.regions.append((self._class(words), area))

    def _cell(self, number: int, feature: Json, area: BaseGeometry, words: str) -> None:
        nucleus = feature.get("nucleusGeometry") if isinstance(feature, dict) else None
        whose = f"the nucleus of feature {number}"
        found = self._geometry(whose, nucleus) if isinstance(nucleus, dict) else None
        if not words:
            self.left_out["cells without a class, of which nothing is taught"] += 1
        kind = self._class(words) if words else LabelClass.IGNORE
        inner = None if found is None else _largest(found)
        self.cells.append(DrawnCell(kind, _largest(area), inner, number))

    def _class(self, words: str) -> LabelClass:
        found = self.renamed.get(words.lower()) or label_class(words)
        if found is None:
            self.unknown[words] += 1
            return LabelClass.IGNORE
        return found

    def _geometry(self, whose: str, geometry: Mapping[str, Json]) -> BaseGeometry:
        try:
            with np.errstate(invalid="ignore"):  # NaN is refused below
                area = shapely.geometry.shape(geometry)
        except (ValueError, TypeError, KeyError, LookupError, AttributeError, shapely.GEOSException) as error:
            raise LabelError(self.name, f"{whose} has no readable outline; export it again") from error
        if area.is_empty:
            raise LabelError(self.name, f"{whose} has an empty outline; draw it anew, or remove it")
        points = shapely.get_coordinates(area)
        if not (np.isfinite(points) & (np.abs(points) < _FARTHEST_PX)).all():
            detail = f"{whose} has a coordinate that is no place in an image (NaN, infinite or beyond 1e7)"
            raise LabelError(self.name, f"{detail}; draw it anew, or remove it")
        if area.geom_type == "GeometryCollection":
            area = shapely.union_all(_polygons(area))
        if area.is_valid and area.area > 0:
            return area
        mended = shapely.make_valid(area)
        if area.area <= 0 or abs(mended.area - area.area) > _MENDED * area.area:
            where = shapely.get_coordinates(area)[:1].round().tolist()
            detail = f"the outline of {whose} near {where} crosses itself or has no area"
            raise LabelError(self.name, f"{detail}; draw it anew")
        return mended

    def labels(self) -> DrawnLabels:
        if self.unknown:
            listed = ", ".join(f"{words!r} ({n})" for words, n in sorted(self.unknown.items())[:10])
            known = ", ".join(kind.value for kind in LabelClass)
            raise LabelError(
                self.name,
                f"unknown class {listed}; known are {known} and Region*: rename the class in QuPath, or say "
                "what it stands for with --classes MAP.yaml",
            )
        if not self.cells and not self.regions:
            points = self.left_out["points and lines"]
            why = f"; points and lines ({points}) have no outline (detect cells in QuPath)" if points else ""
            raise LabelError(self.name, f"holds no labelled cell or area{why}")
        wholly = shapely.union_all(self.wholly) if self.wholly else None
        return DrawnLabels(tuple(self.cells), tuple(self.regions), wholly, dict(+self.left_out))


def outside(labels: DrawnLabels, size_px0: tuple[int, int]) -> int:
    """Count outlines whose middle lies beyond the image: they belong to another one, or another scale."""
    width, height = size_px0
    shapes = [cell.outline for cell in labels.cells] + [area for _, area in labels.regions]
    points = shapely.get_coordinates(shapely.centroid(shapes))
    beyond = (points < 0).any(axis=1) | (points[:, 0] > width) | (points[:, 1] > height)
    return int(beyond.sum())


def _largest(area: BaseGeometry) -> shapely.Polygon:
    """Take the largest piece of an outline, without holes; QuPath's cells have one piece nearly always."""
    parts: Sequence[BaseGeometry] = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    if not parts:  # a collection within one, as mending leaves it
        parts = [p for part in shapely.get_parts(area) for p in shapely.get_parts(part) if p.area > 0]
    return shapely.Polygon(max(parts, key=lambda part: part.area).exterior)


def _holds_polygon(geometry: Mapping[str, Json]) -> bool:
    """Whether a geometry is a polygon, or a collection that holds one."""
    parts = geometry.get("geometries")
    if geometry.get("type") == "GeometryCollection" and isinstance(parts, list):
        return any(isinstance(part, dict) and _holds_polygon(part) for part in parts)
    return "Polygon" in str(geometry.get("type"))


def _polygons(collection: BaseGeometry) -> list[BaseGeometry]:
    """Take the polygons of a collection; its points and lines have no area."""
    parts = list(shapely.get_parts(collection))
    nested = [piece for part in parts if part.geom_type == "GeometryCollection" for piece in _polygons(part)]
    return nested + [part for part in parts if "Polygon" in part.geom_type]


def _object_type(feature: Json) -> str | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    found = (
        properties.get("objectType", properties.get("object_type")) if isinstance(properties, dict) else None
    )
    return found if isinstance(found, str) else None


def _class_name(feature: Json) -> str:
    """Read the class: a name, or since QuPath 0.5 the names of a derived class; empty where there is none."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    kind = properties.get("classification") if isinstance(properties, dict) else None
    if isinstance(kind, str):
        return kind.strip()
    if not isinstance(kind, dict):
        return ""
    names = kind.get("names")
    if isinstance(names, list) and names:
        return ": ".join(part.strip() for part in names if isinstance(part, str))
    name = kind.get("name")
    return name.strip() if isinstance(name, str) else ""
