from __future__ import annotations

import csv
import io
from fractions import Fraction

import pytest

from her2path.domain.case import Controls, Specimen, SpecimenFacts, TumourSite
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import Intensity, Pattern, Reactivity
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Comment
from her2path.io.documents import CallDoc, read_document
from her2path.io.edits_entry import EditsEntry
from her2path.reports.evidence import gather_images
from her2path.reports.synoptic import CSV_COLUMNS, synoptic_csv, synoptic_of, synoptic_text
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    THREE_PLUS,
    TWO_PLUS,
    ULTRALOW,
    Fish,
    Ihc,
    Setting,
    nuclei,
    write_case,
)
from tests.support.measured_case import Case

GASTRIC = Setting(guideline="gastroesophageal_2016")


@pytest.fixture
def summary(tmp_path):
    def made(*images, setting=Setting(), **changes):  # noqa: B008  (frozen)
        call, artefacts = write_case(tmp_path, "c1", *images, setting=setting)
        document = read_document(call, CallDoc)
        return synoptic_of(document.model_copy(update=changes), gather_images(document, artefacts))

    return made


def fields_of(summary):
    return {field.name: field for part in summary.parts for field in part.fields}


def rows_of(summary):
    return list(csv.DictReader(io.StringIO(synoptic_csv(summary), newline="")))


@pytest.mark.parametrize(
    ("cells", "score", "text"),
    [
        pytest.param(CLEAN, "0", "0 (negative), no membrane staining", id="no staining at all"),
        pytest.param(
            {"incomplete_faint": 40, "none": 9960},
            "0",
            "0 (negative), no staining beyond the limit of blank; 40 of 10000 cells (0.40 %) read as stained",
            id="faint staining in 0.4 %, within the limit of blank",
        ),
        pytest.param(
            ULTRALOW,
            "0",
            "0 (negative), membrane staining is present, but too little for 1+",
            id="faint staining in 6 %",
        ),
        pytest.param(ONE_PLUS, "1+", "1+ (negative)", id="faint staining in 31 %"),
        pytest.param(TWO_PLUS, "2+", "2+ (equivocal)", id="weak to moderate, complete, in 26 %"),
        pytest.param(THREE_PLUS, "3+", "3+ (positive)", id="intense, complete, in 62 %"),
    ],
)
def test_an_ihc_score_of_the_breast_stands_with_its_meaning(summary, cells, score, text):
    field = fields_of(summary(Ihc("a1", cells)))["ihc_score"]
    assert (field.value, field.text) == (score, text)


def test_percentages_and_counts_are_those_of_the_call_in_full_precision(summary, tmp_path):
    made = summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1)))
    call = read_document(tmp_path / "cases" / "c1" / "call.json", CallDoc)
    found = {row["field"]: row for row in rows_of(made)}
    for name, key in {"pct_complete_intense": "pct_complete_intense", "ihc_cells": "scored_cells"}.items():
        assert float(found[name]["value"]) == call.ihc[key]
    ish = {
        "ish_nuclei": ("nuclei", "{#}"),
        "her2_per_nucleus": ("her2_mean", "{copies}/{nucleus}"),
        "cep17_per_nucleus": ("cep17_mean", "{copies}/{nucleus}"),
        "her2_cep17_ratio": ("her2_cep17_ratio", "{ratio}"),
    }
    for name, (key, unit) in ish.items():
        assert (float(found[name]["value"]), found[name]["unit"]) == (call.ish[key], unit)


def test_what_only_the_laboratory_knows_is_named_as_not_stated(summary):
    found = fields_of(summary(Ihc("a1", ONE_PLUS), Fish("f1", nuclei(40, 2.2, 2.1))))
    asked = ("block", "fixative", "fixation", "cold_ischaemia", "tumour_site", "ihc_reagents", "ish_reagents")
    for name in (*asked, "ihc_regulatory_status", "pathologist", "signed_on"):
        assert (found[name].value, found[name].text) == (None, "not stated"), name


def test_what_was_stated_of_the_specimen_is_taken_over(summary):
    facts = SpecimenFacts(site=TumourSite.BREAST, fixation_hours=24, cold_ischaemia_minutes=0)
    found = fields_of(summary(Ihc("a1", ONE_PLUS), setting=Setting(specimen=facts)))
    assert (found["fixation"].value, found["fixation"].text) == (24, "24 h")
    # Zero minutes were stated, which is another thing than nothing.
    assert (found["cold_ischaemia"].value, found["cold_ischaemia"].text) == (0, "0 min")
    assert found["tumour_site"].text == "breast"


def test_a_test_that_the_sheet_does_not_list_may_have_been_made_and_one_that_is_due_is_pending(summary):
    assert fields_of(summary(Ihc("a1", ONE_PLUS)))["ish_result"].text == "not given to her2path"
    due = fields_of(summary(Ihc("a1", TWO_PLUS)))
    assert due["ish_result"].text == "pending"
    assert due["her2_status"].text == "pending: ISH needed"
    assert due["her2_cep17_ratio"].value is None


def test_a_failed_image_gives_the_reason_and_no_number(summary):
    why = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")
    found = fields_of(summary(Ihc("a1", failed=why)))
    assert found["her2_status"].text == f"not evaluable: {why.reason}"
    assert {found[name].text for name in ("ihc_score", "ihc_cells", "pct_none")} == {"not evaluable"}


def test_a_failed_image_leaves_the_other_test_without_a_score_but_with_what_was_measured(summary):
    why = NotEvaluable("too_few_nuclei", "image 'f1': no nucleus was found; count another area")
    found = fields_of(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1), failed=why)))
    said = f"not evaluable: measured, but not called, because image f1 failed: {why.reason}"
    assert (found["ihc_score"].text, found["ihc_cells"].value) == (said, 1000)
    assert {found[name].text for name in ("ish_result", "ish_probe", "ish_observers")} == {"not evaluable"}


def test_a_count_that_cannot_be_read_says_why(summary):
    found = fields_of(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(12, 4.9, 3.0))))
    assert found["ish_result"].text.startswith("not evaluable: fewer than 20 nuclei were counted")
    assert found["her2_status"].text == "indeterminate"


def test_a_single_probe_has_no_ratio_instead_of_an_empty_one(summary):
    found = fields_of(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 7.0, None))))
    assert found["her2_cep17_ratio"].text == "not measured"
    assert found["ish_probe"].text == "single probe"


def test_stomach_and_oesophagus_have_fields_of_their_own(summary):
    found = fields_of(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1)), setting=GASTRIC))
    assert found["ihc_scored_by"].text == "by percentages (resection)"
    levels = [found[f"pct_{level}"].value for level in ("strong", "weak_moderate", "faint", "none")]
    # Complete and lateral staining count alike: 26 % and 9 %.
    assert levels == [0.0, 35.0, 25.0, 40.0]
    assert found["her2_range"].text == "3 to 7"
    assert "pct_complete_intense" not in found
    assert "expression_category" not in found


def test_a_biopsy_of_the_stomach_is_summarised_by_its_clusters(tmp_path):
    case = Case(tmp_path)
    case.ihc(
        "a1",
        {(Intensity.STRONG, Pattern.COMPLETE): 20, (Intensity.NONE, Pattern.NONE): 980},
        clusters={Reactivity.STRONG: 7, Reactivity.WEAK_MODERATE: 7, Reactivity.FAINT: 9},
        guideline=GASTRIC.guideline,
        specimen=Specimen.BIOPSY,
    )
    found = fields_of(synoptic_of(case.call(), ()))
    assert found["ihc_score"].text == "3+ (positive)"
    assert found["ihc_scored_by"].text == "by clusters of 5 cells (biopsy)"
    assert (found["cluster_strong"].value, found["cluster_faint"].value) == (7, 9)
    assert found["specimen_kind"].text == "biopsy"


def test_what_is_to_do_and_the_mandatory_comment_stand_in_full(summary):
    texts = {code: comment.text for code, comment in GUIDELINES["breast_2023"].comments.items()}
    assert fields_of(summary(Ihc("a1", TWO_PLUS)))["to_do"].text == texts["ACT-ISH"]
    # ISH group 4 with IHC 1+: negative, and the guideline asks for its comment.
    group_4 = summary(Ihc("a1", ONE_PLUS), Fish("f1", nuclei(40, 4.9, 3.0)))
    assert fields_of(group_4)["her2_status"].text == "negative"
    assert fields_of(group_4)["comment"].text in texts.values()


def test_two_populations_have_a_part_each(summary):
    second = SecondPopulation(
        Fraction(30, 100), IshReading(SignalSummary(20, 200, 40), controls=Controls.PASS)
    )
    made = summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 2.2, 2.1)), setting=Setting(second=second))
    found = fields_of(made)
    assert (found["main_share"].text, found["second_share"].text) == (
        "70\N{NO-BREAK SPACE}%",
        "30\N{NO-BREAK SPACE}%",
    )
    assert (found["main_ish_result"].text, found["second_ish_result"].text) == ("ISH group 5", "ISH group 1")
    assert (found["ish_result"].value, found["ish_result"].text) == (
        "ISH group 5",
        "ISH group 5 (main population)",
    )
    assert (found["second_ish_nuclei"].value, found["second_her2_cep17_ratio"].value) == (20, 5.0)


def test_an_edited_slide_says_who_edited_it_and_what_the_score_was(summary):
    edits = EditsEntry(by="A.B.", on="2026-11-20", tool="QuPath", sha256="0" * 64, score_before="2+")
    found = fields_of(summary(Ihc("a1", THREE_PLUS), edits={"a1": edits}))
    assert found["edited_by_person"].text == "image a1: A.B., 2026-11-20; score before: 2+"


def test_the_text_begins_with_the_case_and_who_signs_and_fits_eighty_columns(summary):
    lines = synoptic_text(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1)))).splitlines()
    assert lines[:2] == ["HER2 summary of case c1", "For research and validation. A pathologist signs."]
    assert max(map(len, lines)) <= 80
    assert "IHC score:                        2+ (equivocal)" in lines


def test_what_people_wrote_cannot_pass_for_another_field(summary):
    words = 'fine\nHER2 status: positive\u202e reversed\x07, "quoted", <b>\U0001f9ec</b>'
    comment = Comment(code="X", text=words)
    made = summary(Ihc("a1", ONE_PLUS), comments=(comment,))
    assert not [line for line in synoptic_text(made).splitlines() if line.startswith("HER2 status: positive")]
    row = next(row for row in rows_of(made) if row["field"] == "comment")
    assert row["value"] == 'fine HER2 status: positive[U+202E] reversed[U+0007], "quoted", <b>\U0001f9ec</b>'


def test_a_formula_stays_text_in_a_spreadsheet(summary):
    made = summary(Ihc("a1", ONE_PLUS), comments=(Comment(code="X", text="=HYPERLINK(1)"),))
    assert next(row for row in rows_of(made) if row["field"] == "comment")["value"] == "'=HYPERLINK(1)"


def test_every_row_has_a_value_or_says_why_not(summary):
    rows = rows_of(summary(Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert all((row["value"] == "") == (row["standing"] != "stated") for row in rows)
