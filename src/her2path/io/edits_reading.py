"""A slide's edits from a QuPath export: checked against the slide, with all faults at once.

Cells are known by their identifiers, which are made of the slide's digest and the cell's number; what
a person changed is the class.  Annotations with a class are regions.  Everything else of an export of
the whole slide (hot spots, quality areas, tiles, points) is left aside and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from her2path.domain.edits import CellVerdict, cell_verdict
from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass, label_class
from her2path.domain.region_use import RegionUse
from her2path.errors import RegionError
from her2path.io.edits_disputes import disputed_cells
from her2path.io.edits_documents import CONTROL, DrawnRegion, GivenClass
from her2path.io.edits_faults import Faults
from her2path.io.edits_slide import EditableSlide
from her2path.io.geojson import Json, polygons_of, unscored_control
from her2path.io.geojson_stream import stream_features
from her2path.io.hot_spot_areas import HOT_SPOT
from her2path.io.qupath_objects import QuPathObject, object_of

UNKNOWN_CELL = "no cell of this slide's results; export only cells that her2path wrote"
_NEAR_PX0 = 1.0
"""By how much the middle of a nucleus may lie beyond its cell's outline, which is written to 0.1."""
_ON_SLIDE = 0.5
"""Share of a region that must lie on the slide; what a hand draws past the edge is cut off."""
_LEFT_OUT = frozenset({"exclude", "excluded"})
_CONTROL = re.compile(r"control\s*(?::\s*(.*))?", re.IGNORECASE)
_WHOLLY_LABELLED = "region*"


@dataclass(slots=True)
class Draft:
    """What a file says of a slide."""

    corrections: dict[int, GivenClass] = field(default_factory=dict)
    """Cells whose class is another one than measured, by number."""
    as_measured: set[int] = field(default_factory=set)
    """Cells that are stated to be as measured."""
    regions: list[DrawnRegion] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)
    """What was left aside, in words, with its number."""


def read_edits(
    path: Path, slide: EditableSlide, *, own_classes: Collection[str], tumour_use: RegionUse
) -> Draft | tuple[str, ...]:
    """Read an export.

    Parameters
    ----------
    path : Path
        GeoJSON, also compressed.
    slide : EditableSlide
        As measured.
    own_classes : collection of str
        Classes of annotations that her2path writes itself: findings of quality.  Drawn by a person they
        are regions to leave out.
    tumour_use : RegionUse
        Whether drawn tumour replaces that of the slide.

    Returns
    -------
    Draft or tuple of str
        All faults, in words.
    """
    reader = _Reader(slide, frozenset(name.lower() for name in own_classes), tumour_use)
    try:
        for number, feature in enumerate(stream_features(path, name=path.name), start=1):
            reader.take(number, feature)
    except RegionError as error:
        reader.faults.of_file(f"{path.name}: {error.detail}")
        return reader.faults.listed()
    reader.check_whole()
    return reader.faults.listed() if reader.faults else reader.draft


class _Reader:
    def __init__(self, slide: EditableSlide, own: frozenset[str], tumour_use: RegionUse) -> None:
        self.slide = slide
        self.tumour_use = tumour_use
        self.own = own
        self.draft = Draft()
        self.faults = Faults()
        self._first = np.zeros(len(slide) + 1, np.int64)
        """Feature in which each cell came first; 0 = not yet."""
        self._feature_of_region: list[int] = []
        self._cells = 0

    def take(self, number: int, feature: Json) -> None:
        found = object_of(feature)
        if found is None:
            self.faults.add(number, "no object of GeoJSON")
        elif found.kind in {"cell", "detection"}:
            self._cells += 1
            self._take_cell(number, found)
        elif found.kind == "annotation":
            self._take_region(number, found, feature)
        else:
            self.draft.notices["tiles and TMA cores"] += 1

    def _take_cell(self, number: int, found: QuPathObject) -> None:
        if found.identifier is None:
            self.faults.add(number, "a cell without an identifier; export with QuPath 0.4 or later")
            return
        cell_id = self.slide.cell_of(found.identifier)
        if cell_id is None:
            self.faults.add(number, UNKNOWN_CELL)
            return
        if self._first[cell_id]:
            self.faults.add(number, f"the same cell as feature {self._first[cell_id]}; keep one of them")
            return
        self._first[cell_id] = number
        x, y = float(self.slide.x_px0[cell_id - 1]), float(self.slide.y_px0[cell_id - 1])
        if not _holds(found.geometry, x, y):
            what = "not where the slide has this cell; it was moved, or exported from other results"
            self.faults.add(number, what)
            return
        self._class_cell(number, cell_id, found.words)

    def _class_cell(self, number: int, cell_id: int, words: str) -> None:
        measured = self.slide.classes[cell_id - 1].name
        if not words:
            self.draft.notices["cells without a class, which stay as measured"] += 1
            return
        if _spelt(words) == _spelt(measured):
            self.draft.as_measured.add(cell_id)
            return
        shown = measured if self.slide.shown is None else self.slide.shown[cell_id - 1].name
        if _spelt(words) == _spelt(shown):
            # Regions changed it, or the person before; whoever exported it left it alone.
            if cell_id not in self.slide.given:
                self.draft.as_measured.add(cell_id)
                return
            words = self.slide.given[cell_id]
        verdict = _verdict(words)
        if self.slide.control[cell_id - 1]:
            self.faults.add(number, "a cell of control tissue, whose class cannot be corrected")
        elif verdict is None:
            self.faults.add(number, _unknown(words))
        elif _is_measured(verdict, measured):
            self.draft.as_measured.add(cell_id)
        else:
            at = cell_id - 1
            self.draft.corrections[cell_id] = GivenClass(
                cell_id=cell_id,
                x_px0=float(self.slide.x_px0[at]),
                y_px0=float(self.slide.y_px0[at]),
                measured=measured,
                given=verdict.name,
            )

    def _take_region(self, number: int, found: QuPathObject, feature: Json) -> None:
        if (what := self._aside(found)) is not None:
            self.draft.notices[what] += 1
            return
        kind, area = self._kind(number, found.words), self._area(number, feature)
        if kind is not None and area is not None:
            self._feature_of_region.append(number)
            self.draft.regions.append(DrawnRegion(kind=kind[0], expected=kind[1], polygons=_rings(area)))

    def _aside(self, found: QuPathObject) -> str | None:
        """Say in words why an annotation is no edit; None if it is one."""
        lower = found.words.lower()
        # QuPath names what a person draws at random (version 4), her2path by what it is.
        by_program = found.identifier is not None and found.identifier.version == 5
        if lower == HOT_SPOT.name.lower() or (lower in self.own and by_program):
            return "hot spots and quality areas of her2path"
        return {"": "annotations without a class", _WHOLLY_LABELLED: "areas for training"}.get(lower)

    def _area(self, number: int, feature: Json) -> BaseGeometry | None:
        """Take the part of a region that lies on the slide; None where there is none."""
        try:
            area = shapely.union_all(polygons_of(feature, number, ""))
        except RegionError as error:
            self.faults.of_file(error.detail)
            return None
        if area.is_empty:
            self.draft.notices["points and lines"] += 1
            return None
        on_slide = shapely.intersection(area, shapely.box(0, 0, *self.slide.size_px0))
        if on_slide.area < _ON_SLIDE * area.area:
            width, height = self.slide.size_px0
            what = f"beyond the slide of {width} x {height} pixels"
            self.faults.add(number, f"{what}; it belongs to another slide, or to another scale of it")
            return None
        return on_slide

    def _kind(self, number: int, words: str) -> tuple[str, IhcScore | None] | None:
        """Tell what a region of a class does; None and a fault where that is not known."""
        if stated := _CONTROL.fullmatch(words.strip()):
            expected = (stated[1] or "").strip()
            score = {"negative": IhcScore.ZERO}.get(expected.lower()) or _SCORES.get(expected)
            if expected and score is None:
                self.faults.add(number, unscored_control(expected))
                return None
            return CONTROL, score
        if words.lower() in _LEFT_OUT | self.own:
            return LabelClass.IGNORE.value, None
        verdict = _verdict(words)
        if verdict is None or label_class(words) is None:
            self.faults.add(number, _unknown(words))
            return None
        if verdict.staining is not None:
            self.faults.add(number, f"a region of class {words!r}; scores are given to cells, so use Tumor")
            return None
        return verdict.name, None

    def check_whole(self) -> None:
        """Find what only the whole file shows."""
        unknown = self.faults.count(UNKNOWN_CELL)
        if unknown and unknown == self._cells:
            self.faults.drop(UNKNOWN_CELL)
            self.faults.of_file(
                f"none of its {unknown} cells is one of image {self.slide.sheet.image_id!r}: it was exported "
                "from another slide, or from another file of it"
            )
        self._check_controls()
        self._check_conflicts()
        if not self.faults and not self._first.any() and not self.draft.regions:
            self.faults.of_file("it holds no cell of the slide and no region with a class")

    def _check_controls(self) -> None:
        areas = [
            (number, region, region.area())
            for number, region in zip(self._feature_of_region, self.draft.regions, strict=True)
            if region.kind == CONTROL
        ]
        for place, (number, region, area) in enumerate(areas):
            for other, _, one in areas[:place]:
                if shapely.intersection(area, one).area > 0:
                    self.faults.add(number, f"control tissue that overlaps feature {other}")
            within = shapely.contains_xy(area, self.slide.x_px0, self.slide.y_px0)
            held = np.unique(self.slide.control[within]).tolist()
            if not held:
                self.faults.add(number, "control tissue in which no cell was measured; draw it anew")
            elif held == [0]:
                continue
            elif len(held) > 1:
                self.faults.add(number, "control tissue that overlaps control tissue of the slide")
            else:
                self._know_control(number, region, self.slide.controls[held[0] - 1].expected)

    def _know_control(self, number: int, region: DrawnRegion, expected: IhcScore | None) -> None:
        """Leave aside control tissue that the slide has already."""
        if region.expected is not None and region.expected is not expected:
            stated = "no score" if expected is None else f"a score of {expected}"
            what = f"control tissue of the slide, for which the case sheet expects {stated}"
            self.faults.add(number, f"{what}; change it there")
        self.draft.regions = [one for one in self.draft.regions if one is not region]
        self.draft.notices["control tissue that the slide has"] += 1

    def _check_conflicts(self) -> None:
        """Find cells that are called tumour where a region of the same file leaves them out."""
        cells = list(self.draft.corrections.values())
        for one, where in disputed_cells(cells, self.draft.regions, self.tumour_use, file="the same file"):
            what = f"called a tumour cell, but {where}; say which of the two holds"
            self.faults.add(int(self._first[one.cell_id]), what)


_SCORES: Mapping[str, IhcScore] = {str(score): score for score in IhcScore}
_verdict = cache(cell_verdict)


@cache
def _spelt(words: str) -> str:
    return ": ".join(part.strip() for part in words.lower().split(":"))


@cache
def _is_measured(verdict: CellVerdict, measured: str) -> bool:
    """Whether a class only says in other words what was measured."""
    known = cell_verdict(measured)
    as_measured = verdict.staining is None and verdict.is_tumour  # `Tumor` alone gives no score
    return known is not None and (verdict == known or (as_measured and known.is_tumour))


def _unknown(words: str) -> str:
    known = ", ".join(kind.value for kind in LabelClass)
    return f"of the unknown class {words[:60]!r}; known are {known} and Control (regions)"


def _holds(geometry: Json, x: float, y: float) -> bool:
    """Whether the box around an outline holds a place."""
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    try:
        points = _points(coordinates)
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        across = min(xs) - _NEAR_PX0 <= x <= max(xs) + _NEAR_PX0
        return bool(across and min(ys) - _NEAR_PX0 <= y <= max(ys) + _NEAR_PX0)
    except (TypeError, ValueError, IndexError):
        return False  # no points, or no numbers


def _points(coordinates: Any) -> list[Any]:
    """Give the points of a point, polygon or multipolygon; whole lists, since millions of cells pass."""
    while isinstance(coordinates[0], list) and isinstance(coordinates[0][0], list):
        coordinates = [point for part in coordinates for point in part]
    return coordinates if isinstance(coordinates[0], list) else [coordinates]


def _rings(area: BaseGeometry) -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    polygons = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    return tuple(
        tuple(tuple((float(x), float(y)) for x, y in ring.coords) for ring in (one.exterior, *one.interiors))
        for one in polygons
    )
