"""What people write (comments, names of tools and readers, labels of areas, reasons) in every format.

Each text is put wherever a document takes free text, and found again as it was written: nothing of it is
a tag, a formula, a column, a line or a direction of the document that shows it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely
from pydicom import Dataset

from her2path.domain.verdict import NotEvaluable
from her2path.errors import CaseSheetError
from her2path.io.call_entries import Comment
from her2path.io.case_sheet import read_case_sheet
from her2path.io.case_tables import CALLS
from her2path.io.documents import CallDoc, IhcScoreDoc, read_document, write_document
from her2path.io.edits_entry import EditsEntry
from her2path.io.files import sha256_of
from her2path.io.geojson import read_features, read_regions
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.quality_entries import Finding
from her2path.io.qupath_cells import CellClass
from her2path.io.tables import write_table
from her2path.reports.calls_table import calls_columns, calls_csv
from her2path.steps import case_exchange, case_pdf, case_report
from tests.support.case_documents import ONE_PLUS, Ihc, producer_of, write_case
from tests.support.measured_slide import write_measured_slide
from tests.support.pdfs import text_of

TEXTS = {
    "HTML": "<img src=x onerror=alert(1)><b>bold</b></title></script><!-- ]]> &lt;",
    "quotes": 'He said "2+", it\'s `3+`; a\\b, {{ 7*7 }} {% raw %} %s ${x} &amp;',
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eevil\u202c \u0645\u0631\u062d\u0628\u0627 end",
    "emoji": "\U0001f9ec \U0001f469\U0001f3fd\u200d\u2695\ufe0f cell \U0001f1f9\U0001f1f7",
    "formula": '=HYPERLINK("http://x.example","2+")',
    "long": "pneumonoultramicroscopic" * 12,
}
ALL = " ~ ".join(TEXTS.values())
EVERY_TEXT = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.shown.append(data)

    @property
    def text(self) -> str:
        return "".join(self.shown)


def hostile_case(root: Path, text: str) -> tuple[Path, list[Path]]:
    """Write a case whose documents hold a text wherever a person may have written one."""
    finding = Finding(code="odd", severity="warning", message=text)
    call, artefacts = write_case(root, "c1", Ihc("a1", ONE_PLUS, findings=(finding,), flags=(text,)))
    edit = EditsEntry(by=text, on="2026-11-20", tool=text, sha256="0" * 64, comment=text, score_before="2+")
    score = root / "images" / "a1" / "ihc_score.json"
    scored = read_document(score, IhcScoreDoc)
    write_document(
        score, scored.model_copy(update={"result": scored.result.model_copy(update={"edits": edit})})
    )
    document = read_document(call, CallDoc)
    changes = {
        "comments": (*document.comments, Comment(code="x", text=text)),
        "flags": (*document.flags, text),
        "edits": {"a1": edit},
        "inputs": {**document.inputs, "a1/ihc_score": sha256_of(score)},
    }
    write_document(call, document.model_copy(update=changes))
    return call, artefacts


def failed_case(root: Path, text: str) -> Path:
    return write_case(root, "c2", Ihc("a2", failed=NotEvaluable("odd", text)))[0]


@pytest.mark.parametrize("column", ["case_id", "image_id", "area"])
@EVERY_TEXT
def test_a_sheet_with_such_an_id_is_refused(tmp_path, column, text):
    cells = {"case_id": "c1", "image_id": "a1", "assay": "fish", "path": "a.tif", "area": "A"} | {
        column: text
    }
    sheet = tmp_path / "cases.tsv"
    sheet.write_text("\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n", encoding="utf-8")
    with pytest.raises(CaseSheetError, match=f"row 2, {column}"):
        read_case_sheet(sheet, guidelines=["breast_2023"])


@pytest.mark.parametrize("letters", [1, 62, 63, 64])
@pytest.mark.filterwarnings("error")
def test_ids_of_any_length_fit_the_fields_of_dicom(letters):
    from her2path.reports.dicom_source import Named, origin_of  # noqa: PLC0415  (takes seconds to load)

    slide = Dataset()
    slide.SOPInstanceUID = "1.2.3"
    slide.SpecimenDescriptionSequence = [Dataset(), Dataset()]
    case_id = "c" * letters
    made = origin_of([slide], Named(case_id, "i" * letters), made_of={}, version="1").finest
    assert made.PatientID == case_id
    assert str(made.PatientName).rstrip("^") == case_id
    assert len({item.SpecimenIdentifier for item in made.SpecimenDescriptionSequence}) == 2


def case_page(root: Path, text: str) -> Page:
    call, artefacts = hostile_case(root, text)
    report = root / "report.html"
    case_report.run(call=call, artefact=artefacts, report=report, params=case_report.CaseReportParams())
    return Page(report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def plain_page(tmp_path_factory) -> Page:
    return case_page(tmp_path_factory.mktemp("plain"), "plain")


@EVERY_TEXT
def test_the_page_of_a_case_shows_it_as_text(tmp_path, plain_page, text):
    page = case_page(tmp_path / "hostile", text)
    # In the comment, the finding, the flags, and the line about the edits.
    assert page.text.count(text) >= 4
    # Words between backticks are set as code, which the program's own messages use for names of columns.
    tags, plain = ([tag for tag, _ in one.tags if tag != "code"] for one in (page, plain_page))
    assert tags == plain
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_the_pdf_shows_it_as_text(tmp_path):
    call, artefacts = hostile_case(tmp_path, ALL)
    report = tmp_path / "report.pdf"
    case_pdf.run(call=call, artefact=artefacts, report=report, params=case_pdf.CasePdfParams())
    shown = re.sub(r"\s", "", text_of(report))
    for word in set(re.findall(r"[!-~]+", ALL)):
        # What a person turned round by a mark of direction is drawn turned round, within its own line.
        assert max(shown.count(word), shown.count(word[::-1])) >= 3, word


@EVERY_TEXT
def test_fhir_and_the_synoptic_report_hold_it_as_text(tmp_path, text):
    # Its models of all resources take seconds to load.
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415

    call, artefacts = hostile_case(tmp_path, text)
    names = {"slide.json", "quality.json", "ihc_score.json"}
    made = {name: tmp_path / name for name in ("report.fhir.json", "synoptic.txt", "synoptic.csv")}
    case_exchange.run(
        call=call,
        document=[path for path in artefacts if path.name in names],
        fhir=made["report.fhir.json"],
        synoptic=made["synoptic.txt"],
        table=made["synoptic.csv"],
        params=case_exchange.CaseExchangeParams(),
    )
    bundle = json.loads(made["report.fhir.json"].read_text(encoding="utf-8"))
    Bundle.model_validate_json(json.dumps(bundle))
    notes = [
        note["text"]
        for entry in bundle["entry"]
        for note in entry["resource"].get("note", [])
        if "text" in note
    ]
    assert any(text in note for note in notes)
    narratives = [entry["resource"].get("text", {}).get("div", "") for entry in bundle["entry"]]
    assert not any("<img" in div or "<b>bold" in div for div in narratives)
    rows = list(csv.reader(io.StringIO(made["synoptic.csv"].read_bytes().decode(), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


@EVERY_TEXT
def test_the_tables_of_calls_keep_it_in_its_cell(tmp_path, text):
    calls = [read_document(failed_case(tmp_path / "a", text), CallDoc)]
    calls.append(read_document(hostile_case(tmp_path / "b", text)[0], CallDoc))
    header, *rows = csv.reader(io.StringIO(calls_csv(calls), newline=""))
    assert [len(row) for row in rows] == [len(header)] * 2
    reason = rows[0][header.index("reason")]
    assert text in reason
    assert not reason.startswith(("=", "+", "-", "@", "\t"))
    path = tmp_path / "calls.parquet"
    with write_table(path, CALLS, produced_by=producer_of("cohort_report")) as table:
        table.append(calls_columns(calls))
    written = pq.read_table(path).to_pylist()
    assert text in written[0]["reason"]
    assert written[1]["flags"][-1] == text


@EVERY_TEXT
def test_geojson_holds_it_as_name_and_class(tmp_path, text):
    path = tmp_path / "areas.geojson"
    area = QuPathArea(CellClass(text, (1, 2, 3)), shapely.box(0, 0, 9, 9), {text: 1.0}, name=text)
    write_areas(path, [area, area], image_sha256="0")
    features = read_features(path, name="areas", max_bytes=2**20)
    assert len(features) == 2
    properties = features[0]["properties"]
    assert (properties["name"], properties["classification"]["name"]) == (text, text)
    assert properties["measurements"] == {text: 1.0}
    assert read_regions(path, name="areas").area == 81


@pytest.mark.filterwarnings("ignore")
def test_tables_for_research_hold_it_as_text(tmp_path):
    from her2path.cli.export_tables import export_anndata, export_spatialdata  # noqa: PLC0415  (optional)

    folder = write_measured_slide(tmp_path, cells=12)
    score = folder / "ihc_score.json"
    scored = read_document(score, IhcScoreDoc)
    edit = EditsEntry(by=ALL, on="2026-11-20", tool=ALL, sha256="0" * 64, comment=ALL, score_before="2+")
    result = scored.result.model_copy(update={"edits": edit, "flags": (ALL,)})
    write_document(score, scored.model_copy(update={"result": result}))
    fold = QuPathArea(CellClass(ALL, (1, 2, 3)), shapely.box(10, 20, 110, 220))
    write_areas(folder / "quality.geojson", [fold], image_sha256="0")
    import anndata  # noqa: PLC0415  (optional)
    import spatialdata  # noqa: PLC0415  (optional)

    export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)
    told = anndata.read_h5ad(tmp_path / "t.h5ad").uns["her2path"]
    assert json.loads(told["edits"])["comment"] == ALL
    assert list(told["score"]["flags"]) == [ALL]
    export_spatialdata(tmp_path, "s1", tmp_path / "s.zarr", sheet=None, overwrite=False)
    space = spatialdata.read_zarr(tmp_path / "s.zarr")
    assert space["quality_areas"]["class"].tolist() == [ALL]
    assert json.loads(space["table"].uns["her2path"]["edits"])["by"] == ALL
