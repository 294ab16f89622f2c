"""The blinded page of a recount, as the second observer uses it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.domain.ish import Probe
from her2path.imaging.fish.shown_nuclei import NucleusPicture
from her2path.io.read_sheet import ReadSheet, read_sheet
from her2path.reports.html.rendering import render_read_page
from her2path.reports.read_page import read_page
from tests.support.browser import PHONE

SHEET = "bcdfghjk"
NUCLEI = 4
OUTLINE = ((12, 12), (52, 12), (52, 52), (12, 52))


def png(*spots):
    pixels = np.zeros((64, 64), np.uint8)
    cv2.circle(pixels, (32, 32), 22, 60, -1)
    for place in spots:
        cv2.circle(pixels, place, 2, 255, -1)
    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.fixture(scope="module")
def nuclei_html(tmp_path_factory):
    channels = {"her2": png((24, 30), (40, 36)), "cep17": png((30, 24)), "dapi": png()}
    pictures = [NucleusPicture(64, channels, OUTLINE) for _ in range(NUCLEI)]
    file = tmp_path_factory.mktemp("recount") / "nuclei.html"
    html = render_read_page(read_page(SHEET, pictures, [0.25] * NUCLEI, Probe.DUAL))
    file.write_text(html, encoding="utf-8")
    return file


@pytest.fixture
def nuclei(visit, nuclei_html):
    return visit(nuclei_html)


def count(opened, number, her2, cep17):
    nucleus = opened.page.locator(f"#n{number}")
    nucleus.get_by_label("HER2", exact=True).fill(her2)
    nucleus.get_by_label("CEP17", exact=True).fill(cep17)


def left(opened):
    return opened.page.get_by_role("status").inner_text()


def saved(opened):
    with opened.page.expect_download() as found:
        opened.page.get_by_role("button", name="Save the read sheet").click()
    assert found.value.suggested_filename == f"{SHEET}.tsv"
    return found.value.path()


def test_axe_finds_nothing_serious(nuclei):
    assert nuclei.serious_findings() == []


def test_the_sheet_that_is_saved_is_read_back_with_every_count(nuclei):
    nuclei.page.get_by_label("Initials or pseudonym").fill("reader-2")
    nuclei.page.get_by_label("Date").fill("2026-03-02")
    nuclei.page.get_by_label("I did not know the first result").select_option("yes")
    for number in range(1, NUCLEI):
        count(nuclei, number, "7", "2")
    nuclei.page.locator(f"#n{NUCLEI}").get_by_label("or not countable").select_option(index=1)
    assert left(nuclei) == "All nuclei are finished."
    sheet = read_sheet(saved(nuclei))
    assert isinstance(sheet, ReadSheet)
    assert sheet.sheet_id == SHEET
    assert {name: cell.text for name, cell in sheet.head.items()} == {
        "reader": "reader-2",
        "date": "2026-03-02",
        "did_not_know_first_result": "yes",
    }
    counts = [(row.cells["her2_signals"], row.cells["cep17_signals"]) for row in sheet.rows]
    assert counts == [("7", "2")] * (NUCLEI - 1) + [("", "")]
    assert sheet.rows[-1].cells["not_countable"]


def test_text_of_the_reader_stays_in_its_cell(nuclei):
    nuclei.page.locator("#n1").get_by_label("comment").fill('a "quoted"; =1+1 \u202e 🧬 <b>')
    sheet = read_sheet(saved(nuclei))
    assert isinstance(sheet, ReadSheet)
    assert len(sheet.rows) == NUCLEI
    assert sheet.rows[0].cells["comment"] == "a  quoted ; =1+1 \u202e 🧬 <b>"


def test_what_is_not_finished_is_told_while_counting(nuclei):
    assert left(nuclei) == "Not finished: 1, 2, 3, 4"
    count(nuclei, 2, "5", "2")
    assert left(nuclei) == "Not finished: 1, 3, 4"


def test_a_count_that_cannot_be_is_marked(nuclei):
    count(nuclei, 1, "0", "x")
    marked = nuclei.page.locator("#n1 input.wrong")
    assert marked.count() == 2


def test_keys_lead_from_nucleus_to_nucleus_and_turn_the_outline(nuclei):
    nuclei.page.locator("#n1 .her2").focus()
    nuclei.page.keyboard.press("n")
    assert nuclei.page.evaluate("document.activeElement.closest('.nucleus').id") == "n2"
    nuclei.page.keyboard.press("p")
    assert nuclei.page.evaluate("document.activeElement.closest('.nucleus').id") == "n1"
    outline = nuclei.page.locator("#n1 .outline").first
    assert outline.is_visible()
    nuclei.page.keyboard.press("o")
    assert not outline.is_visible()


def test_letters_in_a_comment_are_letters(nuclei):
    comment = nuclei.page.locator("#n1").get_by_label("comment")
    comment.press_sequentially("no pong")
    assert comment.input_value() == "no pong"


def test_the_window_of_a_phone_does_not_scroll_sideways(visit, nuclei_html):
    opened = visit(nuclei_html, size=PHONE)
    opened.shot("nuclei-phone")
    assert opened.sideways() == 0


def test_the_pictures_are_drawn_in_their_colours(nuclei):
    nuclei.shot("nuclei")
    assert nuclei.page.locator("#n1 image").evaluate_all("all => all.every(i => i.getBBox().width > 0)")
