from __future__ import annotations

import re

from her2path.domain.verdict import NotEvaluable
from her2path.io.documents import write_document
from her2path.steps import cohort_report
from her2path.steps.cohort_report import CohortReportParams
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    THREE_PLUS,
    TWO_PLUS,
    Fish,
    Ihc,
    call_doc,
    nuclei,
)

CASES = {
    "n1": [Ihc(cells=ONE_PLUS)],
    "p1": [Ihc(cells=THREE_PLUS)],
    "w1": [Ihc(cells=TWO_PLUS)],
    "x1": [Ihc(failed=NotEvaluable("no_tissue", "<b>no tissue</b>; check `mpp`"))],
    "n2": [Ihc(cells=CLEAN)],
    "w2": [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 3.3, 1.3))],
}


def outputs(root, cases=CASES):
    paths = []
    for case_id, images in cases.items():
        path = root / "cases" / case_id / "call.json"
        write_document(path, call_doc(case_id, *images))
        paths.append(path)
    calls, cohort = root / "calls.csv", root / "cohort.html"
    cohort_report.run(call=paths, calls=calls, cohort=cohort, params=CohortReportParams())
    return calls.read_bytes().decode(), cohort.read_text(encoding="utf-8")


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
    assert [sum(int(n) for n in re.findall(r": (\d+)", text)) for text in descriptions] == [6, 6, 6]
    assert "IHC 2+: 2" in descriptions[1]
    assert "ISH group 2: 1" in descriptions[2]


def test_the_page_fetches_nothing_and_its_only_script_is_its_own(tmp_path):
    _, html = outputs(tmp_path)
    assert html.count("<script>") == html.count("<script") == 1
    assert not re.search(r"\bsrc=|@import|url\(|<link|fetch\(|XMLHttpRequest", html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}


def test_reasons_are_escaped(tmp_path):
    _, html = outputs(tmp_path)
    assert "&lt;b&gt;no tissue&lt;/b&gt;; check <code>mpp</code>" in html


def test_the_same_calls_give_the_same_bytes(tmp_path):
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")


def test_a_cohort_without_a_pending_case_says_so(tmp_path):
    _, html = outputs(tmp_path, {"n1": CASES["n1"]})
    assert "All cases have a final call." in html
