"""Labels as QuPath exports them: cells and areas with their classes, and what is refused."""

import json

import pytest

from her2path.domain.label_classes import LabelClass
from her2path.errors import LabelError
from her2path.io.labels import outside, read_labels

SQUARE = [[10, 10], [30, 10], [30, 30], [10, 30], [10, 10]]
BOW_TIE = [[0, 0], [20, 20], [20, 0], [0, 20], [0, 0]]


def feature(kind, words, ring=SQUARE, **more):
    classification = {"classification": {"name": words}} if words else {}
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": kind, **classification},
        **more,
    }


def labels_of(tmp_path, *features, **options):
    path = tmp_path / "labels.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return read_labels(path, name="labels.geojson", **options)


def test_a_cell_of_qupath_brings_its_nucleus(tmp_path):
    nucleus = {"type": "Polygon", "coordinates": [[[15, 15], [20, 15], [20, 20], [15, 15]]]}
    (cell,) = labels_of(tmp_path, feature("cell", "Tumor: 2+", nucleusGeometry=nucleus)).cells
    assert cell.kind is LabelClass.TUMOUR_2
    assert (cell.outline.area, cell.nucleus.area) == (400, 12.5)


def test_a_derived_class_of_qupath_05_is_read_by_its_names(tmp_path):
    derived = feature("cell", None)
    derived["properties"]["classification"] = {"names": ["Tumor", "3+"], "color": [200, 50, 50]}
    assert labels_of(tmp_path, derived).counts() == {"Tumor: 3+": 1}


def test_annotations_beside_cells_are_areas(tmp_path):
    found = labels_of(tmp_path, feature("cell", "Tumor"), feature("annotation", "Stroma"))
    assert (len(found.cells), [kind for kind, _ in found.regions]) == (1, [LabelClass.STROMA])


def test_annotations_alone_are_cells_that_were_drawn_by_hand(tmp_path):
    assert len(labels_of(tmp_path, feature("annotation", "Tumor: 1+")).cells) == 1


def test_annotations_of_a_file_of_areas_are_areas(tmp_path):
    found = labels_of(tmp_path, feature("annotation", "Tumor"), hand_drawn_cells=False)
    assert (len(found.cells), len(found.regions)) == (0, 1)


def test_a_region_with_asterisk_bounds_what_is_labelled_wholly(tmp_path):
    found = labels_of(tmp_path, feature("cell", "Tumor"), feature("annotation", "Region*"))
    assert found.wholly.area == 400
    assert found.counts() == {"Tumor": 1}


def test_nothing_is_said_of_a_cell_without_a_class(tmp_path):
    found = labels_of(tmp_path, feature("cell", None), feature("cell", "Tumor"))
    assert [cell.kind for cell in found.cells] == [LabelClass.IGNORE, LabelClass.TUMOUR]
    assert found.left_out == {"cells without a class, of which nothing is taught": 1}


def test_an_unknown_class_is_named_with_the_known_ones_and_the_remedy(tmp_path):
    with pytest.raises(
        LabelError, match=r"unknown class 'Lymphocyte' \(2\).*Immune cells.*--classes"
    ) as caught:
        labels_of(tmp_path, feature("cell", "Lymphocyte"), feature("cell", "Lymphocyte"))
    assert caught.value.exit_code == 3


def test_a_name_of_another_project_is_read_through_its_mapping(tmp_path):
    renamed = {"Lymphocyte": LabelClass.IMMUNE}
    assert labels_of(tmp_path, feature("cell", "lymphocyte"), renamed=renamed).counts() == {"Immune cells": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(feature("cell", "Tumor", BOW_TIE), "crosses itself", id="an outline like a bow tie"),
        pytest.param(feature("cell", "Tumor", [[0, 0], [1, 1]]), "no readable outline", id="two points"),
        pytest.param(
            {"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {}},
            r"points and lines \(1\) have no outline",
            id="points only",
        ),
        pytest.param(feature("annotation", "Region*"), "no labelled cell", id="a frame without labels"),
    ],
)
def test_refused_labels(tmp_path, content, message):
    with pytest.raises(LabelError, match=message):
        labels_of(tmp_path, content)


@pytest.mark.parametrize("far", [1e300, float("nan"), float("inf")])
@pytest.mark.filterwarnings("error")
def test_a_coordinate_that_is_no_place_is_refused_by_feature(tmp_path, far):
    ring = [[10, 10], [far, 10], [30, 30], [10, 10]]
    with pytest.raises(LabelError, match="feature 2 has a coordinate that is no place in an image"):
        labels_of(tmp_path, feature("cell", "Tumor"), feature("cell", "Tumor", ring))


def test_the_polygons_of_a_collection_are_read(tmp_path):
    mixed = feature("cell", "Tumor")
    square = mixed["geometry"]
    nested = {"type": "GeometryCollection", "geometries": [square]}
    point = {"type": "Point", "coordinates": [1, 1]}
    mixed["geometry"] = {"type": "GeometryCollection", "geometries": [point, nested]}
    (cell,) = labels_of(tmp_path, mixed).cells
    assert cell.outline.area == 400
    mixed["geometry"] = {"type": "GeometryCollection", "geometries": [point]}
    with pytest.raises(LabelError, match="holds no labelled cell"):
        labels_of(tmp_path, mixed)


def test_an_empty_nucleus_is_named(tmp_path):
    empty = {"type": "Polygon", "coordinates": []}
    with pytest.raises(LabelError, match="the nucleus of feature 1 has an empty outline"):
        labels_of(tmp_path, feature("cell", "Tumor", nucleusGeometry=empty))


def test_missing_and_broken_files_are_refused(tmp_path):
    with pytest.raises(LabelError, match="not found"):
        read_labels(tmp_path / "none.geojson", name="none.geojson")
    (tmp_path / "cut.geojson").write_text('{"type": "FeatureColl')
    with pytest.raises(LabelError, match="not JSON"):
        read_labels(tmp_path / "cut.geojson", name="cut.geojson")


def test_outlines_beyond_the_image_are_counted(tmp_path):
    found = labels_of(tmp_path, feature("cell", "Tumor"), feature("annotation", "Stroma"))
    assert outside(found, (100, 100)) == 0
    assert outside(found, (100, 15)) == 2
