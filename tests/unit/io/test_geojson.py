from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import shapely

from her2path.domain.ihc import IhcScore
from her2path.errors import RegionError
from her2path.io.geojson import Exclusions, read_exclusions, read_regions

SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100], [0, 0]]
HOLE = [[20, 20], [40, 20], [40, 40], [20, 40], [20, 20]]
BOW_TIE = [[0, 0], [100, 100], [100, 0], [0, 100], [0, 0]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: Any) -> dict[str, Any]:
    properties = {"objectType": "annotation", "name": "<b>x</b>", "classification": {"name": "Tumor"}}
    return {"type": "Feature", "id": "1", "geometry": geometry, "properties": properties}


def written(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "regions.geojson"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("data", "area"),
    [
        pytest.param(
            {"type": "FeatureCollection", "features": [feature(polygon(SQUARE))]}, 10_000, id="collection"
        ),
        pytest.param(feature(polygon(SQUARE)), 10_000, id="one feature"),
        pytest.param([feature(polygon(SQUARE))], 10_000, id="list of features (older QuPath)"),
        pytest.param(polygon(SQUARE), 10_000, id="bare geometry"),
        pytest.param(polygon(SQUARE, HOLE), 9_600, id="a hole stays a hole"),
        pytest.param(
            {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[200, 0], [210, 0], [210, 10], [200, 10]]]]},
            10_100,
            id="several parts, one ring not closed",
        ),
        pytest.param([feature(polygon(SQUARE)), feature(polygon(SQUARE))], 10_000, id="overlap counts once"),
        pytest.param(
            [feature({"type": "Point", "coordinates": [1, 1]}), feature(polygon(SQUARE))],
            10_000,
            id="points are left out",
        ),
        pytest.param(
            {"type": "GeometryCollection", "geometries": [polygon(SQUARE)]}, 10_000, id="geometry collection"
        ),
        pytest.param(polygon([[*point, 7] for point in SQUARE]), 10_000, id="a third coordinate is ignored"),
        pytest.param(polygon(SQUARE[::-1]), 10_000, id="clockwise"),
    ],
)
def test_areas_are_read_in_every_form_that_qupath_writes(tmp_path, data, area):
    regions = read_regions(written(tmp_path, data), name="r")
    assert isinstance(regions, shapely.MultiPolygon)
    assert regions.area == pytest.approx(area)
    assert regions.bounds[:2] == (0, 0)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    assert read_regions(written(tmp_path, "\ufeff" + json.dumps(polygon(SQUARE))), name="r").area == 10_000


@pytest.mark.parametrize("key", ["objectType", "object_type"])
@pytest.mark.parametrize("kind", ["cell", "detection", "tile"])
def test_cells_exported_beside_the_regions_are_no_regions(tmp_path, key, kind):
    cell = {"type": "Feature", "geometry": polygon(HOLE), "properties": {key: kind}}
    with pytest.raises(RegionError, match="no polygon"):
        read_regions(written(tmp_path, [cell]), name="r")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param("", "not JSON", id="empty file"),
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param("x,y\n1,2\n", "not JSON", id="a table"),
        pytest.param("[" * 100_000, "not JSON", id="nested without end"),
        pytest.param("7", "not GeoJSON", id="a number"),
        pytest.param({"a": 1}, "not GeoJSON", id="other JSON"),
        pytest.param({"type": "FeatureCollection", "features": []}, "no polygon", id="no features"),
        pytest.param([], "no polygon", id="empty list"),
        pytest.param([feature({"type": "Point", "coordinates": [1, 1]})], "no polygon", id="only points"),
        pytest.param([feature(polygon(SQUARE)), feature(polygon(BOW_TIE))], "feature 2.*draw", id="bow-tie"),
        pytest.param(
            polygon(SQUARE, [[90, 90], [200, 90], [200, 95]]), "feature 1", id="hole beyond its region"
        ),
        pytest.param(polygon([[0, 0], [1, 1], [0, 0]]), "three", id="two points"),
        pytest.param(polygon([[0, 0], [5, 5], [9, 9], [0, 0]]), "feature 1", id="no area"),
        pytest.param(polygon([[0, 0], [math.nan, 1], [2, 2]]), "pair of numbers", id="NaN"),
        pytest.param(polygon([[0, 0], [math.inf, 1], [2, 2]]), "pair of numbers", id="infinite"),
        pytest.param(polygon([[0, 0], ["1", 1], [2, 2]]), "pair of numbers", id="text"),
        pytest.param(polygon([[0, 0], [1], [2, 2]]), "pair of numbers", id="one coordinate"),
        pytest.param(polygon(), "no coordinates", id="no rings"),
        pytest.param({"type": "Polygon"}, "no coordinates", id="no coordinates"),
        pytest.param(feature(None), "no geometry", id="null geometry"),
        pytest.param([7], "no geometry", id="a list of numbers"),
        pytest.param({"type": "MultiPolygon", "coordinates": []}, "no region", id="no parts"),
        pytest.param({"type": "Circle", "coordinates": [1, 1], "radius": 3}, "'Circle'", id="unknown kind"),
    ],
)
def test_broken_regions_are_refused_with_their_number_and_the_remedy(tmp_path, data, words):
    with pytest.raises(RegionError, match=f"(?s)'r.geojson'.*{words}.*QuPath"):
        read_regions(written(tmp_path, data), name="r.geojson")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(RegionError, match="not found"):
        read_regions(tmp_path / "none.geojson", name="r")
    with pytest.raises(RegionError, match="cannot be opened"):
        read_regions(tmp_path, name="r")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "r.geojson"
    path.write_bytes(b'{"type": "\xff\xfe"}')
    with pytest.raises(RegionError, match="not JSON"):
        read_regions(path, name="r")


def box(left: float, top: float, edge: float = 100) -> dict[str, Any]:
    right, bottom = left + edge, top + edge
    return polygon([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])


def classified(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"} | properties}


def exclusions(tmp_path: Path, *features: dict[str, Any]) -> Exclusions:
    return read_exclusions(written(tmp_path, list(features)), name="exclude_roi of i1")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param({"classification": {"name": "Control"}}, None, id="class"),
        pytest.param({"classification": {"name": "control: 3+"}}, IhcScore.THREE_PLUS, id="derived class"),
        pytest.param(
            {"classification": {"names": ["Control", "1+"]}},
            IhcScore.ONE_PLUS,
            id="derived class, QuPath 0.5",
        ),
        pytest.param({"name": "CONTROL:0"}, IhcScore.ZERO, id="name of an annotation"),
        pytest.param(
            {"classification": {"name": "Control"}, "name": "Control: 2+"},
            IhcScore.TWO_PLUS,
            id="the more precise of both",
        ),
    ],
)
def test_control_tissue_is_told_from_other_regions_by_its_class_or_name(tmp_path, properties, expected):
    found = exclusions(
        tmp_path,
        classified(box(0, 0), **properties),
        classified(box(500, 0), classification={"name": "Fold"}),
    )
    assert [control.expected for control in found.controls] == [expected]
    assert found.controls[0].regions.bounds == (0, 0, 100, 100)
    assert found.left_out is not None
    assert found.left_out.bounds == (500, 0, 600, 100)


def test_other_names_make_no_control(tmp_path):
    found = exclusions(
        tmp_path, classified(box(0, 0), name="control_ducts"), classified(box(300, 0), name="not a control")
    )
    assert found.controls == ()


def test_a_file_of_control_tissue_alone_leaves_nothing_else_out(tmp_path):
    found = exclusions(
        tmp_path, classified(box(0, 0), name="Control"), classified(box(300, 0), name="Control: 0")
    )
    assert found.left_out is None
    assert [control.expected for control in found.controls] == [None, IhcScore.ZERO]


@pytest.mark.parametrize(
    ("features", "words"),
    [
        pytest.param([classified(box(0, 0), name="Control: 4+")], "score '4+'", id="no score"),
        pytest.param(
            [classified(box(0, 0), name="Control: 3+"), classified(box(50, 50), name="Control: 0")],
            "overlap near x 50, y 50",
            id="two controls overlap",
        ),
        pytest.param([], "no polygon", id="nothing"),
    ],
)
def test_control_tissue_that_cannot_be_told_is_refused(tmp_path, features, words):
    with pytest.raises(RegionError, match=re.escape(words)):
        exclusions(tmp_path, *features)


def test_what_a_person_wrote_instead_of_a_score_is_not_repeated(tmp_path):
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]]]},
        "properties": {"classification": {"name": "Control: Jane Doe"}},
    }
    path = tmp_path / "regions.geojson"
    path.write_text(json.dumps(feature), encoding="utf-8")
    with pytest.raises(RegionError, match="words that are no score; use 0, 1") as caught:
        read_exclusions(path, name="exclude_roi of c1")
    assert "Doe" not in str(caught.value)
