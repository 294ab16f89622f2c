from __future__ import annotations

import pytest

from her2path.domain.control_tissue import ControlVerdict
from her2path.io.control_entries import ControlEntry
from her2path.io.documents import CallDoc, read_document
from her2path.reports.control_section import VERDICTS, control_sections
from her2path.reports.evidence import gather_images
from her2path.steps.case_report import CaseReportParams, run
from tests.support.case_documents import TWO_PLUS, Ihc, write_case
from tests.support.pages import Page

ACCEPTED = ControlEntry(
    piece="left",
    expected="3+",
    score="3+",
    possible=("3+",),
    cells=234,
    percentages={"complete_intense": 61.3, "none": 38.75, "stained": 61.3},
    verdict=ControlVerdict.ACCEPTED,
    reason="scores 3+, as it should",
)
FAILED = ControlEntry(
    piece="2", expected="0", score="2+", cells=80, verdict=ControlVerdict.FAILED, reason="scores 2+"
)
DRAWN = ControlEntry(
    piece="region 1", cells=3, verdict=ControlVerdict.NOT_EVALUABLE, reason="could not be scored"
)


def sections(root, *control: ControlEntry):
    call, artefacts = write_case(root, "c1", Ihc("a1", TWO_PLUS, control=control))
    return control_sections(gather_images(read_document(call, CallDoc), artefacts), {})


def test_a_slide_without_control_tissue_has_no_section(tmp_path):
    assert sections(tmp_path) == ()


def test_expected_and_found_stand_side_by_side(tmp_path):
    (section,) = sections(tmp_path, ACCEPTED, FAILED, DRAWN)
    assert [(r.number, r.place, r.expected, r.found, r.cells) for r in section.rows] == [
        ("1", "left end of the slide", "3+", "3+", "234"),
        ("2", "piece 2", "0", "2+", "80"),
        ("3", "drawn region 1", "not stated", "none", "3"),
    ]
    assert [row.verdict.words for row in section.rows] == ["accepted", "failed", "not evaluable"]
    assert section.rows[0].staining == "complete, intense 61.3\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("control", "words"),
    [
        pytest.param((ACCEPTED,), "the run has passed", id="accepted"),
        pytest.param(
            (ACCEPTED, FAILED), "the run has failed, so the test is rejected", id="one of two failed"
        ),
    ],
)
def test_what_the_controls_mean_for_the_run_is_said(tmp_path, control, words):
    (section,) = sections(tmp_path, *control)
    assert words in section.run


def test_no_two_verdicts_look_alike():
    assert len({(v.look, v.symbol) for v in VERDICTS.values()}) == len(ControlVerdict)


def test_the_page_of_a_case_shows_its_control_tissue(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", TWO_PLUS, control=(ACCEPTED, FAILED)))
    report = tmp_path / "report.html"
    run(call=call, artefact=list(artefacts), report=report, params=CaseReportParams())
    page = Page(report.read_text(encoding="utf-8"))
    assert "Control tissue on the slide" in page.text
    assert "scores 3+, as it should" in page.text
