from __future__ import annotations

import re
from pathlib import Path

import pytest

from her2path.domain.case import Assay, Controls, Specimen, TumourSite
from her2path.domain.ihc import IhcScore
from her2path.domain.ish import Probe
from her2path.errors import CaseSheetError, SheetFault
from her2path.io.case_sheet import COLUMNS, REQUIRED, CaseSheet, read_case_sheet

GUIDELINES = ("breast_2018", "breast_2023")
DOCS = Path(__file__).resolve().parents[3] / "docs" / "case_sheet.md"


def write(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] | None = None) -> Path:
    columns = columns or tuple(dict.fromkeys([*REQUIRED, *(name for row in rows for name in row)]))
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
    path = folder / "cases.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(number: int = 1, **cells: str) -> dict[str, str]:
    start = {"case_id": f"c{number}", "image_id": f"i{number}", "assay": "ihc", "path": f"i{number}.svs"}
    return start | cells


def read(path: Path) -> CaseSheet:
    return read_case_sheet(path, guidelines=GUIDELINES)


def faults(path: Path) -> tuple[SheetFault, ...]:
    with pytest.raises(CaseSheetError) as caught:
        read(path)
    assert caught.value.exit_code == 3
    return caught.value.faults


def test_what_is_left_empty_takes_its_default(tmp_path):
    sheet = read(write(tmp_path, row(), columns=COLUMNS))
    image = sheet.rows[0]
    assert image.path == (tmp_path / "i1.svs",)
    assert (image.guideline, image.specimen, image.mpp) == ("breast_2023", None, None)
    assert (image.probe, image.channels, image.observer) == (Probe.DUAL, (), 1)
    assert (image.controls, image.tumour_roi, image.area) == (Controls.UNKNOWN, None, "")
    assert (image.tumour_site, image.fixation_hours, image.cold_ischaemia_minutes) == (None, None, None)


def test_every_column_is_read(tmp_path):
    cells = row(
        assay="fish",
        path="a.tif; b.tif",
        guideline="breast_2018",
        specimen="biopsy",
        mpp="0.1",
        tumour_roi="t.geojson",
        exclude_roi="sub/e.geojson",
        probe="single",
        channels="DAPI; her2",
        area="A-1",
        observer="2",
        controls="pass",
        tumour_site="Colorectal",
        fixation_hours="24.5",
        cold_ischaemia_minutes="30",
    )
    assert set(cells) == set(COLUMNS) - {"control_piece", "control_score"}  # of IHC alone
    image = read(write(tmp_path, cells)).rows[0]
    assert image.assay is Assay.FISH
    assert image.path == (tmp_path / "a.tif", tmp_path / "b.tif")
    assert (image.guideline, image.specimen, image.mpp) == ("breast_2018", Specimen.BIOPSY, 0.1)
    assert (image.tumour_roi, image.exclude_roi) == (tmp_path / "t.geojson", tmp_path / "sub/e.geojson")
    assert (image.probe, image.channels) == (Probe.SINGLE, ("dapi", "her2"))
    assert (image.area, image.observer, image.controls) == ("A-1", 2, Controls.PASS)
    assert image.tumour_site is TumourSite.COLORECTAL
    assert (image.fixation_hours, image.cold_ischaemia_minutes) == (24.5, 30.0)


def test_cases_and_their_images_keep_the_sheets_order(tmp_path):
    sheet = read(write(tmp_path, row(2), row(1), row(3, case_id="c2")))
    assert sheet.case_ids == ("c2", "c1")
    assert [image.image_id for image in sheet.images_of("c2")] == ["i2", "i3"]
    assert sheet.image("i1").case_id == "c1"
    with pytest.raises(KeyError):
        sheet.image("nobody")


@pytest.mark.parametrize("change", ["\ufeff{}", "{}\n\n\n", "\n".join(["{}", "\t\t\t", ""])])
def test_byte_order_mark_and_empty_lines_do_no_harm(tmp_path, change):
    path = write(tmp_path, row())
    path.write_text(change.format(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert len(read(path).rows) == 1


def test_windows_line_ends_and_quoted_cells_of_a_spreadsheet_are_read(tmp_path):
    path = tmp_path / "cases.tsv"
    path.write_bytes(b'"case_id"\timage_id\tassay\tpath\r\nc1\t"i1"\tihc\t"my ""best"" slide.svs"\r\n')
    image = read(path).rows[0]
    assert (image.image_id, image.path) == ("i1", (tmp_path / 'my "best" slide.svs',))


@pytest.mark.parametrize(
    "cells", [{"assay": "IHC"}, {"specimen": "Biopsy"}, {"controls": "PASS"}, {"probe": "Dual"}]
)
def test_words_may_be_written_in_capitals(tmp_path, cells):
    assert len(read(write(tmp_path, row(**cells))).rows) == 1


BAD_IDS = [
    pytest.param("a/b", id="slash"),
    pytest.param("a\\b", id="backslash"),
    pytest.param("a b", id="space"),
    pytest.param("..", id="parent folder"),
    pytest.param("a..b", id="two dots"),
    pytest.param("../x", id="another folder"),
    pytest.param(".hidden", id="leading dot"),
    pytest.param("a.", id="trailing dot"),
    pytest.param("-rf", id="leading dash"),
    pytest.param("<b>x</b>", id="HTML"),
    pytest.param("x'y", id="single quote"),
    pytest.param('x"y', id="double quote"),
    pytest.param("x;rm", id="semicolon"),
    pytest.param("$HOME", id="shell variable"),
    pytest.param("{wildcard}", id="Snakemake wildcard"),
    pytest.param("é1", id="letter outside ASCII"),
    pytest.param("a" * 65, id="too long"),
]


@pytest.mark.parametrize("column", ["case_id", "image_id"])
@pytest.mark.parametrize("value", BAD_IDS)
def test_an_id_that_cannot_be_a_folder_is_refused_with_the_rule(tmp_path, column, value):
    (fault,) = faults(write(tmp_path, row(**{column: value})))
    assert (fault.row, fault.column) == (2, column)
    assert "letters, digits" in fault.message


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        pytest.param({"mpp": "0"}, "mpp", "0.05 to 5.0", id="pixel size zero"),
        pytest.param({"mpp": "-0.25"}, "mpp", "0.05 to 5.0", id="pixel size negative"),
        pytest.param({"mpp": "250"}, "mpp", "0.05 to 5.0", id="pixel size in nm"),
        pytest.param({"mpp": "nan"}, "mpp", "0.05 to 5.0", id="pixel size NaN"),
        pytest.param({"mpp": "inf"}, "mpp", "0.05 to 5.0", id="pixel size infinite"),
        pytest.param({"mpp": "0,25"}, "mpp", "number.*'0,25'", id="decimal comma"),
        pytest.param({"mpp": "20x"}, "mpp", "number.*'20x'", id="a magnification"),
        pytest.param({"assay": "ish"}, "assay", "'ihc' or 'fish'.*'ish'", id="unknown assay"),
        pytest.param({"assay": ""}, "assay", "empty", id="no assay"),
        pytest.param({"case_id": ""}, "case_id", "empty", id="no case"),
        pytest.param({"path": ""}, "path", "empty", id="no path"),
        pytest.param({"path": " ; "}, "path", "empty", id="no path between semicolons"),
        pytest.param({"path": "a.svs;b.svs"}, "path", "one file", id="two files of IHC"),
        pytest.param({"path": "a\x00.svs"}, "path", "control character", id="a NUL in the path"),
        pytest.param({"guideline": "breast_2032"}, "guideline", "breast_2018, breast_2023", id="guideline"),
        pytest.param({"specimen": "lump"}, "specimen", "'lump'", id="unknown specimen"),
        pytest.param({"probe": "triple"}, "probe", "'triple'", id="unknown probe"),
        pytest.param({"controls": "ok"}, "controls", "'ok'", id="unknown control result"),
        pytest.param({"observer": "0"}, "observer", "'0'", id="observer zero"),
        pytest.param({"observer": "1.5"}, "observer", "'1.5'", id="observer a half"),
        pytest.param({"observer": "Dr. X"}, "observer", "'Dr. X'", id="observer by name"),
        pytest.param({"channels": "dapi;red"}, "channels", "'red'.*dapi, her2, cep17", id="unknown channel"),
        pytest.param({"channels": "dapi;her2;her2"}, "channels", "twice", id="channel named twice"),
        pytest.param({"channels": "dapi;her2:green;her2"}, "channels", "twice", id="probe named twice"),
        pytest.param({"channels": "dapi:green;her2"}, "channels", "unknown", id="DAPI has no colour"),
        pytest.param({"area": "<script>"}, "area", "letters, digits", id="HTML in the area"),
        pytest.param({"tumour_site": "lung"}, "tumour_site", "'solid_other'.*'lung'", id="unknown site"),
        pytest.param({"fixation_hours": "-1"}, "fixation_hours", "hours, 0 to 336", id="negative hours"),
        pytest.param({"fixation_hours": "nan"}, "fixation_hours", "hours, 0 to 336", id="hours NaN"),
        pytest.param({"fixation_hours": "inf"}, "fixation_hours", "hours, 0 to 336", id="hours infinite"),
        pytest.param({"fixation_hours": "360"}, "fixation_hours", "give hours.*'360'", id="hours in minutes"),
        pytest.param({"fixation_hours": "24 h"}, "fixation_hours", "number.*'24 h'", id="hours with a unit"),
        pytest.param(
            {"cold_ischaemia_minutes": "4320.5"},
            "cold_ischaemia_minutes",
            "give minutes, 0 to 4320",
            id="minutes above three days",
        ),
        pytest.param(
            {"cold_ischaemia_minutes": "-0.1"},
            "cold_ischaemia_minutes",
            "give minutes, 0 to 4320",
            id="negative minutes",
        ),
        pytest.param(
            {"cold_ischaemia_minutes": "<60"},
            "cold_ischaemia_minutes",
            "number.*'<60'",
            id="a bound of minutes",
        ),
    ],
)
def test_a_wrong_cell_is_reported_with_row_column_and_what_to_write(tmp_path, cells, column, words):
    found = faults(write(tmp_path, row(1), row(2, **cells)))
    assert [(fault.row, fault.column) for fault in found] == [(3, column)]
    assert re.search(words, found[0].message)


def test_all_faults_are_reported_at_once_in_the_order_of_the_rows(tmp_path):
    found = faults(
        write(tmp_path, row(1, mpp="0"), row(2, assay="x", specimen="y"), row(1), row(4, guideline="none"))
    )
    assert [(fault.row, fault.column) for fault in found] == [
        (2, "mpp"),
        (3, "assay"),
        (3, "specimen"),
        (5, "guideline"),
    ]


def test_the_message_lists_every_fault_with_its_place(tmp_path):
    with pytest.raises(CaseSheetError) as caught:
        read(write(tmp_path, row(1, mpp="0"), row(2, assay="x")))
    lines = str(caught.value).splitlines()
    assert lines[1].strip().startswith("row 2, mpp:")
    assert lines[2].strip().startswith("row 3, assay:")


@pytest.mark.parametrize(
    ("second", "column", "words"),
    [
        pytest.param(row(2, image_id="i1"), "image_id", "already used in row 2", id="same id"),
        pytest.param(row(2, image_id="I1"), "image_id", "already used in row 2", id="same but for its case"),
        pytest.param(row(2, case_id="C1"), "case_id", "only in its case", id="cases that differ in case"),
        pytest.param(
            row(2, case_id="c1", guideline="breast_2018"), "guideline", "contradicts", id="guideline"
        ),
        pytest.param(row(2, case_id="c1", specimen="biopsy"), "specimen", "contradicts", id="specimen"),
        pytest.param(row(2, case_id="c1", path="i1.svs"), "path", "counted twice", id="same image twice"),
        pytest.param(
            row(2, case_id="c1", tumour_site="biliary"),
            "tumour_site",
            "biliary contradicts breast",
            id="site",
        ),
        pytest.param(
            row(2, case_id="c1", fixation_hours="24.5"), "fixation_hours", "contradicts 24", id="fixation"
        ),
        pytest.param(
            row(2, case_id="c1", cold_ischaemia_minutes="0"),
            "cold_ischaemia_minutes",
            "0.0 contradicts 30.0",
            id="cold ischaemia, and 0 is not the same as not stated",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_refused(tmp_path, second, column, words):
    stated = {"fixation_hours": "24", "cold_ischaemia_minutes": "30", "specimen": "resection"}
    first = row(1, tumour_site="breast", guideline="breast_2023", **stated)
    (fault,) = faults(write(tmp_path, first, {"guideline": "breast_2023", **second}))
    assert (fault.row, fault.column) == (3, column)
    assert words in fault.message


def test_what_one_row_states_of_the_specimen_holds_for_its_case_and_for_no_other(tmp_path):
    stated = {"tumour_site": "breast", "fixation_hours": "0", "cold_ischaemia_minutes": "45"}
    rows = [row(1), row(2, case_id="c1", **stated), row(3)]
    sheet = read(write(tmp_path, *rows))
    known = [(i.tumour_site, i.fixation_hours, i.cold_ischaemia_minutes) for i in sheet.rows]
    assert known == [(TumourSite.BREAST, 0.0, 45.0), (TumourSite.BREAST, 0.0, 45.0), (None, None, None)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("fixation_hours", "336", id="two weeks in formalin"),
        pytest.param("fixation_hours", "0", id="no time in formalin"),
        pytest.param("cold_ischaemia_minutes", "4320", id="three days to the fixative"),
    ],
)
def test_times_on_the_limits_are_accepted(tmp_path, column, value):
    assert getattr(read(write(tmp_path, row(**{column: value}))).rows[0], column) == float(value)


def test_the_site_of_the_tumour_never_chooses_the_guideline(tmp_path):
    chosen = row(tumour_site="gastroesophageal", guideline="breast_2018")
    assert read(write(tmp_path, chosen)).rows[0].guideline == "breast_2018"


def test_a_tumour_outside_the_breast_is_not_called_by_a_guideline_that_nobody_chose(tmp_path):
    rows = [row(1, case_id="c1"), row(2, case_id="c1", tumour_site="gastroesophageal"), row(3)]

    found = faults(write(tmp_path, *rows))

    assert [(fault.row, fault.column) for fault in found] == [(2, "guideline"), (3, "guideline")]
    assert "the tumour is gastroesophageal; choose one of" in found[0].message


def test_a_specimen_that_nobody_stated_is_not_taken_for_a_resection(tmp_path):
    assert read(write(tmp_path, row(1))).rows[0].specimen is None


def test_fish_images_of_a_case_have_one_kind_of_probe(tmp_path):
    rows = [row(n, case_id="c1", assay="fish", probe=probe) for n, probe in ((1, "dual"), (2, "single"))]
    (fault,) = faults(write(tmp_path, *rows))
    assert (fault.row, fault.column) == (3, "probe")


def test_one_image_may_be_recounted_or_hold_several_regions(tmp_path):
    same = {"case_id": "c1", "path": "one.tif", "assay": "fish"}
    rows = [
        row(1, **same),
        row(2, **same, observer="2"),
        row(3, **same, tumour_roi="t.geojson"),
        row(4, path="one.tif"),
    ]
    assert len(read(write(tmp_path, *rows)).rows) == 4


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("", (0, ""), "empty", id="empty file"),
        pytest.param("\n\n", (0, ""), "empty", id="only empty lines"),
        pytest.param("case_id\timage_id\tassay\tpath\n", (0, ""), "no rows", id="a header alone"),
        pytest.param("case_id,image_id,assay,path\nc,i,ihc,p\n", (1, ""), "tab", id="commas"),
        pytest.param("case_id;image_id;assay;path\nc;i;ihc;p\n", (1, ""), "tab", id="semicolons"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(tmp_path, text, place, words):
    (tmp_path / "cases.tsv").write_text(text, encoding="utf-8")
    (fault,) = faults(tmp_path / "cases.tsv")
    assert (fault.row, fault.column) == place
    assert words in fault.message


def test_header_faults_are_all_reported(tmp_path):
    path = tmp_path / "cases.tsv"
    path.write_text("case_id\timage\tassay\tassay\tpath\n", encoding="utf-8")
    found = {(fault.column, fault.message.split(";")[0]) for fault in faults(path)}
    assert found == {
        ("image", "unknown column"),
        ("assay", "column appears twice"),
        ("image_id", "column is missing"),
    }


def test_a_misspelt_column_names_those_that_are_known(tmp_path):
    (fault,) = faults(write(tmp_path, row() | {"guidelines": "breast_2023"}))
    assert (fault.row, fault.column) == (1, "guidelines")
    assert "guideline" in fault.message


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path):
    path = write(tmp_path, row())
    path.write_text(path.read_text(encoding="utf-8") + "c2\ti2\tihc\tb.svs\textra\n", encoding="utf-8")
    (fault,) = faults(path)
    assert (fault.row, fault.message) == (3, "5 cells, but the header has 4")


def test_a_stray_quote_never_swallows_the_rows_behind_it(tmp_path):
    path = write(tmp_path, row(1, path='"i1.svs'), row(2), row(3))
    assert len(read(path).rows) == 3


@pytest.mark.parametrize("content", [b"case_id\xff\xfe", "case_id".encode("utf-16")])
def test_a_file_that_is_not_utf8_is_refused(tmp_path, content):
    (tmp_path / "cases.tsv").write_bytes(content)
    (fault,) = faults(tmp_path / "cases.tsv")
    assert "UTF-8" in fault.message


def test_a_missing_sheet_and_a_folder_are_refused(tmp_path):
    assert "cannot be read" in faults(tmp_path / "none.tsv")[0].message
    assert "cannot be read" in faults(tmp_path)[0].message


def test_the_users_page_lists_exactly_the_columns_of_the_sheet():
    listed = re.findall(r"^\| `([a-z0-9_]+)` \|", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert tuple(listed) == COLUMNS


def test_control_tissue_is_named_with_the_scores_it_should_have(tmp_path):
    image = read(write(tmp_path, row(control_piece="Left, 2", control_score="3+ ,0"))).rows[0]
    assert image.control_piece == ("left", "2")
    assert image.control_score == (IhcScore.THREE_PLUS, IhcScore.ZERO)


def test_a_control_may_be_named_without_an_expected_score(tmp_path):
    image = read(write(tmp_path, row(control_piece="top"))).rows[0]
    assert (image.control_piece, image.control_score) == (("top",), ())


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        pytest.param({"control_piece": "middle"}, "control_piece", "no piece of tissue", id="unknown place"),
        pytest.param({"control_piece": "0"}, "control_piece", "no piece of tissue", id="pieces count from 1"),
        pytest.param({"control_piece": "left,"}, "control_piece", "no piece of tissue", id="empty part"),
        pytest.param({"control_piece": "2, 02"}, "control_piece", "is named twice", id="one piece twice"),
        pytest.param(
            {"control_piece": "left", "control_score": "4+"}, "control_score", "'3+'", id="unknown score"
        ),
        pytest.param(
            {"control_score": "3+"}, "control_score", "without control_piece", id="score of nothing"
        ),
        pytest.param(
            {"control_piece": "left,right", "control_score": "3+"},
            "control_score",
            "1 scores for 2 pieces",
            id="one score for two pieces",
        ),
        pytest.param(
            {"control_piece": "left", "assay": "fish"}, "control_piece", "only an IHC slide", id="FISH"
        ),
    ],
)
def test_what_is_stated_of_control_tissue_and_cannot_be_is_a_fault(tmp_path, cells, column, words):
    (fault,) = faults(write(tmp_path, row(**cells)))
    assert (fault.row, fault.column) == (2, column)
    assert words in fault.message


def test_faults_of_control_tissue_are_reported_for_all_rows_at_once(tmp_path):
    rows = (row(1, control_score="3+"), row(2, control_piece="middle", control_score="5+"))
    found = faults(write(tmp_path, *rows))
    assert [(fault.row, fault.column) for fault in found] == [
        (2, "control_score"),
        (3, "control_piece"),
        (3, "control_score"),
    ]
