"""Areas of a slide as QuPath annotations."""

from __future__ import annotations

import json

import shapely

from her2path.io.geojson import read_regions
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.qupath_cells import CellClass

FOLD = CellClass("fold", (213, 94, 0))
RING = shapely.Polygon([(0, 0), (90, 0), (90, 90), (0, 90)], [[(30, 30), (60, 30), (60, 60), (30, 60)]])


def test_areas_carry_their_class_and_can_be_read_back_as_regions(tmp_path):
    path = tmp_path / "quality.geojson"
    write_areas(path, [QuPathArea(FOLD, RING, {"Area mm^2": 0.5})], image_sha256="ab")
    (feature,) = json.loads(path.read_text())["features"]
    assert feature["properties"]["classification"] == {"name": "fold", "color": [213, 94, 0]}
    assert feature["properties"]["measurements"] == {"Area mm^2": 0.5}
    assert read_regions(path, name="areas").area == RING.area


def test_the_same_slide_gives_the_same_file(tmp_path):
    for name in ("a", "b"):
        write_areas(tmp_path / name, [QuPathArea(FOLD, RING)] * 2, image_sha256="ab")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_slide_without_artefacts_has_an_empty_collection(tmp_path):
    write_areas(tmp_path / "a", [], image_sha256="ab")
    assert json.loads((tmp_path / "a").read_text())["features"] == []


def test_what_was_measured_is_named_and_locked_and_what_a_person_is_to_draw_is_free(tmp_path):
    areas = [QuPathArea(FOLD, RING, name="Quality: fold", is_locked=True), QuPathArea(None, RING)]
    write_areas(tmp_path / "a", areas, image_sha256="ab")
    measured, free = (f["properties"] for f in json.loads((tmp_path / "a").read_text())["features"])
    assert (measured["name"], measured["isLocked"]) == ("Quality: fold", True)
    assert "isLocked" not in free
