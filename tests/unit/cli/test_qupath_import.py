"""Commands `her2path qupath import` and `discard`: a slide is scored as a person left it, and back again."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pydicom
import pytest

from her2path.cli import chain
from her2path.config import Config
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import guideline_ids
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.io.case_sheet import read_case_sheet
from her2path.io.documents import (
    SlideDoc,
    SourceFile,
    read_document,
    write_document,
)
from her2path.io.edits_documents import EditsDoc
from her2path.io.edits_folder import EditsFolder
from her2path.io.files import sha256_of
from her2path.io.phantom_dicom import write_dicom_slide
from her2path.io.slides.opening import files_of
from her2path.io.tables import IHC_CELLS, read_table
from tests.support.edited_results import (
    IMAGE,
    SIDE,
    bytes_of,
    call_of,
    discard,
    export,
    features,
    measure,
    run,
    score_of,
    take,
    with_class,
)
from tests.support.edited_slides import box, region
from tests.support.slides import textured, write_pyramid


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    return measure(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def out(measured, tmp_path) -> Path:
    shutil.copytree(measured, tmp_path / "out")
    return tmp_path / "out"


def test_corrected_cells_change_the_score_and_everything_says_so(out, tmp_path):
    before, cells = score_of(out).result, features(out)
    n = with_class(cells, "Tumor: 1+", "Tumor: 3+")
    code, words = take(out, export(tmp_path / "e.geojson", cells), "--comment", "second look")
    found, call = score_of(out).result, call_of(out)
    assert code == 0, words
    assert (before.score, found.score, call.ihc_score) == ("1+", "3+", "3+")
    assert f"{n} cells of class Tumor: 1+ are now Tumor: 3+" in words
    assert "score 3+" in words
    assert "before 1+" in words
    edits = found.edits
    assert (edits.by, edits.on, edits.tool, edits.comment) == ("A.B.", "2026-11-20", "QuPath", "second look")
    assert edits.cells_changed == {"Tumor: 1+": {"Tumor: 3+": n}}
    assert (edits.score_before, edits.h_score_before) == (before.score, before.h_score)
    assert Flag.EDITED_BY_PERSON in found.flags
    assert Flag.EDITED_BY_PERSON in call.flags
    assert call.edits == {IMAGE: edits}
    # The same arithmetic as of measured cells: intervals, hot spots, and cells in every table.
    assert found.scored_cells == before.scored_cells == sum(p.cells for p in _classes(found))
    assert found.percentages["complete_intense"].cells >= n
    assert found.hot_spot_quantity != before.hot_spot_quantity
    for page in ("report.html", "report.fhir.json", "synoptic.txt"):
        assert "A.B." in (out / "cases" / "c1" / page).read_text(encoding="utf-8"), page
    assert "edited_by_person" in (out / "calls.csv").read_text(encoding="utf-8")


def _classes(result):
    return (share for name, share in result.percentages.items() if name != "stained")


def test_the_persons_cells_are_told_apart_in_the_tables(out, tmp_path):
    cells = features(out)
    n = with_class(cells, "Tumor: 1+", "Tumor: 2+", of=3)
    take(out, export(tmp_path / "e.geojson", cells))
    marked = [c for c in features(out) if "Class given by a person" in c["properties"]["measurements"]]
    assert [c["properties"]["classification"]["name"] for c in marked] == ["Tumor: 2+"] * n
    rows = EditsFolder.of(out, IMAGE).cells.read_text(encoding="utf-8").splitlines()
    assert rows[0] == "cell_id,qupath_id,x_px0,y_px0,measured,given,by,on"
    assert len(rows) == n + 1
    assert {row.split(",")[1] for row in rows[1:]} == {c["id"] for c in marked}


def test_an_edited_export_of_edited_cells_comes_back_the_same(out, tmp_path):
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 2+", of=20)
    take(out, export(tmp_path / "e.geojson", cells))
    first = score_of(out).result
    code, words = take(out, export(tmp_path / "again.geojson", features(out)), "--replace")
    assert code == 0, words
    second = score_of(out).result
    assert second.tally == first.tally
    assert second.edits.cells_changed == first.edits.cells_changed


def test_discarding_gives_the_first_result_back_to_the_byte(out, tmp_path):
    first = bytes_of(out)
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Stroma", of=40)
    take(out, export(tmp_path / "e.geojson", cells))
    folder = EditsFolder.of(out, IMAGE)
    assert folder.first_score.read_bytes() == first[f"images/{IMAGE}/ihc_score.json"]
    assert bytes_of(out) != first
    code, words = discard(out)
    assert code == 0
    assert "kept as edits.1.json" in words
    assert bytes_of(out) == first
    assert read_document(folder.path / "edits.1.json", EditsDoc).result.by == "A.B."
    code, words = discard(out)
    assert (code, "has no edits" in words) == (2, True)


def test_drawn_regions_choose_the_cells_and_the_rest_is_scored_as_ever(out, tmp_path):
    drawn = [region("Tumor", box(0, 0, 400, SIDE)), region("Necrosis", box(0, 0, 400, 150))]
    code, words = take(out, export(tmp_path / "e.geojson", drawn), "--tool", "QuPath 0.6.0")
    assert code == 0, words
    table = read_table(out / "images" / IMAGE / "ihc_cells.parquet", IHC_CELLS).to_pylist()
    inside = [
        row
        for row in table
        if row["x_px0"] < 400 and row["y_px0"] >= 150 and row["exclusion_if_drawn"] is None
    ]
    found = score_of(out).result
    assert found.scored_cells == len(inside)
    assert found.tumour_selection == "regions"
    assert "tumour_automatic" not in found.flags
    assert found.edits.regions_changed == {"Necrosis": 1, "Tumor": 1}
    assert found.edits.tool == "QuPath 0.6.0"
    assert found.edits.cells_left_out > 0


def test_edits_are_added_to_earlier_ones_or_replace_them(out, tmp_path):
    cells = features(out)
    one, other = (
        cells[0],
        next(c for c in cells[1:] if c["properties"]["classification"]["name"] == "Tumor: 1+"),
    )
    first = export(
        tmp_path / "1.geojson", [_given(one, "Tumor: 2+"), region("Ignore*", box(300, 300, 400, 400))]
    )
    second = export(tmp_path / "2.geojson", [_given(other, "Tumor: 3+")])
    assert take(out, first)[0] == 0
    code, words = take(out, second, by="C.D.")
    assert code == 3
    assert "has edits by A.B. of 2026-11-20 already" in words
    code, words = take(out, second, "--add", by="C.D.")
    assert code == 0, words
    edits = score_of(out).result.edits
    assert edits.by == "C.D."
    assert [one.by for one in edits.earlier] == ["A.B."]
    assert sum(n for given in edits.cells_changed.values() for n in given.values()) == 2
    assert edits.regions_changed == {"Ignore*": 1}
    assert take(out, second, "--replace", by="C.D.")[0] == 0
    edits = score_of(out).result.edits
    assert (edits.regions_changed, edits.earlier) == ({}, ())
    kept = sorted(path.name for path in EditsFolder.of(out, IMAGE).path.glob("edits*.json"))
    assert kept == ["edits.1.json", "edits.2.json", "edits.json"]


def test_tumour_that_is_added_to_earlier_cells_replaces_nothing_of_the_slide(out, tmp_path):
    before = score_of(out).result.scored_cells
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 2+", of=1)
    assert take(out, export(tmp_path / "1.geojson", cells))[0] == 0
    drawn = export(tmp_path / "2.geojson", [region("Tumor", box(0, 0, 200, 200))])
    code, words = take(out, drawn, "--add", "--tumour", "add")
    assert code == 0, words
    assert score_of(out).result.scored_cells >= before
    assert EditsFolder.of(out, IMAGE).read().tumour_use == "add"


def test_added_cells_leave_replaced_exclusions_replaced_and_new_exclusions_replace_them(out, tmp_path):
    first = export(tmp_path / "1.geojson", [region("Necrosis", box(0, 0, 90, 90))])
    assert take(out, first, "--exclusions", "replace")[0] == 0
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 2+", of=1)
    assert take(out, export(tmp_path / "2.geojson", cells), "--add")[0] == 0
    edits = EditsFolder.of(out, IMAGE).read()
    assert (edits.left_out_use, edits.regions_changed()) == ("replace", {"Necrosis": 1})
    third = export(tmp_path / "3.geojson", [region("Ignore*", box(100, 100, 190, 190))])
    assert take(out, third, "--add", "--exclusions", "replace")[0] == 0
    edits = EditsFolder.of(out, IMAGE).read()
    assert (edits.left_out_use, edits.regions_changed()) == ("replace", {"Ignore*": 1})
    assert len(edits.corrections) == 1


def test_a_region_drawn_over_cells_that_were_called_tumour_before_is_refused(out, tmp_path):
    cells = features(out)
    n = with_class(cells, "Tumor: 1+", "Tumor: 3+")
    assert take(out, export(tmp_path / "1.geojson", cells))[0] == 0
    first = bytes_of(out)
    over = export(tmp_path / "2.geojson", [region("Necrosis", box(0, 0, SIDE, SIDE))])
    code, words = take(out, over, "--add")
    assert code == 3
    assert (
        f"{n} cells that A.B. called tumour on 2026-11-20 lie in a region of A.B. that is left out" in words
    )
    assert bytes_of(out) == first


@pytest.mark.parametrize("how", ["--add", "--comment=again"])
def test_nothing_is_added_to_edits_of_other_cells(out, tmp_path, how):
    file = export(tmp_path / "1.geojson", [region("Necrosis", box(0, 0, 90, 90))])
    assert take(out, file)[0] == 0
    edits = EditsFolder.of(out, IMAGE).edits
    edits.write_text(edits.read_text().replace('"places_sha256": "', '"places_sha256": "0'))
    code, words = take(out, file, how)
    assert code == 3
    assert "do not fit the slide and its cells as they are now" in words
    assert "--add" not in words


def _given(cell, words):
    properties = {**cell["properties"], "classification": {"name": words}}
    return {**cell, "properties": properties}


def test_a_project_of_an_edited_slide_shows_the_edits_and_comes_back_as_them(out, tmp_path):
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 2+", of=5)
    drawn = [region("Tumor", box(0, 0, SIDE, 500)), region("Necrosis", box(0, 550, 90, SIDE))]
    assert take(out, export(tmp_path / "e.geojson", [*cells, *drawn]))[0] == 0
    first = score_of(out).result
    code, words = run("project", "--out", out, tmp_path / "project")
    assert code == 0, words
    (regions,) = (tmp_path / "project").rglob("regions.geojson")
    (zipped,) = (tmp_path / "project").rglob("cells.geojson.zip")
    shown = json.loads(regions.read_text(encoding="utf-8"))["features"]
    assert [one["properties"]["classification"]["name"] for one in shown] == ["Tumor", "Necrosis"]
    again = export(tmp_path / "again.geojson", [*shown, *_zipped(zipped)])
    for how in ("--replace", "--add"):
        code, words = take(out, again, how)
        assert code == 0, words
        second = score_of(out).result
        assert second.tally == first.tally
        assert second.edits.regions_changed == first.edits.regions_changed
        assert second.edits.cells_changed == first.edits.cells_changed


def _zipped(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(archive.namelist()[0]))["features"]


def test_the_case_sheets_own_regions_are_no_edit_when_they_come_back(measured, out, tmp_path):
    sheet = tmp_path / "cases.tsv"
    export(tmp_path / "roi.geojson", [region("Tumor", box(0, 0, 500, SIDE))])
    export(tmp_path / "no.geojson", [region("Ignore*", box(0, 0, 90, 90)), region("x", box(200, 0, 290, 90))])
    head = "case_id\timage_id\tassay\tpath\ttumour_roi\texclude_roi"
    slide = measured.parent / "slide.tif"
    sheet.write_text(f"{head}\nc1\ti1\tihc\t{slide}\troi.geojson\tno.geojson\n")
    own = [region("Tumor", box(0, 0, 500.1, SIDE)), region("Ignore*", box(0, 0, 90, 90.1))]
    file = export(tmp_path / "e.geojson", [*own, region("Necrosis", box(100, 300, 200, 400))])
    code, words = take(out, file, "--cases", sheet)
    assert code == 0, words
    assert "left aside: 2 regions as the case sheet has them" in words
    assert score_of(out).result.edits.regions_changed == {"Necrosis": 1}


def test_a_hole_of_a_few_cells_is_a_change_however_large_the_tumour_is(measured, out, tmp_path):
    sheet, slide = tmp_path / "cases.tsv", measured.parent / "slide.tif"
    export(tmp_path / "roi.geojson", [region("Tumor", box(0, 0, SIDE, SIDE))])
    head = "case_id\timage_id\tassay\tpath\ttumour_roi"
    sheet.write_text(f"{head}\nc1\ti1\tihc\t{slide}\troi.geojson\n")
    x, y = scored_place(out)
    hole = [place[::-1] for place in box(x - 15, y - 15, x + 15, y + 15)]
    file = export(tmp_path / "e.geojson", [region("Tumor", [*box(0, 0, SIDE, SIDE), *hole])])
    before = score_of(out).result.scored_cells
    code, words = take(out, file, "--cases", sheet)
    assert code == 0, words
    assert "as the case sheet has them" not in words
    found = score_of(out).result
    assert found.edits.regions_changed == {"Tumor": 1}
    assert found.scored_cells == before - found.edits.cells_left_out + found.edits.cells_let_in
    assert found.edits.cells_left_out >= 1


def scored_place(out):
    """Give the middle of a scored cell away from the edges."""
    table = read_table(out / "images" / IMAGE / "ihc_cells.parquet", IHC_CELLS).to_pylist()
    inner = [row for row in table if all(60 < row[name] < SIDE - 60 for name in ("x_px0", "y_px0"))]
    return next((row["x_px0"], row["y_px0"]) for row in inner if row["exclusion"] is None)


def test_edits_that_leave_no_cell_to_score_say_who_made_them(out, tmp_path):
    code, words = take(out, export(tmp_path / "e.geojson", [region("Ignore*", box(0, 0, SIDE, SIDE))]))
    assert code == 0
    assert "not evaluable" in words
    reason = score_of(out).not_evaluable.reason
    assert "as edited by A.B.; `her2path qupath discard` goes back" in reason
    assert call_of(out).status == "not_evaluable"


def test_edits_do_not_fit_a_slide_whose_cells_were_found_anew(out, tmp_path):
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 3+")
    take(out, export(tmp_path / "e.geojson", cells))
    edits = EditsFolder.of(out, IMAGE).edits
    edits.write_text(edits.read_text().replace('"places_sha256": "', '"places_sha256": "0'))
    config = Config.model_validate_json((out / "logs" / "config.json").read_text())
    rows = read_case_sheet(config.cases, guidelines=guideline_ids()).rows
    chain.run_image(rows[0], out, config, workers=1, steps=("ihc_score",))
    chain.finish_case(rows, out, config)
    found = score_of(out).result
    assert (found.score, found.edits) == ("1+", None)
    assert Flag.EDITS_DO_NOT_FIT in found.flags
    assert Flag.EDITS_DO_NOT_FIT in call_of(out).flags
    assert Flag.EDITED_BY_PERSON not in found.flags


def test_a_faulty_file_changes_nothing(out, tmp_path):
    first, cells = bytes_of(out), features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 9+")
    code, words = take(out, export(tmp_path / "e.geojson", [*cells, region("Lesion", box(0, 0, 9, 9))]))
    assert code == 3
    assert "nothing was taken from 'e.geojson' for image 'i1'" in words
    assert "Tumor: 9+" in words
    assert "Lesion" in words
    assert bytes_of(out) == first
    assert not EditsFolder.of(out, IMAGE).path.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--by", "Ada Byron"), "is no pseudonym", id="a name"),
        pytest.param(("--by", "her2path"), "is no person", id="the program"),
        pytest.param(("--on", "1899-12-31"), "lies before 1990; correct the year", id="a day long past"),
        pytest.param(("--on", "2999-01-01"), "lies in the future", id="a day to come"),
        pytest.param(("--comment", "x" * 201), "--comment: give one line", id="a long comment"),
        pytest.param(("--image", "i9"), "is not in the case sheet", id="an unknown image"),
        pytest.param(("--add", "--replace"), "not both", id="two wishes"),
    ],
)
def test_options_that_cannot_be_used_are_refused(out, tmp_path, options, words):
    file = export(tmp_path / "e.geojson", [region("Tumor", box(0, 0, 400, 400))])
    code, said = take(out, file, *options)
    assert code == 2
    assert words in said


def test_a_file_that_changes_nothing_is_refused(out, tmp_path):
    code, words = take(out, export(tmp_path / "e.geojson", features(out)))
    assert code == 3
    assert "nothing in it differs from the results" in words


def test_another_file_under_the_slides_name_is_refused(out, tmp_path):
    write_pyramid(tmp_path / "slide.tif", render_ihc(IhcPhantomSpec(seed=1, width_px=256, height_px=256)).rgb)
    sheet = tmp_path / "cases.tsv"
    sheet.write_text("case_id\timage_id\tassay\tpath\nc1\ti1\tihc\tslide.tif\n")
    file = export(tmp_path / "e.geojson", [region("Tumor", box(0, 0, 400, 400))])
    code, words = take(out, file, "--cases", sheet)
    assert code == 2
    assert "has changed since the run" in words


def test_a_dicom_series_with_one_changed_level_is_refused(out, tmp_path):
    write_dicom_slide(tmp_path / "series", textured(1200, 1200), mpp=0.5, repeat=2)
    document = read_document(out / "images" / IMAGE / "slide.json", SlideDoc)
    files = tuple(
        SourceFile(sha256=sha256_of(path), size_bytes=path.stat().st_size, format="dicom")
        for path in files_of(tmp_path / "series")
    )
    assert len(files) > 1
    found = document.result.model_copy(update={"files": files})
    write_document(out / "images" / IMAGE / "slide.json", document.model_copy(update={"result": found}))
    sheet = tmp_path / "cases.tsv"
    sheet.write_text("case_id\timage_id\tassay\tpath\nc1\ti1\tihc\tseries\n")
    nothing = export(tmp_path / "e.geojson", [])
    assert take(out, nothing, "--cases", sheet)[0] == 3  # the file is faulty; the slide is the one measured
    coarsest = files_of(tmp_path / "series")[-1]
    header = pydicom.dcmread(coarsest)
    header.StudyInstanceUID = "2.25.4711"
    header.save_as(coarsest)
    code, words = take(out, nothing, "--cases", sheet)
    assert code == 2
    assert "the file of image 'i1' has changed since the run; run it again" in words
