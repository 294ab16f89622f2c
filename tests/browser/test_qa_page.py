"""The page of quality assurance in a real browser."""

from __future__ import annotations

import pytest

from her2path.io.documents import Producer
from her2path.reports.html.rendering import render_qa
from her2path.reports.qa_page import QaDocuments, qa_page
from tests.support.browser import PHONE
from tests.support.qa_results import agreement, agreement_doc
from tests.support.qa_watched import monitoring_doc, review_doc

OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture(scope="module")
def qa_html(tmp_path_factory):
    result = agreement()
    documents = QaDocuments(agreement_doc(result), monitoring_doc(), review_doc())
    page = qa_page(documents, result, report=Producer(step="qa_page", version="9.9"))
    file = tmp_path_factory.mktemp("qa") / "qa.html"
    file.write_text(render_qa(page), encoding="utf-8")
    return file


@pytest.fixture
def qa(visit, qa_html):
    return visit(qa_html)


def test_axe_finds_nothing_serious_with_every_part_open(qa):
    qa.page.evaluate(OPEN_ALL)
    assert qa.serious_findings() == []


def test_folded_parts_open_by_the_keyboard(qa):
    part = qa.page.locator("details:not([open])").first.element_handle()
    part.query_selector("summary").focus()
    qa.page.keyboard.press("Enter")
    assert part.evaluate("one => one.open")


@pytest.mark.parametrize("size", [PHONE, (1280, 900)], ids=str)
def test_no_part_makes_the_page_scroll_sideways(visit, qa_html, size):
    opened = visit(qa_html, size=size)
    opened.page.evaluate(OPEN_ALL)
    opened.settle()
    opened.shot(f"qa-{size[0]}", full=True)
    assert opened.sideways() == 0


def test_the_numbers_of_the_top_are_printed_on_upright_a4(qa):
    printed = qa.printed()
    assert printed.paper_mm == (210, 297)
    assert "10 cases called by the software and read by 2 readers in 20 reads" in printed.text


def test_on_paper_nothing_leaves_the_sheet(qa):
    # Between margins of 13 mm, A4 has 696 pixels; each margin has 49.
    qa.page.evaluate(OPEN_ALL)
    qa.page.set_viewport_size({"width": 696, "height": 1010})
    qa.page.emulate_media(media="print")
    assert qa.sideways() < 40


def test_every_link_within_the_page_leads_somewhere(qa):
    lost = qa.page.locator("a[href^='#']").evaluate_all(
        "all => all.map(a => a.getAttribute('href')).filter(h => !document.getElementById(h.slice(1)))"
    )
    assert lost == []
