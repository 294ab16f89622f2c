"""What a page says where something of its case is missing or of another version; it is still made."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from her2path.errors import ArtefactError
from her2path.io.documents import write_document
from her2path.io.edits_entry import EditsEntry
from her2path.io.pictures import of_slide
from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.case_documents import ONE_PLUS, SHA, TWO_PLUS, Fish, Ihc, call_doc, nuclei, write_case
from tests.support.pages import Page

BOTH = [Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 3.0))]


def text_of(root, call, artefacts):
    report = root / "report.html"
    case_report.run(call=call, artefact=artefacts, report=report, params=CaseReportParams())
    return Page(report.read_text(encoding="utf-8")).text


def restamped(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def of(artefacts, name):
    return next(path for path in artefacts if path.name == name)


def test_the_page_of_a_pending_case_says_that_it_is_no_result(tmp_path):
    text = text_of(tmp_path, *write_case(tmp_path, "c1", Ihc("a1", TWO_PLUS)))
    assert "Pending: ISH is needed" in text
    assert "This is not a final HER2 result." in text


@pytest.mark.parametrize("name", ["slide.json", "quality.json", "ihc_score.json"])
def test_an_image_whose_results_another_version_wrote_is_left_out_and_named(tmp_path, name):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    kind = name.removesuffix(".json")
    restamped(of(artefacts, name), schema_version=f"{kind}/0")
    text = text_of(tmp_path, call, artefacts)
    assert f"The results of image a1 were written by another version of her2path (a1/{name} holds" in text
    assert "Image a1: score" not in text
    assert "This report could not show everything" in text
    assert "HER2 " in text


@pytest.mark.parametrize("name", ["overlay.png", "gallery.png"])
def test_a_picture_of_another_slide_is_not_shown_under_this_case(tmp_path, name):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    picture = of(artefacts, name)
    plain = picture.read_bytes()
    picture.write_bytes(of_slide(plain, SHA))
    assert "is of another image" not in text_of(tmp_path, call, artefacts)
    picture.write_bytes(of_slide(plain, "ef" * 32))
    text = text_of(tmp_path, call, artefacts)
    where = f"{picture.parent.name}/{name}"
    assert f"Picture {where} cannot be shown: is of another image; run the case again to make it." in text


def test_nuclei_of_another_version_are_not_shown(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    path = of(artefacts, "fish_nuclei.parquet")
    table = pq.read_table(path)
    stamp = {**table.schema.metadata, b"her2path.table_version": b"1"}
    pq.write_table(table.replace_schema_metadata(stamp), path)
    text = text_of(tmp_path, call, artefacts)
    assert "f1/fish_nuclei.parquet holds table fish_nuclei version 1" in text


def test_a_call_of_another_version_gives_a_page_without_any_number(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    restamped(call, schema_version="call/3")
    text = text_of(tmp_path, call, artefacts)
    assert "Case c1" in text
    assert "The result cannot be shown" in text
    assert "holds 'call/3'" in text
    assert "HER2 positive" not in text
    assert "HER2 negative" not in text


def test_results_that_another_version_made_in_the_same_form_are_shown_with_a_note(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    document = json.loads(call.read_text())
    restamped(call, produced_by={**document["produced_by"], "version": "0.0.9"})
    text = text_of(tmp_path, call, artefacts)
    assert "Version 0.0.9 of her2path made call.json" in text
    assert "The numbers are shown as they were stored." in text


def test_documents_that_the_call_was_not_made_from_are_still_refused(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *BOTH)
    document = call_doc("c1", *BOTH)
    write_document(call, document.model_copy(update={"inputs": {"a1/ihc_score": "0" * 64}}))
    with pytest.raises(ArtefactError, match="was made from another a1/ihc_score"):
        text_of(tmp_path, call, artefacts)


def test_an_edited_slide_says_by_whom_when_and_what_it_was_before(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", ONE_PLUS))
    entry = EditsEntry(
        by="r7",
        on="2026-11-20",
        tool="QuPath 0.6",
        sha256="ab" * 32,
        comment="<b>folded</b> edge",
        regions_changed={"Tumor": 2},
        cells_changed={"Tumor: 2+": {"Tumor: 1+": 14}},
        cells_let_in=120,
        score_before="2+",
        h_score_before=131.25,
        scored_cells_before=900,
    )
    document = call_doc("c1", Ihc("a1", ONE_PLUS))
    write_document(call, document.model_copy(update={"edits": {"a1": entry}}))
    text = text_of(tmp_path, call, artefacts)
    assert "Edited by r7 on 2026-11-20 in QuPath 0.6." in text
    assert "without the edits, the slide was scored 2+, H-score 131.2" in text
    assert "14 cells from Tumor: 2+ to Tumor: 1+." in text
    assert "<b>folded</b> edge" in text
