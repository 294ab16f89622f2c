from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from her2path.domain.case import Controls
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.documents import CallDoc, QualityDoc, write_document
from her2path.steps import cohort_report
from her2path.steps.cohort_report import CohortReportParams
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    THREE_PLUS,
    TWO_PLUS,
    Fish,
    Ihc,
    Setting,
    call_doc,
    nuclei,
)
from tests.support.cohorts import write_cohort, write_sheet
from tests.support.pages import Page

CASES = {
    "n1": [Ihc(cells=ONE_PLUS)],
    "p1": [Ihc(cells=THREE_PLUS)],
    "w1": [Ihc(cells=TWO_PLUS)],
    "x1": [Ihc(failed=NotEvaluable("no_tissue", "<b>no tissue</b>; check `mpp`"))],
    "n2": [Ihc(cells=CLEAN)],
    "w2": [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 3.3, 1.3))],
}


def outputs(root, cases=CASES, pdf=None):
    written = {case_id: (images, Setting()) for case_id, images in cases.items()}
    outputs_of(root, written, pdf)
    return (root / "calls.csv").read_bytes().decode(), (root / "cohort.html").read_text(encoding="utf-8")


def run_again(root, sheet=None, pdf=None):
    cohort_report.run(
        sheet=sheet or root / "cases.tsv",
        cases=root / "cases",
        images=root / "images",
        pdf=pdf,
        calls=root / "calls.csv",
        table=root / "calls.parquet",
        cohort=root / "cohort.html",
        params=CohortReportParams(),
    )


def outputs_of(root, cases, pdf=None):
    for case_id, (images, setting) in cases.items():
        write_document(root / "cases" / case_id / "call.json", call_doc(case_id, *images, setting=setting))
    sheet = write_sheet(root, {case_id: images for case_id, (images, _) in cases.items()})
    run_again(root, sheet, pdf)
    return Page((root / "cohort.html").read_text(encoding="utf-8")).text


def links(html):
    return re.findall(r'<a href="(cases/[^"]+)">', html)


def test_every_case_is_linked_once_those_to_act_on_first(tmp_path):
    _, html = outputs(tmp_path)
    order = ["x1", "w2", "w1", "p1", "n1", "n2"]
    assert links(html) == [f"cases/{case_id}/report.html" for case_id in order]
    assert "3 of 6 cases have no final call" in html


def test_the_table_for_spreadsheets_keeps_the_order_of_the_sheet(tmp_path):
    text, _ = outputs(tmp_path)
    assert [line.split(",")[0] for line in text.split("\r\n")[1:-1]] == list(CASES)


def test_bars_count_every_case_in_each_chart(tmp_path):
    _, html = outputs(tmp_path)
    descriptions = re.findall(r"<desc>([^<]*)</desc>", html)
    assert [sum(int(n) for n in re.findall(r": (\d+)", text)) for text in descriptions] == [6, 6, 6, 6, 6]
    assert "IHC 2+: 2" in descriptions[1]
    assert "ISH group 2: 1" in descriptions[2]


def test_the_page_fetches_nothing_and_its_only_script_is_its_own(tmp_path):
    _, html = outputs(tmp_path)
    assert html.count("<script>") == html.count("<script") == 1
    assert not re.search(r"""\bsrc=|@import|url\((?!"data:)|<link|fetch\(|XMLHttpRequest""", html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}


def test_reasons_are_escaped(tmp_path):
    _, html = outputs(tmp_path)
    assert "&lt;b&gt;no tissue&lt;/b&gt;; check <code>mpp</code>" in html


def test_the_same_calls_give_the_same_bytes(tmp_path):
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")


def test_a_cohort_without_a_pending_case_says_so(tmp_path):
    _, html = outputs(tmp_path, {"n1": CASES["n1"]})
    assert "All cases have a final call." in html


def test_what_another_version_would_change_is_counted_for_the_cohort(tmp_path):
    group_3 = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(30, 6.2, 3.2))]
    text = outputs_of(
        tmp_path,
        {
            "a": (group_3, Setting("breast_2013")),
            "b": (group_3, Setting("breast_2013")),
            "c": ([Ihc(cells=ONE_PLUS)], Setting("breast_2013")),
        },
    )
    assert "breast_2018 3 2 2 positive → recount needed" in text
    assert "breast_2015 3 0 none" in text


def test_guidelines_without_other_versions_are_compared_with_none(tmp_path):
    text = outputs_of(tmp_path, {"a": ([Ihc(cells=ONE_PLUS)], Setting("gastroesophageal_2016"))})
    assert "What another version" not in text


def test_the_chance_that_another_count_differs_stands_beside_the_ratio(tmp_path):
    near = [(4, 2)] * 9 + [(3, 2)] * 5 + [(6, 3)] * 4 + [(7, 3), (5, 2)]
    text = outputs_of(tmp_path, {"a": ([Ihc(cells=TWO_PLUS), Fish(nuclei=near)], Setting("breast_2018"))})
    assert "4.35 1.93 23.9 %" in text


def test_both_populations_of_a_case_stand_in_its_row(tmp_path):
    second = SecondPopulation(Fraction(3, 10), IshReading(SignalSummary(22, 190, 44), controls=Controls.PASS))
    images = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 2.6, 2.1))]
    text = outputs_of(tmp_path, {"a": (images, Setting("breast_2018", second=second))})
    assert "group 5 and group 1" in text


def test_a_case_of_two_populations_is_sorted_by_the_less_firm_of_both_counts(tmp_path):
    second = SecondPopulation(Fraction(3, 10), IshReading(SignalSummary(20, 80, 40), controls=Controls.PASS))
    images = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 2.0, 2.0))]
    text = outputs_of(tmp_path, {"a": (images, Setting("breast_2018", second=second))})
    assert "< 0.01 % and 63.6 %" in text
    assert 'data-key="0.635' in (tmp_path / "cohort.html").read_text(encoding="utf-8")


def test_nuclei_that_are_all_alike_have_no_chance_in_the_row(tmp_path):
    alike = [Ihc(cells=TWO_PLUS), Fish(nuclei=[(4, 2)] * 20)]
    text = outputs_of(tmp_path, {"a": (alike, Setting("breast_2018"))})
    assert "4.00 2.00 not known" in text


def test_a_pdf_is_linked_only_where_one_is_made(tmp_path):
    _, without = outputs(tmp_path / "a")
    _, html = outputs(tmp_path / "b", pdf=Path("report.pdf"))
    assert 'href="cases/n1/report.pdf"' in html
    assert "report.pdf" not in without


def test_a_case_that_left_the_sheet_is_not_in_the_cohort_though_its_results_lie_there(tmp_path):
    outputs(tmp_path)
    text, html = outputs(tmp_path, {"n1": CASES["n1"]})
    assert (tmp_path / "cases" / "p1" / "call.json").is_file()
    assert "p1" not in html
    assert text.count("\r\n") == 2


def test_calls_of_another_version_are_told(tmp_path):
    outputs(tmp_path)
    path = tmp_path / "cases" / "n1" / "call.json"
    path.write_text(path.read_text().replace('"version": "0.1.0"', '"version": "0.0.9"'))
    run_again(tmp_path)
    text = Page((tmp_path / "cohort.html").read_text(encoding="utf-8")).text
    assert "Not all calls are of this version of her2path" in text
    assert "1 call by 0.0.9" in text


def test_a_quality_of_another_version_is_not_known_and_the_page_is_still_made(tmp_path):
    sheet = write_cohort(tmp_path, 3)
    for path in (tmp_path / "images").glob("*/quality.json"):
        path.write_text(path.read_text().replace(f"quality/{QualityDoc.version}", "quality/1"))
    run_again(tmp_path, sheet)
    assert "not known" in Page((tmp_path / "cohort.html").read_text(encoding="utf-8")).text


def test_a_call_that_another_version_wrote_stands_apart_and_the_page_is_still_made(tmp_path):
    outputs(tmp_path)
    path = tmp_path / "cases" / "n1" / "call.json"
    path.write_text(path.read_text().replace(f"call/{CallDoc.version}", "call/1"))
    run_again(tmp_path)
    text = Page((tmp_path / "cohort.html").read_text(encoding="utf-8")).text
    assert "1 case cannot be shown" in text
    assert "HER2 calls of 5 cases" in text
    assert "\nn1," not in (tmp_path / "calls.csv").read_text()


def test_a_cohort_that_another_version_wrote_as_a_whole_says_so(tmp_path):
    outputs(tmp_path)
    for path in (tmp_path / "cases").glob("*/call.json"):
        path.write_text(path.read_text().replace(f"call/{CallDoc.version}", "call/1"))
    run_again(tmp_path)
    text = Page((tmp_path / "cohort.html").read_text(encoding="utf-8")).text
    assert "6 cases cannot be shown" in text
    assert "No case can be shown." in text


def test_a_missing_call_is_named(tmp_path):
    outputs(tmp_path)
    (tmp_path / "cases" / "w1" / "call.json").unlink()
    with pytest.raises(ArtefactError, match="call.json"):
        run_again(tmp_path)


def test_both_tables_and_the_page_are_the_same_bytes_for_the_same_cohort(tmp_path):
    made = []
    for name in ("a", "b"):
        run_again(tmp_path / name, write_cohort(tmp_path / name, 40))
        names = ("calls.csv", "calls.parquet", "cohort.html")
        made.append([(tmp_path / name / file).read_bytes() for file in names])
    assert made[0] == made[1]
