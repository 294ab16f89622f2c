"""A read sheet is read whatever a spreadsheet did to it, and every fault in it is named at once."""

from __future__ import annotations

from datetime import date

import pytest

from her2path.domain.ish import Probe
from her2path.io.read_check import checked_read
from her2path.io.read_sheet import ReadSheet, empty_sheet, read_sheet
from her2path.io.recount_documents import RecountResult
from tests.support.read_sheets import SHEET, SHOWN, filled, key_of, written

TODAY = date(2026, 11, 21)
FIRST_ROW = 7
"""Line of nucleus 1: two lines of help, three of the head, one of the columns."""


def read(tmp_path, text, key=None):
    sheet = read_sheet(written(tmp_path / "reads.tsv", text))
    assert isinstance(sheet, ReadSheet), sheet
    return checked_read(sheet, key or key_of(), today=TODAY)


def faults(tmp_path, text, key=None):
    found = read(tmp_path, text, key)
    assert not isinstance(found, RecountResult)
    return [str(fault) for fault in found]


def test_a_filled_sheet_is_a_read_of_every_nucleus(tmp_path):
    result = read(tmp_path, filled(key_of(), {3: "9\t5\t\tnice", 7: "\t\toverlapping\t"}))

    assert isinstance(result, RecountResult)
    assert (result.reader, result.read_on, result.did_not_know_first_result) == ("AB", "2026-11-20", True)
    assert (result.summary.nuclei, result.summary.her2, result.summary.cep17) == (23, 22 * 7 + 9, 22 * 4 + 5)
    assert result.nuclei[2].comment == "nice"
    assert result.nuclei[6].not_countable == "overlapping"
    assert [nucleus.nucleus_id for nucleus in result.nuclei] == [100 + n for n in range(1, SHOWN + 1)]


def test_a_single_probe_has_no_cep17_column(tmp_path):
    key = key_of(probe=Probe.SINGLE)
    assert "cep17" not in empty_sheet(SHEET, 20, Probe.SINGLE)

    result = read(tmp_path, filled(key), key)

    assert isinstance(result, RecountResult)
    assert (result.summary.her2, result.summary.cep17) == (7 * SHOWN, None)


def _with(mark):
    return lambda text: "\n".join(mark.join(line.split("\t")) for line in text.split("\n"))


def _quoted(text):
    rows = [[f'"{cell}"' for cell in line.split("\t")] for line in text.split("\n") if line]
    return "\n".join(",".join(row) for row in rows)


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="byte-order mark"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16, Excel's Unicode text"),
        pytest.param(lambda text: text.replace("nice", "schön").encode("cp1252"), id="Western Europe"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(lambda text: text.replace("\n", "\t\t\t\n").encode(), id="trailing tabs"),
        pytest.param(lambda text: _with(";")(text).encode(), id="semicolons"),
        pytest.param(lambda text: _with(",")(text).replace(" ,", " ").encode(), id="commas"),
        pytest.param(lambda text: _quoted(text).encode(), id="every cell quoted"),
        pytest.param(lambda text: (text + "\n\n\t\t\n").encode(), id="empty lines at the end"),
        pytest.param(lambda text: text.rstrip("\n").encode(), id="no newline at the end"),
        pytest.param(lambda text: text.replace("2026-11-20", "20.11.2026").encode(), id="date with points"),
        pytest.param(lambda text: text.replace("\tyes", "\tYES").encode(), id="capitals"),
        pytest.param(lambda text: "\n".join(text.split("\n")[2:]).encode(), id="help deleted"),
    ],
)
def test_what_a_spreadsheet_does_on_saving_changes_no_read(tmp_path, saved):
    key = key_of()
    text = filled(key, {3: "9\t5\t\tnice", 7: "\t\toverlapping\t"})
    path = tmp_path / "reads.tsv"
    path.write_bytes(saved(text))

    sheet = read_sheet(path)

    assert isinstance(sheet, ReadSheet)
    result = checked_read(sheet, key, today=TODAY)
    assert isinstance(result, RecountResult), result
    assert result.summary == read(tmp_path, text).summary
    assert result.read_on == "2026-11-20"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param({2: "\t4\t\t"}, "row 8, her2_signals: is empty", id="one count missing"),
        pytest.param({2: "\t\t\t"}, "row 8, cep17_signals: is empty", id="neither counts nor reason"),
        pytest.param({2: "3,0\t4\t\t"}, "row 8, her2_signals: '3,0' is no whole number; write 3", id="3,0"),
        pytest.param({2: "3.0\t4\t\t"}, "row 8, her2_signals: '3.0' is no whole number; write 3", id="3.0"),
        pytest.param({2: "3.5\t4\t\t"}, "'3.5' is no whole number; write a whole number", id="a half"),
        pytest.param({2: "about 6\t4\t\t"}, "'about 6' is no whole number", id="words"),
        pytest.param({2: "6\t-4\t\t"}, "row 8, cep17_signals: -4 is out of range; 1 to 100", id="negative"),
        pytest.param({2: "101\t4\t\t"}, "row 8, her2_signals: 101 is out of range", id="above 100"),
        pytest.param(
            {2: "6\t0\t\t"}, "without a signal of each colour is not counted", id="none of a colour"
        ),
        pytest.param(
            {2: "6\t4\tcut_off\t"}, "row 8, not_countable: a nucleus has counts or a reason", id="both"
        ),
        pytest.param({2: "\t\tbad\t"}, "row 8, not_countable: 'bad' is no reason; known are", id="no reason"),
        pytest.param(
            {2: "\t\tother\t"}, "row 8, comment: is empty; say what `other`", id="other, unexplained"
        ),
        pytest.param(
            {2: "6\t4\t\t\tx"}, "row 8: has more cells than the table has columns", id="surplus cell"
        ),
        pytest.param({2: f"6\t4\t\t{'x' * 201}"}, "row 8, comment: is longer than 200", id="long comment"),
    ],
)
def test_a_faulty_line_is_named_with_its_row_and_column(tmp_path, rows, message):
    found = faults(tmp_path, filled(key_of(), rows))
    assert any(message in fault for fault in found), found


@pytest.mark.parametrize(
    ("head", "message"),
    [
        pytest.param({"reader": ""}, "row 3, reader: is empty", id="no reader"),
        pytest.param(
            {"reader": "Dr Ada Byron"}, "row 3, reader: 'Dr Ada Byron' is no pseudonym", id="a name"
        ),
        pytest.param(
            {"reader": "her2path"}, "a program made the first count; a person must", id="the program"
        ),
        pytest.param({"reader": "xy"}, "'XY' made the first count; another person", id="the first observer"),
        pytest.param({"day": ""}, "row 4, date: is empty; write it as YYYY-MM-DD", id="no date"),
        pytest.param(
            {"day": "11/12/2026"},
            "'11/12/2026' is no date; write it as YYYY-MM-DD, in a cell formatted as text",
            id="day and month cannot be told",
        ),
        pytest.param({"day": "21-11-2026"}, "'21-11-2026' is no date; write it", id="a Dutch spreadsheet"),
        pytest.param({"day": "2026-02-30"}, "'2026-02-30' is no date", id="no such day"),
        pytest.param({"day": "2026-11-22"}, "2026-11-22 lies in the future", id="tomorrow"),
        pytest.param({"blinded": ""}, "row 5, did_not_know_first_result: is empty", id="blinding not stated"),
        pytest.param({"blinded": "maybe"}, "'maybe' is neither yes nor no", id="blinding unclear"),
    ],
)
def test_who_when_and_blinding_must_be_stated(tmp_path, head, message):
    key = key_of(first_observer="XY")
    found = faults(tmp_path, filled(key, **head), key)
    assert len(found) == 1
    assert message in found[0]


def test_a_reader_who_knew_the_result_is_an_honest_read(tmp_path):
    result = read(tmp_path, filled(key_of(), blinded="no"))
    assert isinstance(result, RecountResult)
    assert not result.did_not_know_first_result


def test_nuclei_that_were_never_shown_are_missing_or_stand_twice_are_named(tmp_path):
    text = (
        filled(key_of()).replace(f"{SHEET}\t5\t", f"{SHEET}\t25\t").replace(f"{SHEET}\t9\t", f"{SHEET}\t8\t")
    )

    assert faults(tmp_path, text) == [
        "file, nucleus: nuclei 5, 9 are missing; give counts or a reason for every nucleus",
        "row 11, nucleus: nucleus 25 was never shown; numbers go from 1 to 24",
        "row 15, nucleus: nucleus 8 stands in row 14 already",
    ]


def test_a_line_of_another_sheet_is_named(tmp_path):
    text = filled(key_of()).replace(f"{SHEET}\t4\t", "qrstvbcd\t4\t").replace(f"{SHEET}\t6\t", "\t6\t")

    assert faults(tmp_path, text) == [
        f"row 10, sheet_id: 'qrstvbcd' is another sheet; this one is '{SHEET}'",
        f"row 12, sheet_id: is empty; this one is '{SHEET}'",
    ]


@pytest.mark.parametrize(
    ("counted", "is_read"), [pytest.param(20, True, id="20"), pytest.param(19, False, id="19")]
)
def test_twenty_nuclei_must_be_counted(tmp_path, counted, is_read):
    rows = dict.fromkeys(range(counted + 1, SHOWN + 1), "\t\tout_of_focus\t")

    found = read(tmp_path, filled(key_of(), rows))

    assert isinstance(found, RecountResult) is is_read
    if not is_read:
        assert "only 19 nuclei were counted, 20 are needed" in str(found[0])


def test_all_faults_come_at_once_in_the_order_of_the_file(tmp_path):
    text = filled(key_of(), {1: "x\t4\t\t", 20: "6\t-1\t\t"}, reader="", day="soon")

    assert [fault.split(":")[0] for fault in faults(tmp_path, text)] == [
        "row 3, reader",
        "row 4, date",
        f"row {FIRST_ROW}, her2_signals",
        f"row {FIRST_ROW + 19}, cep17_signals",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is empty", id="0 bytes"),
        pytest.param(b"\n \n", "is empty", id="blank lines"),
        pytest.param(b"PK\x03\x04...", "is a workbook; save it as text", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0...", "is a workbook; save it as text", id="xls"),
        pytest.param(b"sheet_id\tnucleus\n" + b"x" * 2**17, "is too large", id="a cell without an end"),
        pytest.param(b"case\tscore\nc1\t2+\n", "is no read sheet", id="another table"),
        pytest.param(
            b"sheet_id\tnucleus\ther2_signals\n", "not_countable: column is missing", id="column gone"
        ),
        pytest.param(
            b"sheet_id\tnucleus\ther2_signals\tnot_countable\tratio\n",
            "ratio: unknown column",
            id="new column",
        ),
        pytest.param(
            b"sheet_id\tnucleus\tnucleus\ther2_signals\tnot_countable\n", "twice", id="column twice"
        ),
    ],
)
def test_a_file_that_is_no_read_sheet_is_refused(tmp_path, data, message):
    path = tmp_path / "x.tsv"
    path.write_bytes(data)

    found = read_sheet(path)

    assert not isinstance(found, ReadSheet)
    assert any(message in str(fault) for fault in found)


def test_a_missing_file_is_a_fault(tmp_path):
    found = read_sheet(tmp_path / "none.tsv")
    assert not isinstance(found, ReadSheet)
    assert "cannot be read (FileNotFoundError)" in str(found[0])


def test_a_column_of_cep17_that_is_gone_is_named(tmp_path):
    lines = [line.split("\t") for line in filled(key_of()).splitlines()]
    text = "\n".join(
        "\t".join([*cells[:3], *cells[4:]]) if len(cells) > 3 else "\t".join(cells) for cells in lines
    )
    assert "row 6, cep17_signals: column is missing" in faults(tmp_path, text)
