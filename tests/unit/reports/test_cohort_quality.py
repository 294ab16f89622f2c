from __future__ import annotations

from her2path.domain.case import Assay
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Reason
from her2path.io.cohort_files import CohortCase, ImageFile
from her2path.io.documents import QualityDoc
from her2path.io.quality_entries import Finding, QualityResult
from her2path.reports.cohort_quality import Verdict, case_quality, quality_overview
from tests.support.case_documents import CLEAN, Ihc, call_doc, producer_of

OUT_OF_FOCUS = Finding(code="out_of_focus", severity="warning", message="12 % of the tissue")
NO_DAB = Finding(code="no_dab", severity="info", message="no DAB")
GOOD = call_doc("c1", Ihc("i1", CLEAN))


def quality(*findings):
    verdict = "usable" if any(f.severity == "warning" for f in findings) else "good"
    result = QualityResult(verdict=verdict, tissue_mm2=1.6, mask_mpp=4.0, findings=findings)
    return QualityDoc(produced_by=producer_of("slide_quality"), result=result)


def image(name, found, assay=Assay.IHC):
    return ImageFile(name, assay, found)


def test_a_case_is_as_good_as_its_worst_image():
    images = (image("i1", quality()), image("f1", quality(OUT_OF_FOCUS), Assay.FISH))
    found = case_quality(CohortCase(GOOD, images))
    assert found.verdict is Verdict.USABLE
    assert found.words == "with warnings: out of focus"


def test_a_note_is_no_warning_and_leaves_the_case_good():
    found = case_quality(CohortCase(GOOD, (image("i1", quality(NO_DAB)),)))
    assert found.words == "good"
    assert found.notes == ("no_dab",)


def test_an_image_that_was_not_examined_is_not_taken_for_a_good_one():
    found = case_quality(CohortCase(GOOD, (image("i1", quality()), image("i2", None))))
    assert found.words == "not known"


def test_an_image_that_looked_good_but_failed_later_is_not_evaluable():
    why = NotEvaluable("too_few_tumour_cells", "fewer than 50 tumour cells were found")
    case = CohortCase(call_doc("c1", Ihc("i1", failed=why)), (image("i1", quality()),))
    assert case_quality(case).verdict is Verdict.NOT_EVALUABLE


def test_an_image_whose_quality_refused_it_is_not_evaluable():
    reason = Reason(code="no_tissue", reason="no tissue was found")
    refused = QualityDoc(produced_by=producer_of("slide_quality"), not_evaluable=reason)
    assert case_quality(CohortCase(GOOD, (image("i1", refused),))).verdict is Verdict.NOT_EVALUABLE


def test_verdicts_are_counted_by_the_kind_of_image():
    first = CohortCase(GOOD, (image("i1", quality()), image("f1", quality(OUT_OF_FOCUS), Assay.FISH)))
    second = CohortCase(GOOD, (image("i2", quality()),))
    found = quality_overview([first, second])
    assert found.headings == ("not evaluable", "with warnings", "good")
    assert [(row.assay, row.images, row.counts) for row in found.verdicts] == [
        ("IHC", "2", ("0", "0", "2")),
        ("FISH", "1", ("0", "1", "0")),
    ]


def test_findings_name_the_images_and_the_cases_what_stops_a_result_first():
    why = NotEvaluable("no_tissue", "no tissue was found; scan again")
    cases = [
        CohortCase(GOOD, (image("i1", quality(OUT_OF_FOCUS, NO_DAB)), image("i2", quality(OUT_OF_FOCUS)))),
        CohortCase(call_doc("c2", Ihc("i3", failed=why)), (image("i3", None),)),
    ]
    found = [(row.words, row.kind, row.images, row.cases) for row in quality_overview(cases).findings]
    assert found == [
        ("no tissue was found", "no result", "1", "1"),
        ("out of focus", "warning", "2", "1"),
        ("no DAB found", "note", "1", "1"),
    ]
