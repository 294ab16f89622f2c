"""What a page takes of a slide, what it leaves out for its weight, and what it says is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from her2path.io.documents import CallDoc, read_document, write_document
from her2path.io.edited_cells import places_digest
from her2path.io.edits_documents import DrawnRegion, EditsDoc, EditsResult, GivenClass
from her2path.io.files import sha256_of
from her2path.io.tables import IHC_CELLS, read_table
from her2path.reports.evidence import gather_images
from her2path.reports.shown_cells import NOT_SCORED
from her2path.reports.slide_material import SlideLimits, gather_slide
from her2path.reports.slide_section import slide_section
from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.pages import Page
from tests.support.viewed_case import write_viewed_case

ROOM = SlideLimits(5_000_000, 50_000, 20_000)


@pytest.fixture
def case(tmp_path):
    return write_viewed_case(tmp_path, cells=600, size_px0=(900, 700))


def image_of(case, *, without=()):
    call, artefacts = case
    kept = [path for path in artefacts if path.name not in without]
    (image,) = gather_images(read_document(call, CallDoc), kept)
    return image


def test_a_slide_is_gathered_with_cells_tissue_and_the_hot_spots_of_its_score(case):
    gathered = gather_slide(image_of(case), ROOM)
    assert gathered.gaps == ()
    assert sum(gathered.slide.cells.drawn) == 600
    assert [area.kind for area in gathered.slide.areas] == ["tissue"]
    assert len(gathered.slide.view.spots) == 2
    assert {"view.tif", "ihc_cells.parquet", "ihc_contours.parquet"} <= gathered.used.keys()


def test_a_page_that_is_full_takes_coarser_tiles_then_fewer_hot_spots(case):
    whole = gather_slide(image_of(case), ROOM).slide.view
    coarser = gather_slide(image_of(case), replace(ROOM, tiles_bytes=whole.total_bytes - 1)).slide.view
    assert coarser.levels == whole.levels[1:]
    assert coarser.spots == whole.spots
    least = whole.levels[-1]
    fewer = sum(map(len, least.tiles)) + len(whole.spots[0].jpeg)
    gathered = gather_slide(image_of(case), replace(ROOM, tiles_bytes=fewer))
    assert len(gathered.slide.view.spots) == 1
    assert gathered.gaps == ("Only the first 1 of 2 hot spots fit into the page; hotspots.png shows all.",)


def test_several_slides_share_what_a_page_may_hold():
    assert ROOM.shared_by(2) == SlideLimits(2_500_000, 25_000, 10_000)


def test_a_missing_view_is_a_gap(case):
    gathered = gather_slide(image_of(case, without={"view.tif"}), ROOM)
    assert gathered.slide is None
    assert gathered.gaps == ("The slide cannot be shown: a1/view.tif is missing.",)


def test_the_view_of_another_slide_is_not_shown_under_this_case(case):
    image = image_of(case)
    files = (image.slide.result.files[0].model_copy(update={"sha256": "ef" * 32}),)
    other = image.slide.result.model_copy(update={"files": files})
    gathered = gather_slide(replace(image, slide=image.slide.model_copy(update={"result": other})), ROOM)
    assert gathered.slide is None
    assert gathered.gaps == ("The slide cannot be shown: a1/view.tif is of another image.",)


def test_cells_that_the_score_was_not_counted_from_are_not_drawn(case):
    image = image_of(case)
    score = image.score.model_copy(update={"inputs": {**image.score.inputs, "cells": "0" * 64}})
    gathered = gather_slide(replace(image, score=score), ROOM)
    assert gathered.slide.cells is None
    assert "ihc_cells.parquet is not the file that the score was counted from" in gathered.gaps[0]


def test_hot_spots_of_another_score_are_not_shown(case):
    image = image_of(case)
    result = image.score.result.model_copy(update={"hot_spots": image.score.result.hot_spots[:1]})
    other = replace(image, score=image.score.model_copy(update={"result": result}))
    assert gather_slide(other, ROOM).slide.view.spots == ()


def test_a_choice_of_cells_is_said_with_both_numbers(case):
    section = slide_section(gather_slide(image_of(case), replace(ROOM, cells=300)).slide, 1)
    assert "300 of 600 cells are drawn" in section.choice
    assert "All percentages and counts in this report are of all cells." in section.choice
    assert slide_section(gather_slide(image_of(case), ROOM).slide, 1).choice == ""


def test_points_are_told_from_outlines(case):
    section = slide_section(gather_slide(image_of(case), replace(ROOM, outlines=100)).slide, 1)
    assert "100 of the drawn cells have an outline; the others are signs only." in section.choice


def test_a_coarse_view_says_that_it_is_too_coarse(case):
    slide = gather_slide(image_of(case), ROOM).slide
    coarse = replace(slide, view=replace(slide.view, levels=slide.view.levels[-1:]))
    words = slide_section(coarse, 1).resolution
    assert "too coarse to judge single membranes outside the hot spots" in words
    assert "Hot spots are held at 0.25 µm per pixel (about 40×)." in words


def test_a_slide_of_an_oil_objective_is_named_as_such(case):
    slide = replace(gather_slide(image_of(case), ROOM).slide, mpp=0.1)
    assert "it was scanned at 0.10 µm per pixel (about 100×)." in slide_section(slide, 1).resolution


def test_layers_have_signs_words_and_counts_beside_their_colours(case):
    section = slide_section(gather_slide(image_of(case), ROOM).slide, 1)
    assert [layer.label.split()[0] for layer in section.cell_layers] == ["3+", "2+", "1+", "0", "not"]
    assert len({str(layer.sign) for layer in section.cell_layers}) == 5
    assert all("cells" in layer.count for layer in section.cell_layers)


def test_no_text_can_end_the_data_of_a_page(case):
    slide = gather_slide(image_of(case), ROOM).slide
    evil = replace(slide.areas[0], kind="</script><script>alert(1)</script>, edited")
    section = slide_section(replace(slide, areas=(evil,)), 1)
    assert "<" not in section.facts
    json.loads(section.facts)
    assert "alert" in section.area_layers[0].label


def test_the_page_of_a_slide_is_light_and_the_same_each_time(case, tmp_path):
    call, artefacts = case
    pages = []
    for name in ("one", "other"):
        case_report.run(call=call, artefact=artefacts, report=tmp_path / name, params=CaseReportParams())
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 8_000_000


def test_the_page_runs_its_own_script_and_no_other(case, tmp_path):
    call, artefacts = case
    case_report.run(call=call, artefact=artefacts, report=tmp_path / "page", params=CaseReportParams())
    html = (tmp_path / "page").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline'; script" not in policy.replace("style-src 'unsafe-inline'", "style")
    page = Page(html)
    run = [attrs for tag, attrs in page.tags if tag == "script" and "type" not in attrs]
    assert len(run) == 1
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def edited(case, **changes):
    """Put a person's edits beside the artefacts, as `her2path qupath import` and `ihc_score` leave them."""
    _, artefacts = case
    folder = artefacts[0].parent
    places = read_table(folder / "ihc_cells.parquet", IHC_CELLS)
    x, y = (places[name].to_numpy() for name in ("x_px0", "y_px0"))
    image = image_of(case)
    known = {
        "by": "r7",
        "on": "2026-11-20",
        "tool": "QuPath 0.6",
        "sha256": "cd" * 32,
        "image_id": "a1",
        "image_files": tuple(file.sha256 for file in image.slide.result.files),
        "cells": len(x),
        "places_sha256": places_digest(x, y),
    }
    path = folder / "edits" / "edits.json"
    document = EditsDoc(produced_by=image.slide.produced_by, result=EditsResult(**{**known, **changes}))
    write_document(path, document)
    inputs = {**image.score.inputs, "edits": sha256_of(path)}
    return replace(image, score=image.score.model_copy(update={"inputs": inputs})), path


def test_a_cell_is_drawn_in_the_class_that_a_person_gave_it(case):
    before = gather_slide(image_of(case), ROOM).slide.cells.drawn
    given = GivenClass(cell_id=1, x_px0=0, y_px0=0, measured="Tumor: Negative", given="Tumor: 3+")
    image, _ = edited(case, corrections=(given,))
    gathered = gather_slide(image, ROOM)
    assert gathered.gaps == ()
    assert gathered.slide.cells.drawn[3] == before[3] + 1
    assert gathered.slide.cells.drawn[0] == before[0] - 1
    assert "edits/edits.json" in gathered.used


def test_regions_that_a_person_drew_are_outlined_and_let_their_cells_in(case):
    box = ((0.0, 0.0), (900.0, 0.0), (900.0, 700.0), (0.0, 700.0), (0.0, 0.0))
    image, _ = edited(case, regions=(DrawnRegion(kind="Tumor", polygons=((box,),)),))
    slide = gather_slide(image, ROOM).slide
    assert slide.cells.drawn[NOT_SCORED] == 0
    words = "tumour region (Tumor), drawn by a person who edited the slide"
    assert words in [layer.label for layer in slide_section(slide, 1).area_layers]


def test_edits_that_the_score_was_not_made_from_leave_the_cells_out(case):
    image, path = edited(case)
    path.unlink()
    gathered = gather_slide(image, ROOM)
    assert gathered.slide.cells is None
    assert "a1/edits/edits.json is missing" in gathered.gaps[0]


def test_an_edited_slide_whose_cells_are_missing_is_shown_without_them(case):
    image, _ = edited(case)
    files = {name: path for name, path in image.files.items() if name != "ihc_cells.parquet"}
    gathered = gather_slide(replace(image, files=files), ROOM)
    assert gathered.slide.cells is None
    assert "a1/ihc_cells.parquet is missing" in gathered.gaps[0]


def test_a_slide_without_an_overlay_has_a_still_picture_of_its_own(case, tmp_path):
    call, artefacts = case
    slide = gather_slide(image_of(case), ROOM).slide
    still = slide_section(slide, 1, with_still=True).still
    assert (still.width, still.height) == (900, 700)
    assert [(tile.x, tile.y) for tile in still.tiles][:5] == [(0, 0), (256, 0), (512, 0), (768, 0), (0, 256)]
    kept = [path for path in artefacts if path.name != "overlay.png"]
    case_report.run(call=call, artefact=kept, report=tmp_path / "page", params=CaseReportParams())
    assert "The slide as a whole" in (tmp_path / "page").read_text(encoding="utf-8")
