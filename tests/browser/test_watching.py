"""The watch itself: what a page must not do is noticed."""

from __future__ import annotations

import pytest

from tests.support.browser import OpenedPage

HEAD = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'


@pytest.fixture
def faults_of(browser, tmp_path):
    """Open a page made of a head and a body, and give back its faults."""

    def found(head: str, body: str) -> list[str]:
        file = tmp_path / "page.html"
        file.write_text(f"{HEAD}{head}</head><body><main><h1>A page</h1>{body}</main></body></html>")
        page = OpenedPage(browser.new_page(), file, tmp_path).open()
        page.page.close()
        return page.faults

    return found


def test_a_plain_page_with_pictures_of_its_own_has_no_faults(faults_of):
    assert faults_of("", '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">') == []


def test_a_request_to_anywhere_is_a_fault(faults_of):
    faults = faults_of("", '<img alt="" src="neighbour.png"><script src="http://127.0.0.1:9/x.js"></script>')
    assert any("neighbour.png" in fault for fault in faults)
    assert any("127.0.0.1:9" in fault for fault in faults)


def test_what_the_content_security_policy_stops_is_a_fault(faults_of):
    policy = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""
    assert any("Content Security Policy" in fault for fault in faults_of(policy, "<script>1</script>"))


def test_errors_of_scripts_and_of_the_console_are_faults(faults_of):
    faults = faults_of("", "<script>console.error('told'); missing();</script>")
    assert any("told" in fault for fault in faults)
    assert any("missing is not defined" in fault for fault in faults)


def test_axe_finds_a_field_without_a_label(visit, tmp_path):
    file = tmp_path / "field.html"
    file.write_text(f"{HEAD}</head><body><main><h1>A page</h1><input></main></body></html>")
    assert any(finding.startswith("label ") for finding in visit(file).serious_findings())


def test_a_printed_page_gives_its_words_and_its_paper(visit, tmp_path):
    file = tmp_path / "paper.html"
    style = "<style>@page { size: A4 landscape }</style>"
    file.write_text(f"{HEAD}{style}</head><body><main><h1>On paper</h1></main></body></html>")
    printed = visit(file).printed()
    assert printed.text == "On paper"
    assert printed.sheets == 1
    assert printed.paper_mm == (297, 210)
