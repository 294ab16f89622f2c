"""The page of all cases, as somebody uses it who looks for the cases to act on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.io.documents import CallDoc, write_document
from her2path.steps import cohort_report
from tests.support.browser import A4, PHONE
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, call_doc, nuclei
from tests.support.cohorts import write_cohort, write_sheet

CASES = 120
CALL, IHC, H_SCORE, RATIO = 1, 2, 5, 7
"""Columns of the table."""


def cohort_of(root: Path, sheet: Path) -> Path:
    cohort_report.run(
        sheet=sheet,
        cases=root / "cases",
        images=root / "images",
        pdf=Path("report.pdf"),
        calls=root / "calls.csv",
        table=root / "calls.parquet",
        cohort=root / "cohort.html",
        params=cohort_report.CohortReportParams(),
    )
    return root / "cohort.html"


@pytest.fixture(scope="module")
def cohort_html(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohort")
    return cohort_of(root, write_cohort(root, CASES))


@pytest.fixture
def cohort(visit, cohort_html):
    return visit(cohort_html)


def column(opened, number):
    """The words of a column, from top to bottom."""
    return opened.page.locator(f"#cases tbody tr > :nth-child({number + 1})").all_text_contents()


def head(opened, name):
    return opened.page.get_by_role("columnheader", name=name)


def sort_by(opened, name):
    head(opened, name).get_by_role("button").click()


def choose(opened, label, words):
    field = opened.page.get_by_label(label, exact=True)
    field.select_option(field.locator("option", has_text=words).get_attribute("value"))


def shown(opened):
    return opened.page.get_by_role("status").inner_text()


def test_axe_finds_nothing_serious(cohort):
    cohort.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert cohort.serious_findings() == []


def test_what_is_not_evaluable_or_pending_stands_first(cohort):
    calls = column(cohort, CALL)
    final = [call in {"positive", "negative"} for call in calls]
    assert calls[0] == "not evaluable"
    assert final == sorted(final)
    assert head(cohort, "Call").get_attribute("aria-sort") == "ascending"


def test_a_click_sorts_up_and_another_one_down_with_not_measured_last(cohort):
    sort_by(cohort, "H‑score")
    up = column(cohort, H_SCORE)
    measured = [float(text) for text in up if text]
    assert measured == sorted(measured)
    assert up[len(measured) :] == [""] * (CASES - len(measured))
    assert head(cohort, "H‑score").get_attribute("aria-sort") == "ascending"

    sort_by(cohort, "H‑score")
    down = column(cohort, H_SCORE)
    assert [float(text) for text in down if text] == sorted(measured, reverse=True)
    assert down[-1] == ""
    assert head(cohort, "H‑score").get_attribute("aria-sort") == "descending"


def test_only_one_column_says_that_it_sorts(cohort):
    sort_by(cohort, "Ratio")
    assert cohort.page.locator("th[aria-sort]").all_inner_texts() == ["Ratio"]
    assert "sorted by “Ratio”, ascending" in shown(cohort)


def test_the_table_is_sorted_by_the_keyboard_alone(cohort):
    cohort.page.locator("#show-all").focus()
    for _ in range(20):
        cohort.page.keyboard.press("Tab")
        if cohort.focused() == "Case":
            break
    cohort.page.keyboard.press("Enter")
    assert column(cohort, 0)[0].startswith("H26-00001")
    assert cohort.focused() == "Case"


def test_the_skip_link_is_the_first_stop_and_leads_to_the_table(cohort):
    cohort.page.keyboard.press("Tab")
    assert cohort.focused() == "Skip to the table"
    cohort.page.keyboard.press("Enter")
    assert cohort.page.evaluate("document.getElementById('cases').getBoundingClientRect().top") < 100


@pytest.mark.parametrize(
    ("label", "words", "number"),
    [("Call", "ISH needed", CALL), ("IHC score", "3+", IHC), ("ISH result", "group 5", 3)],
)
def test_a_filter_leaves_the_cases_it_names_as_many_as_it_promised(cohort, label, words, number):
    field = cohort.page.get_by_label(label, exact=True)
    promised = re.search(r"\((\d+)\)$", field.locator("option", has_text=words).inner_text())[1]
    choose(cohort, label, words)
    found = column(cohort, number)
    assert set(found) == {words}
    assert len(found) == int(promised)
    assert shown(cohort).startswith(f"{promised} of {CASES} cases are shown ({label}: {words})")


def test_cases_with_a_finding_are_found_by_their_quality(cohort):
    choose(cohort, "Quality", "little tissue")
    found = column(cohort, 9)
    assert found
    assert all("little tissue" in text for text in found)


def test_filters_and_words_narrow_together_and_all_come_back(cohort):
    choose(cohort, "Call", "negative")
    cohort.page.get_by_label("Find in the table").fill("HER2-ultralow")
    assert set(column(cohort, 4)) == {"HER2-ultralow"}
    cohort.page.get_by_role("button", name="Show all").click()
    assert len(column(cohort, 0)) == CASES
    assert shown(cohort).startswith(f"All {CASES} cases")


def test_words_that_no_case_has_leave_an_empty_table_that_says_so(cohort):
    cohort.page.get_by_label("Find in the table").fill("no such case")
    assert column(cohort, 0) == []
    assert shown(cohort).startswith(f"0 of {CASES} cases")


def test_who_must_act_is_a_link_to_exactly_those_cases(cohort):
    link = cohort.page.get_by_role("list", name="Who must act").get_by_role("link", name="Laboratory")
    n = int(re.search(r"(\d+) case", link.inner_text())[1])
    link.click()
    assert len(column(cohort, 0)) == n
    assert not {"positive", "negative"} & set(column(cohort, CALL))


def test_a_finding_of_the_overview_leads_to_its_cases(cohort):
    row = cohort.page.get_by_role("row", name=re.compile("out of focus warning"))
    n = int(row.get_by_role("cell").last.inner_text())
    row.get_by_role("link").click()
    assert len(column(cohort, 0)) == n


def test_what_was_chosen_is_still_there_on_the_way_back_from_a_report(cohort, cohort_html):
    choose(cohort, "Call", "negative")
    sort_by(cohort, "H‑score")
    before = column(cohort, 0)
    link = cohort.page.locator("#cases tbody th a").first
    report = cohort_html.parent / link.get_attribute("href")
    report.write_text("<!DOCTYPE html><title>report</title>", encoding="utf-8")
    cohort.allow(report)
    link.click()
    cohort.page.wait_for_url("**/report.html")
    cohort.page.go_back()
    cohort.page.locator("#filters").wait_for()
    assert column(cohort, 0) == before
    assert "Call: negative" in shown(cohort)


def test_report_and_pdf_of_a_case_are_linked_by_name(cohort):
    hrefs = cohort.page.locator("#cases tbody th").first.locator("a")
    case_id = hrefs.first.text_content()
    assert hrefs.first.get_attribute("href") == f"cases/{case_id}/report.html"
    pdf = cohort.page.get_by_role("link", name=f"PDF of {case_id}")
    assert pdf.get_attribute("href") == f"cases/{case_id}/report.pdf"


def test_rows_are_numbered_as_they_stand(cohort):
    choose(cohort, "Call", "positive")
    sort_by(cohort, "Ratio")
    numbers = cohort.page.locator("#cases tbody tr").evaluate_all("all => all.map(r => +r.ariaRowIndex)")
    assert numbers == [*range(2, len(numbers) + 2)]


def test_a_reader_that_does_not_see_hears_a_table_with_heads_of_rows_and_columns(cohort):
    # Laid out as a grid for speed, the table must stay a table for the accessibility tree.
    session = cohort.page.context.new_cdp_session(cohort.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    assert roles.count("rowheader") >= CASES
    assert roles.count("columnheader") >= 12
    assert roles.count("row") > CASES
    assert cohort.page.locator("#cases").get_attribute("aria-rowcount") == str(CASES + 1)


def test_every_case_is_printed_on_landscape_paper_under_the_head_of_the_table(cohort):
    printed = cohort.printed()
    ids = set(re.findall(r"H26-\d{5}", printed.text))
    assert len(ids) == CASES
    assert printed.paper_mm == (297, 210)
    assert printed.text.count("Who acts, and why") >= 3


def test_a_print_of_some_cases_says_that_it_is_not_all(cohort):
    assert "cases are shown" not in cohort.printed("all").text
    choose(cohort, "Call", "negative")
    printed = cohort.printed("some")
    assert f"of {CASES} cases are shown (Call: negative)" in printed.text


def test_on_paper_no_column_is_cut_off(cohort):
    cohort.page.set_viewport_size({"width": A4[1], "height": A4[0]})
    cohort.page.emulate_media(media="print")
    assert cohort.sideways() == 0


@pytest.mark.parametrize("size", [PHONE, (1024, 768), (1280, 800), (1440, 900)], ids=str)
def test_the_page_never_scrolls_sideways_as_a_whole(visit, cohort_html, size):
    opened = visit(cohort_html, size=size)
    opened.shot(f"cohort-{size[0]}")
    assert opened.sideways() == 0


def test_the_head_stays_in_sight_in_a_wide_window(visit, cohort_html):
    opened = visit(cohort_html, size=(1440, 900))
    opened.page.evaluate("document.querySelector('#cases tbody').rows[40].scrollIntoView()")
    opened.settle()
    assert opened.page.locator("#cases thead").bounding_box()["y"] == 0
    opened.shot("cohort-rows")


def test_without_scripts_all_cases_stand_there_and_no_dead_filter(visit, cohort_html):
    opened = visit(cohort_html, java_script_enabled=False)
    assert opened.page.locator("#cases tbody tr").count() == CASES
    assert not opened.page.locator("#filters").is_visible()


def test_without_scripts_who_must_act_leads_to_the_table(visit, cohort_html):
    opened = visit(cohort_html, java_script_enabled=False)
    link = opened.page.locator(".waiting a").first
    assert link.get_attribute("href") == "#list"
    assert opened.page.locator("#list").count() == 1


def test_no_word_of_a_call_is_broken_inside(visit, tmp_path):
    images = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(10, 4.9, 3.0))]
    write_document(tmp_path / "cases" / "c1" / "call.json", call_doc("c1", *images))
    opened = visit(cohort_of(tmp_path, write_sheet(tmp_path, {"c1": images})), size=(1280, 900))
    assert column(opened, CALL) == ["indeterminate"]
    opened.page.locator("#cases").scroll_into_view_if_needed()
    opened.shot("cohort-indeterminate")
    cell = opened.page.locator("#cases td.state").first
    in_lines = """cell => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getClientRects().length;
    }"""
    assert cell.evaluate(in_lines) == 1


HOSTILE = "<img src=x onerror=alert(1)>\"'`; \u202eleft\u202c 🧬 </script><b>"


def test_hostile_reasons_are_shown_as_text_and_run_nothing(visit, tmp_path):
    call = call_doc("c1", Ihc(failed=NotEvaluable("odd", HOSTILE)))
    write_document(tmp_path / "cases" / "c1" / "call.json", call)
    opened = visit(cohort_of(tmp_path, write_sheet(tmp_path, {"c1": [Ihc()]})))
    assert "<img src=x onerror=alert(1)>" in column(opened, 10)[0]
    assert "🧬 </script><b>" in column(opened, 10)[0]


def test_what_stands_in_the_address_is_text_too(visit, cohort):
    cohort.page.goto(cohort.page.url.partition("#")[0] + "#find=%3Cimg%20src%3Dx%3E&call=no-such&sort=99")
    cohort.page.reload()
    assert cohort.page.get_by_label("Find in the table").input_value() == "<img src=x>"
    assert shown(cohort).startswith(f"0 of {CASES} cases are shown (“<img src=x>”)")


def test_a_cohort_that_another_version_wrote_says_so_without_a_broken_table(visit, tmp_path):
    sheet = write_cohort(tmp_path, 3)
    for path in (tmp_path / "cases").glob("*/call.json"):
        path.write_text(path.read_text().replace(f"call/{CallDoc.version}", "call/1"))
    opened = visit(cohort_of(tmp_path, sheet))
    assert opened.page.get_by_role("heading", name="3 cases cannot be shown").is_visible()
    assert opened.serious_findings() == []


def test_rows_out_of_sight_are_found_and_sorted_in_a_long_cohort(visit, tmp_path):
    opened = visit(cohort_of(tmp_path, write_cohort(tmp_path, 510)))
    opened.page.get_by_label("Find in the table").fill("H26-00509")
    assert column(opened, 0) == ["H26-00509 PDF"]
    opened.page.get_by_role("button", name="Show all").click()
    sort_by(opened, "Case")
    sort_by(opened, "Case")
    assert column(opened, 0)[0] == "H26-00510 PDF"
    assert len(set(re.findall(r"H26-\d{5}", opened.printed().text))) == 510
