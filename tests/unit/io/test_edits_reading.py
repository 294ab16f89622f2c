"""Edited exports from QuPath: what is taken from them, and all that can be wrong with them."""

from __future__ import annotations

import gzip
import json

import pytest

from her2path.domain.region_use import RegionUse
from her2path.io.edits_reading import Draft, read_edits
from tests.support.edited_slides import (
    SIDE,
    Cell,
    box,
    editable,
    exported,
    exported_cell,
    region,
    write_export,
)

CELLS = [Cell(0), Cell(1), Cell(2), Cell(3), Cell(exclusion="not_tumour"), Cell(2, "lymphocyte")]
SLIDE = editable(CELLS)
WITH_CONTROL = editable(
    [*CELLS, Cell(3, "control_tissue", control=1), Cell(2, "stroma", control=1)], controls=["3+"]
)
FAR = (500, 500, 700, 700)


def read(folder, features, *, slide=SLIDE, use=RegionUse.REPLACE):
    path = write_export(folder / "export.geojson", features)
    return read_edits(path, slide, own_classes=["fold", "pen"], tumour_use=use)


def faults(folder, features, **options):
    found = read(folder, features, **options)
    assert not isinstance(found, Draft), found
    return list(found)


def given(draft):
    return {cell_id: (one.measured, one.given) for cell_id, one in draft.corrections.items()}


def test_an_export_that_nobody_changed_holds_no_edit(tmp_path):
    draft = read(tmp_path, exported(SLIDE))
    assert (draft.corrections, draft.regions, draft.notices) == ({}, [], {})
    assert draft.as_measured == set(range(1, len(CELLS) + 1))


@pytest.mark.parametrize(
    "spelt",
    [
        pytest.param({"name": "Tumor: 3+", "color": [200, 50, 50]}, id="name, since 0.4"),
        pytest.param({"names": ["Tumor", "3+"], "color": [200, 50, 50]}, id="names, since 0.5"),
        pytest.param({"name": ["Tumor", "3+"]}, id="names in name"),
        pytest.param({"name": "Tumor: 3+", "colorRGB": -3670016}, id="colour as a number, until 0.3"),
        pytest.param("Tumour:3+", id="a plain text"),
        pytest.param(["Tumor", "3+"], id="a plain list"),
    ],
)
def test_a_class_is_understood_in_every_spelling(tmp_path, spelt):
    assert given(read(tmp_path, exported(SLIDE, {2: spelt}))) == {2: ("Tumor: 1+", "Tumor: 3+")}


@pytest.mark.parametrize(
    ("properties", "identifier"),
    [
        pytest.param({"object_type": "cell"}, None, id="object_type, until 0.3"),
        pytest.param({"objectType": "detection"}, None, id="outline had collapsed"),
        pytest.param({"type": "PathCellObject", "isMissing": False}, None, id="type"),
    ],
)
def test_a_cell_is_known_in_every_spelling_of_its_kind(tmp_path, properties, identifier):
    feature = exported_cell(SLIDE, 2)
    feature["properties"] = {"classification": "Stroma", **properties}
    assert given(read(tmp_path, [feature])) == {2: ("Tumor: 1+", "Stroma")}


def test_lists_gzipped_files_and_hierarchies_are_read(tmp_path):
    tree = region("Tumor", box(*FAR))
    tree["properties"]["childObjects"] = exported(SLIDE, {1: "Immune cells"})
    (tmp_path / "e.geojson.gz").write_bytes(gzip.compress(json.dumps([tree]).encode()))
    draft = read_edits(tmp_path / "e.geojson.gz", SLIDE, own_classes=[], tumour_use=RegionUse.REPLACE)
    assert given(draft) == {1: ("Tumor: Negative", "Immune cells")}
    assert [one.kind for one in draft.regions] == ["Tumor"]


def test_tumour_alone_lets_an_excluded_cell_in_and_leaves_a_scored_one_as_it_is(tmp_path):
    draft = read(tmp_path, exported(SLIDE, {2: "Tumor", 5: "Tumor", 6: "Tumor: 2+"}))
    assert given(draft) == {5: ("Ignore*", "Tumor"), 6: ("Ignore*", "Tumor: 2+")}


def test_regions_are_told_apart_by_their_class(tmp_path):
    regions = [
        region("Tumor", box(0, 0, 400, 400)),
        region("Ignore*", box(*FAR)),
        region("Exclude", box(*FAR)),
        region("Necrosis", box(*FAR)),
        region("fold", box(*FAR)),
        region({"names": ["Control", "3+"]}, box(150, 10, 190, 40)),
    ]
    draft = read(tmp_path, regions)
    assert [(one.kind, one.expected) for one in draft.regions] == [
        ("Tumor", None),
        ("Ignore*", None),
        ("Ignore*", None),
        ("Necrosis", None),
        ("Ignore*", None),
        ("Control", "3+"),
    ]


def test_what_is_no_edit_is_left_aside_and_counted(tmp_path):
    own = "6fa459ea-ee8a-5ca4-894e-db77e160355e"  # version 5: made by her2path
    others = [
        region("HER2 hot spot", box(*FAR)),
        region("fold", box(*FAR), id=own),
        region(None, box(*FAR)),
        region("Region*", box(*FAR)),
        region("Tumor", None, geometry={"type": "Point", "coordinates": [5, 5]}),
        {**exported_cell(SLIDE, 1), "properties": {"objectType": "tile"}},
        exported_cell(SLIDE, 2, {"name": ""}),
    ]
    draft = read(tmp_path, others)
    assert (draft.corrections, draft.regions) == ({}, [])
    assert draft.notices == {
        "hot spots and quality areas of her2path": 2,
        "annotations without a class": 1,
        "areas for training": 1,
        "points and lines": 1,
        "tiles and TMA cores": 1,
        "cells without a class, which stay as measured": 1,
    }


def test_a_region_that_a_hand_drew_past_the_edge_is_cut_off_there(tmp_path):
    draft = read(tmp_path, [region("Tumor", box(-30, 100, 400, 400))])
    assert draft.regions[0].area().bounds == (0, 100, 400, 400)


def test_all_faults_are_told_at_once(tmp_path):
    features = [
        *exported(SLIDE, {1: "Tumor: 3+", 2: "Lymphocyte"}),
        exported_cell(SLIDE, 1),
        {**exported_cell(SLIDE, 3), "id": "PathCellObject"},
        {**exported_cell(SLIDE, 3), "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
        region("Lesion", box(*FAR)),
        region("Tumor: 2+", box(*FAR)),
        region("Control: 4+", box(*FAR)),
        region("Ignore*", box(5 * SIDE, 0, 6 * SIDE, 200)),
        region("Tumor", [[[0, 0], [90, 90], [90, 0], [0, 90], [0, 0]]]),
        "text",
    ]
    words = "\n".join(faults(tmp_path, features))
    for wanted in (
        "feature 2: of the unknown class 'Lymphocyte'",
        "feature 7: the same cell as feature 1",
        "feature 8: a cell without an identifier; export with QuPath 0.4 or later",
        "feature 9: no cell of this slide's results",
        "feature 10: of the unknown class 'Lesion'",
        "feature 11: a region of class 'Tumor: 2+'",
        "feature 12: control tissue of score '4+'",
        "feature 13: beyond the slide of 1000 x 1000 pixels",
        "feature 14 is broken (self-intersection) near x 0, y 0",
        "feature 15: no object of GeoJSON",
    ):
        assert wanted in words
    assert len(words.splitlines()) == 10


def test_words_behind_control_tissue_are_not_repeated(tmp_path):
    (words,) = faults(tmp_path, [region("Control: tonsil of Ada Byron", box(*FAR))])
    assert words == "feature 1: control tissue with words that are no score; use 0, 1+, 2+, 3+"


def test_cells_of_another_slide_are_refused_as_such(tmp_path):
    (words,) = faults(tmp_path, exported(SLIDE, sha256="ef" * 32))
    assert words.startswith("none of its 6 cells is one of image 'i1'")


def test_a_cell_whose_identifier_was_changed_anywhere_is_not_known(tmp_path):
    cell = exported_cell(SLIDE, 1)
    for place in (0, 14, 20, 35):
        name = cell["id"]
        other = "1" if name[place] == "0" else "0"
        if place == 14:
            other = "4"  # the version of the identifiers that QuPath makes
        changed = {**cell, "id": name[:place] + other + name[place + 1 :]}
        (words,) = faults(tmp_path, [changed])
        assert words.startswith("none of its 1 cells is one of image 'i1'"), place


def test_cells_of_other_results_of_the_slide_are_refused_by_their_place(tmp_path):
    cells = exported(SLIDE)
    for cell in cells[1:]:
        cell["geometry"] = {"type": "Polygon", "coordinates": box(800, 800, 820, 820)}
    (words,) = faults(tmp_path, cells)
    assert words.startswith("features 2, 3, 4, 5, 6: not where the slide has this cell")


def test_a_cell_without_an_outline_is_refused(tmp_path):
    for geometry in (None, {"type": "Polygon", "coordinates": "none"}):
        (words,) = faults(tmp_path, [{**exported_cell(SLIDE, 1), "geometry": geometry}])
        assert "not where the slide has this cell" in words


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        pytest.param(region("Ignore*", box(0, 0, 100, 100)), "that is left out", id="left out"),
        pytest.param(region("Control", box(0, 0, 100, 100)), "that is control tissue", id="control"),
        pytest.param(
            region("Tumor", box(120, 0, 400, 400)), "outside the tumour regions", id="not in tumour"
        ),
    ],
)
def test_a_cell_called_tumour_where_a_region_says_otherwise_is_a_conflict(tmp_path, drawn, words):
    features = [*exported(SLIDE, {1: "Tumor: 2+", 3: "Stroma"}), drawn]
    (found,) = faults(tmp_path, features)
    assert found.startswith("feature 1: called a tumour cell, but")
    assert words in found


def test_tumour_that_is_added_contradicts_no_cell_beyond_it(tmp_path):
    features = [*exported(SLIDE, {1: "Tumor: 2+"}), region("Tumor", box(120, 0, 400, 400))]
    assert len(read(tmp_path, features, use=RegionUse.ADD).corrections) == 1


def test_a_file_of_nothing_is_refused(tmp_path):
    assert faults(tmp_path, []) == ["it holds no cell of the slide and no region with a class"]
    (tmp_path / "export.geojson").write_text("{")
    found = read_edits(tmp_path / "export.geojson", SLIDE, own_classes=[], tumour_use=RegionUse.REPLACE)
    assert found == ("export.geojson: it is cut off, or not JSON; export it again",)


def test_cells_of_control_tissue_stay_as_measured(tmp_path):
    draft = read(tmp_path, exported(WITH_CONTROL), slide=WITH_CONTROL)
    assert draft.corrections == {}
    (words,) = faults(tmp_path, exported(WITH_CONTROL, {7: "Tumor: 3+"}), slide=WITH_CONTROL)
    assert words == "feature 7: a cell of control tissue, whose class cannot be corrected"


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        pytest.param([("Control", (250, 0, 330, 60))], None, id="the slide's own, exported and brought back"),
        pytest.param([("Control: 3+", (250, 0, 330, 60))], None, id="the same with its score"),
        pytest.param([("Control: 0", (250, 0, 330, 60))], "expects a score of 3+", id="with another score"),
        pytest.param(
            [("Control", (100, 0, 330, 60))], "overlaps control tissue of the slide", id="over its edge"
        ),
        pytest.param([("Control", FAR)], "in which no cell was measured", id="without a cell"),
        pytest.param(
            [("Control", (0, 0, 60, 60)), ("Control", (30, 0, 90, 60))],
            "overlaps feature 1",
            id="two controls",
        ),
    ],
)
def test_control_tissue_that_is_drawn_must_be_new_and_apart(tmp_path, drawn, words):
    features = [region(name, box(*corners)) for name, corners in drawn]
    if words is None:
        draft = read(tmp_path, [*features, *exported(WITH_CONTROL)], slide=WITH_CONTROL)
        assert (draft.regions, draft.notices) == ([], {"control tissue that the slide has": 1})
    else:
        assert words in "".join(faults(tmp_path, features, slide=WITH_CONTROL))
