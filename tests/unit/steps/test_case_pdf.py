from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError
from her2path.io.call_entries import Comment
from her2path.io.documents import CallDoc, read_document, write_document
from her2path.io.edits_entry import EditsEntry
from her2path.io.quality_entries import Finding
from her2path.reports.html.pdf import load_weasyprint
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
from tests.support.pdfs import is_printed, numbers_in, numbers_of, objects_of, on_one_line, text_of, told

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


def made(root, call, artefacts):
    report = root / "report.pdf"
    case_pdf.run(call=call, artefact=artefacts, report=report, params=CasePdfParams())
    return report


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A case that waits for a recount: its folder, its call and its files."""
    root = tmp_path_factory.mktemp("recount")
    return root, *write_case(root, "c1", *RECOUNT)


@pytest.fixture(scope="module")
def recount(case):
    """Its PDF, for tests that only look at it."""
    return made(*case)


def test_every_number_of_the_call_can_be_selected_in_the_pdf(tmp_path):
    pdf, call = pdf_of(tmp_path, *ADJUDICATION)
    numbers, printed = numbers_of(read_document(call, CallDoc)), numbers_in(text_of(pdf))
    assert len(numbers) > 50
    assert [name for name, value in numbers.items() if not is_printed(value, printed)] == []


def test_the_pdf_prints_no_number_that_the_page_does_not_print(case, recount, tmp_path):
    _, call, artefacts = case
    text = text_of(recount)
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


def test_a_pdf_is_an_a4_archive_with_tags_title_language_and_embedded_fonts(recount):
    info = told("pdfinfo", recount)
    assert re.search(r"Title: +HER2 report of case c1: Pending: a recount is needed", info)
    assert re.search(r"Tagged: +yes", info)
    assert re.search(r"Page size: +595\.\d+ x 841\.\d+ pts \(A4\)", info)
    assert "Date" not in info
    metadata = told("pdfinfo", recount, "-meta")
    assert re.search(r'pdfaid:part="2"', metadata)
    assert re.search(r'pdfaid:conformance="A"', metadata)
    fonts = told("pdffonts", recount).splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +yes +yes +\d+ +\d+$", line) for line in fonts), fonts


def test_what_an_archive_forbids_is_not_in_the_file(recount):
    raw = objects_of(recount)
    for forbidden in (
        b"/Interpolate true",
        b"/JavaScript",
        b"/Encrypt",
        b"/EmbeddedFile",
        b"/LZWDecode",
        b"/Launch",
    ):
        assert forbidden not in raw


def test_what_an_archive_asks_for_is_in_the_file(recount):
    raw = objects_of(recount)
    for needed in (b"/GTS_PDFA1", b"/DestOutputProfile", b"/Marked true", b"/StructTreeRoot", b"/Lang"):
        assert needed in raw
    # Every figure has words for a reader who does not see it.
    assert raw.count(b"/S /Figure") == raw.count(b"/Alt")


def test_every_sheet_names_the_case_its_number_and_who_signs(recount):
    sheets = told("pdftotext", recount, "-layout").split("\f")[:-1]
    assert len(sheets) > 2
    for number, sheet in enumerate(sheets, start=1):
        assert "HER2 report of case c1" in sheet
        assert "For research and validation. A pathologist signs." in sheet
        assert f"Page {number} of {len(sheets)}" in sheet


def test_figures_have_words_and_headings_for_a_screen_reader(recount):
    tags = told("pdfinfo", recount, "-struct")
    assert re.search(r"^ *H1", tags, re.MULTILINE)
    assert len(re.findall(r"^ *Figure", tags, re.MULTILINE)) >= 4
    assert re.search(r"^ *TH", tags, re.MULTILINE)


def test_the_same_case_gives_the_same_bytes_whatever_the_order_of_the_files(case, recount, tmp_path):
    _, call, artefacts = case
    assert made(tmp_path, call, artefacts[::-1]).read_bytes() == recount.read_bytes()


def test_a_case_that_cannot_be_evaluated_says_why_and_invents_no_number(tmp_path):
    text = text_of(pdf_of(tmp_path, Ihc("a1", failed=NO_TISSUE))[0])
    assert "Not evaluable" in text
    assert "no tissue was found; stain and scan it again" in text
    assert "No rule was applied" in text
    assert "All numbers of the call" not in text


def test_a_pending_case_says_who_acts_and_the_summary_what_nobody_stated(recount):
    text = text_of(recount)
    assert "This is not a final HER2 result." in text
    assert "Second observer, blinded to the first count" in text
    assert re.search(r"Antibody and kit +not stated", text)


def test_words_of_people_stand_in_the_pdf_as_they_were_written_and_change_nothing_else(tmp_path):
    words = {
        "HTML": "<script>alert('x')</script> & \"q\"",
        "Greek": "\u0392\u03b9\u03bf\u03c8\u03af\u03b1, \u2265 2 \u00b5m",
        "Cyrillic": "\u0431\u0438\u043e\u043f\u0441\u0438\u044f",
        # Byzantine musical notation and a private character: no font of a plain machine has them.
        "unknown": "before \U0001d000 \ue000 after",
        "RTL": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \U0001f9ec end",
    }
    comments = tuple(Comment(code=code, text=text) for code, text in words.items())
    finding = Finding(code="odd", severity="warning", message=words["HTML"])
    pdf, _ = pdf_of(tmp_path, Ihc("a1", ONE_PLUS, findings=(finding,)), change={"comments": comments})
    text = text_of(pdf)
    assert text.count(words["HTML"]) == 2
    assert words["Greek"] in text
    assert words["Cyrillic"] in text
    assert "before [U+1D000] [U+E000] after" in text
    assert "[U+202E]evil" in text
    # The tool gives Hebrew in the order of reading or of sight.
    assert re.search("\u05e9\u05dc\u05d5\u05dd|\u05dd\u05d5\u05dc\u05e9", text)
    assert (
        text.count("For research and validation. A pathologist signs.")
        == text.count("HER2 report of case c1") - 1
    )


def test_an_edited_slide_says_who_edited_it_and_the_score_before(tmp_path):
    edits = EditsEntry(by="A.B.", on="2026-11-20", tool="QuPath", sha256="0" * 64, score_before="2+")
    text = text_of(pdf_of(tmp_path, Ihc("a1", ONE_PLUS), change={"edits": {"a1": edits}})[0])
    assert "Edited by A.B. on 2026-11-20 in QuPath." in text
    assert "the slide was scored 2+" in text


def test_a_picture_that_is_missing_is_named_and_the_pdf_is_still_made(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", ONE_PLUS))
    text = text_of(made(tmp_path, call, [path for path in artefacts if path.name != "overlay.png"]))
    assert "What this report could not show" in text
    assert "Picture a1/overlay.png is missing" in text


def test_a_call_of_another_version_gives_a_pdf_without_any_number(tmp_path):
    call, artefacts = write_case(tmp_path, "c1", Ihc("a1", ONE_PLUS))
    call.write_text(json.dumps(json.loads(call.read_text()) | {"schema_version": "call/3"}))
    text = text_of(made(tmp_path, call, artefacts))
    assert "The result cannot be shown" in text
    assert "call.json holds 'call/3'" in text
    assert "HER2 negative" not in text


def test_missing_pango_is_told_with_what_to_install_and_how_to_do_without(monkeypatch):
    def missing(name, *_, **__):
        raise OSError("cannot load library 'libpango-1.0-0'")

    for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("cffi.FFI.dlopen", missing)
    with pytest.raises(ConfigError, match=r"(?s)libpango-1.0-0.*apt install.*`pdf: false`.*`--no-pdf`"):
        load_weasyprint()


def test_a_machine_without_any_font_is_told_so_instead_of_ending_the_process(tmp_path):
    (tmp_path / "fonts").mkdir()
    config = f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    (tmp_path / "fonts.conf").write_text(config, encoding="utf-8")
    command = "from her2path.reports.html.pdf import load_weasyprint; load_weasyprint()"
    env = {**os.environ, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, env=env)
    assert "ConfigError" in done.stderr
    assert "PDF reports need a font" in done.stderr


def test_a_cut_off_image_is_still_refused_after_a_pdf_was_made():
    command = (
        "from PIL import ImageFile; from her2path.reports.html.pdf import load_weasyprint; "
        "load_weasyprint(); raise SystemExit(ImageFile.LOAD_TRUNCATED_IMAGES)"
    )
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
