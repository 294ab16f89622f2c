from __future__ import annotations

import re

import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Comment
from her2path.io.documents import CallDoc, read_document, write_document
from her2path.io.quality_entries import Finding
from her2path.steps import case_pdf, case_report
from her2path.steps.case_pdf import CasePdfParams
from her2path.steps.case_report import CaseReportParams
from tests.support.case_documents import (
    ONE_PLUS,
    TWO_PLUS,
    Fish,
    Ihc,
    nuclei,
    write_case,
)
from tests.support.pages import Page
from tests.support.pdfs import is_printed, numbers_in, on_one_line, text_of, told

NO_TISSUE = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")
RECOUNT = [Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 3.3, 1.3))]
ADJUDICATION = [
    Ihc("a1", TWO_PLUS),
    Fish("f1", nuclei(40, 4.6, 3.0)),
    Fish("f2", nuclei(30, 3.4, 3.1), observer=2),
]


def pdf_of(root, *images, change=None):
    call, artefacts = write_case(root, "c1", *images)
    if change is not None:
        write_document(call, read_document(call, CallDoc).model_copy(update=change))
    return made(root, call, artefacts), call


def made(root, call, artefacts, name="report.pdf"):
    report = root / name
    case_pdf.run(call=call, artefact=artefacts, report=report, params=CasePdfParams())
    return report


def test_every_number_of_the_call_can_be_selected_in_the_pdf(tmp_path):
    pdf, call = pdf_of(tmp_path, *ADJUDICATION)
    document, printed = read_document(call, CallDoc), numbers_in(text_of(pdf))
    held = {
        **{f"ihc.{name}": value for name, value in document.ihc.items()},
        **{f"ish.{name}": value for name, value in document.ish.items()},
        **{
            f"{d.quantity} {part}": getattr(d, part)
            for d in document.distance_to_cut
            for part in ("value", "cut", "distance")
        },
        **{f"{e.rule_id} {name}": value for e in document.rule_trail for name, value in e.numbers.items()},
        **{
            f"check {c.name} {name}": getattr(c, name)
            for c in document.checks
            for name in ("nuclei", "her2_signals", "cep17_signals")
        },
    }
    numbers = {name: value for name, value in held.items() if isinstance(value, int | float)}
    assert len(numbers) > 50
    assert [name for name, value in numbers.items() if not is_printed(value, printed)] == []


def test_the_pdf_prints_no_number_that_the_page_does_not_print(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *RECOUNT)
    text = text_of(made(tmp_path, call, artefacts))
    page = tmp_path / "report.html"
    case_report.run(call=call, artefact=artefacts, report=page, params=CaseReportParams())
    # What belongs to the paper: its page numbers, and digests that a line breaks.
    paper = re.sub(r"Page \d+ of \d+|What this report was made from.*", "", text)
    on_page = numbers_in(on_one_line(" ".join(Page(page.read_text(encoding="utf-8")).words))).values()
    own = {printed for printed, number in numbers_in(paper).items() if number not in on_page}
    document = read_document(call, CallDoc)
    listed = [
        value
        for part in (document.ihc, document.ish)
        for value in part.values()
        if isinstance(value, int | float)
    ]
    assert {n for n in own if not any(is_printed(value, {n: numbers_in(n)[n]}) for value in listed)} == set()


def test_a_pdf_is_an_a4_archive_with_tags_title_language_and_embedded_fonts(tmp_path):
    pdf, _ = pdf_of(tmp_path, *RECOUNT)
    info = told("pdfinfo", pdf)
    assert re.search(r"Title: +HER2 report of case c1: Pending: a recount is needed", info)
    assert re.search(r"Tagged: +yes", info)
    assert re.search(r"Page size: +595\.\d+ x 841\.\d+ pts \(A4\)", info)
    assert "Date" not in info
    metadata = told("pdfinfo", pdf, "-meta")
    assert re.search(r'pdfaid:part="2"', metadata)
    assert re.search(r'pdfaid:conformance="A"', metadata)
    fonts = told("pdffonts", pdf).splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +yes +yes +\d+ +\d+$", line) for line in fonts), fonts


def test_what_an_archive_forbids_is_not_in_the_file(tmp_path):
    raw = pdf_of(tmp_path, *RECOUNT)[0].read_bytes()
    for forbidden in (
        b"/Interpolate true",
        b"/JavaScript",
        b"/Encrypt",
        b"/EmbeddedFile",
        b"/LZWDecode",
        b"/Launch",
    ):
        assert forbidden not in raw


def test_every_sheet_names_the_case_its_number_and_who_signs(tmp_path):
    pdf, _ = pdf_of(tmp_path, *RECOUNT)
    sheets = told("pdftotext", pdf, "-layout").split("\f")[:-1]
    assert len(sheets) > 2
    for number, sheet in enumerate(sheets, start=1):
        assert "HER2 report of case c1" in sheet
        assert "For research and validation. A pathologist signs." in sheet
        assert f"Page {number} of {len(sheets)}" in sheet


def test_figures_have_words_and_headings_for_a_screen_reader(tmp_path):
    tags = told("pdfinfo", pdf_of(tmp_path, *RECOUNT)[0], "-struct")
    assert re.search(r"^ *H1", tags, re.MULTILINE)
    assert len(re.findall(r"^ *Figure", tags, re.MULTILINE)) >= 4
    assert re.search(r"^ *TH", tags, re.MULTILINE)


def test_the_same_case_gives_the_same_bytes_whatever_the_order_of_the_files(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", *RECOUNT)
    one = made(tmp_path, call, artefacts, "one.pdf").read_bytes()
    assert made(tmp_path, call, artefacts[::-1], "two.pdf").read_bytes() == one


def test_a_case_that_cannot_be_evaluated_says_why_and_invents_no_number(tmp_path):
    text = text_of(pdf_of(tmp_path, Ihc("a1", failed=NO_TISSUE))[0])
    assert "Not evaluable" in text
    assert "no tissue was found; stain and scan it again" in text
    assert "No rule was applied" in text
    assert "All numbers of the call" not in text


def test_a_pending_case_says_who_acts(tmp_path):
    text = text_of(pdf_of(tmp_path, Ihc("a1", TWO_PLUS))[0])
    assert "This is not a final HER2 result." in text
    assert "Who acts next" in text
    assert "Laboratory" in text


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("<script>alert('x')</script> & \"q\"", id="HTML and quotes"),
        pytest.param("Βιοψία μαστού, ≥ 2 µm", id="Greek"),
        pytest.param("биопсия", id="Cyrillic"),
    ],
)
def test_words_of_people_stand_in_the_pdf_as_they_were_written(tmp_path, words):
    finding = Finding(code="odd", severity="warning", message=words)
    images = [Ihc("a1", ONE_PLUS, findings=(finding,))]
    pdf, _ = pdf_of(tmp_path, *images, change={"comments": (Comment(code="X", text=words),)})
    assert text_of(pdf).count(words) == 2


def test_a_character_that_no_font_draws_is_written_as_its_code(tmp_path):
    # Byzantine musical notation and a private character: no font of a plain machine has them.
    comment = Comment(code="X", text="before \U0001d000 \ue000 after")
    text = text_of(pdf_of(tmp_path, Ihc("a1", ONE_PLUS), change={"comments": (comment,)})[0])
    assert "before [U+1D000] [U+E000] after" in text


def test_right_to_left_text_and_emoji_change_nothing_around_them(tmp_path):
    words = "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \U0001f9ec end"
    pdf, _ = pdf_of(tmp_path, Ihc("a1", ONE_PLUS), change={"comments": (Comment(code="X", text=words),)})
    text = text_of(pdf)
    assert "For research and validation. A pathologist signs." in text
    assert "Comments that belong to this call" in text
    assert re.search(r"\u05e9\u05dc\u05d5\u05dd|\u05dd\u05d5\u05dc\u05e9", text)
