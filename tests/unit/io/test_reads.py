"""Reads are read whatever saved them, and every fault is named at once by row and column."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from her2path.domain.ihc import IhcScore, StainingClass
from her2path.errors import CaseSheetError, ConfigError
from her2path.io.reads import read_reads
from her2path.io.reads_mapping import READ_COLUMNS, read_mapping

TODAY = date(2026, 11, 22)
HEADER = "\t".join(READ_COLUMNS)
ROW = "c1\tAB\t1\t2026-01-10\t2+\t\t\t\t\t\t80\t40\t20\tpositive\tclear"


def table(path, *rows, header=HEADER, encoding="utf-8"):
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def read(tmp_path, *rows, header=HEADER, mapping=None):
    path = table(tmp_path / "reads.tsv", *rows, header=header)
    if mapping is None:
        return read_reads(path, today=TODAY)
    (tmp_path / "map.yaml").write_text(mapping, encoding="utf-8")
    return read_reads(path, today=TODAY, mapping=read_mapping(tmp_path / "map.yaml"))


def faults(tmp_path, *rows, header=HEADER, mapping=None):
    with pytest.raises(CaseSheetError) as caught:
        read(tmp_path, *rows, header=header, mapping=mapping)
    assert caught.value.exit_code == 3
    return [str(fault) for fault in caught.value.faults]


def cell(column, text, **others):
    """Write one row that holds `text` under `column`."""
    named = {"case_id": "c1", "reader": "AB", **others, column: text}
    return "\t".join(named.get(name, "") for name in READ_COLUMNS)


def test_a_row_is_a_read(tmp_path):
    (found,) = read(tmp_path, ROW).reads

    assert (found.line, found.case_id, found.reader, found.session) == (2, "c1", "AB", 1)
    assert found.read_on == date(2026, 1, 10)
    assert found.findings.score is IhcScore.TWO_PLUS
    assert (found.findings.her2, found.findings.cep17, found.findings.nuclei) == (80, 40, 20)
    assert (found.findings.call, found.comment) == ("positive", "clear")


def test_an_empty_cell_is_not_read_and_never_0(tmp_path):
    (found,) = read(tmp_path, cell("ihc_score", "0")).reads

    assert found.findings.percentages == {}
    assert (found.findings.her2, found.findings.nuclei, found.findings.call) == (None, None, None)
    assert found.read_on is None


def _semicolons(text):
    return text.replace("\t", ";")


def _quoted(text):
    return "\n".join(",".join(f'"{part}"' for part in line.split("\t")) for line in text.split("\n") if line)


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        pytest.param(str, "utf-8-sig", id="byte-order mark"),
        pytest.param(str, "utf-16", id="UTF-16"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), "utf-8", id="CRLF"),
        pytest.param(_semicolons, "utf-8", id="semicolons"),
        pytest.param(_quoted, "utf-8", id="commas and quotes"),
        pytest.param(lambda text: f"# exported\n\n{text}", "utf-8", id="a remark above the columns"),
        pytest.param(str.upper, "utf-8", id="columns in capitals"),
    ],
)
def test_what_a_spreadsheet_does_to_a_file_changes_no_read(tmp_path, change, encoding):
    plain = "\n".join([HEADER, ROW, ""])
    saved = change(plain) if change is not str.upper else f"{HEADER.upper()}\n{ROW}\n"
    path = tmp_path / "reads.txt"
    path.write_bytes(saved.encode(encoding))

    (found,) = read_reads(path, today=TODAY).reads

    assert (found.case_id, found.findings.score, found.comment) == ("c1", IhcScore.TWO_PLUS, "clear")


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *[(text, "2+") for text in ("2", "2+", "IHC 2+", "Score 2+", "HER2 IHC: 2+", "2.0", "++", "2 +")],
        *[(text, "0") for text in ("0", "IHC 0", "Score 0", "0.0")],
        ("3+", "3+"),
        ("+", "1+"),
    ],
)
def test_scores_as_people_write_them(tmp_path, text, score):
    (found,) = read(tmp_path, cell("ihc_score", text)).reads

    assert found.findings.score == score


@pytest.mark.parametrize("text", ["2.5", "1-2+", "1+/2+", "4", "0+", "positive", "-1", "2++", "ultralow"])
def test_a_score_that_is_none_is_refused(tmp_path, text):
    (fault,) = faults(tmp_path, cell("ihc_score", text))

    assert fault.startswith(f"row 2, ihc_score: {text!r} is no score; write 0, 1+, 2+ or 3+")


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("pct_none", "101", "'101' is no percentage; write a number from 0 to 100"),
        ("pct_none", "-5", "'-5' is no percentage; write a number from 0 to 100"),
        ("pct_none", ">90", "'>90' is no percentage; write a number from 0 to 100"),
        ("session", "0", "0 is no whole number from 1 to 100"),
        ("session", "first", "'first' is no whole number from 1 to 100"),
        ("date", "2026-02-30", "'2026-02-30' is no date; write it as YYYY-MM-DD"),
        ("date", "2026-11-23", "2026-11-23 lies in the future"),
        ("date", "1989-12-31", "1989-12-31 lies before 1990; correct the year"),
        ("call", "amplified", "'amplified' is no call; known are positive, negative"),
        ("case_id", "c 1", "'c 1' cannot be an id"),
        ("case_id", "", "is empty; name the case"),
        ("reader", "Ada Byron", "'Ada Byron' is no pseudonym"),
        ("reader", "", "is empty; state initials or a pseudonym"),
        ("reader", "her2path", "'her2path' names a program"),
        ("reader", "majority", "'majority' has a meaning of its own in the results"),
        ("reader", "Reference", "'Reference' has a meaning of its own in the results"),
        ("reader", "READERS", "'READERS' has a meaning of its own in the results"),
        ("comment", "x" * 501, "is longer than 500 characters; shorten it"),
        ("comment", "a\x07b", "holds a control character; retype it"),
    ],
)
def test_a_cell_out_of_its_range_is_named(tmp_path, column, text, message):
    row = cell(column, text, **({} if column == "ihc_score" else {"ihc_score": "1+"}))

    (fault,) = faults(tmp_path, row)

    assert fault.startswith(f"row 2, {column}: {message}")


def test_slashed_dates_need_their_order_stated(tmp_path):
    row = cell("date", "03/04/2026", ihc_score="1+")
    (fault,) = faults(tmp_path, row)
    assert "'03/04/2026' is no date; write it as YYYY-MM-DD, or state `date_order` in a mapping" in fault

    (found,) = read(tmp_path, row, mapping="date_order: day_month_year").reads
    assert found.read_on == date(2026, 4, 3)
    (found,) = read(tmp_path, row, mapping="date_order: month_day_year").reads
    assert found.read_on == date(2026, 3, 4)


def test_a_time_beside_the_date_is_left_out(tmp_path):
    (found,) = read(tmp_path, cell("date", "2026-01-10 00:00:00", ihc_score="1+")).reads

    assert found.read_on == date(2026, 1, 10)


def test_percentages_that_do_not_sum_to_100(tmp_path):
    row = "c1\tAB\t1\t\t1+\t0\t0\t0\t40\t59"

    assert faults(tmp_path, row) == ["row 2, pct_complete_intense: the percentages sum to 99, not to 100"]


def test_percentages_of_some_classes_need_not_sum_to_100_but_cannot_exceed_it(tmp_path):
    (found,) = read(tmp_path, cell("pct_none", "60,5 %")).reads
    assert found.findings.percentages == {StainingClass.NONE: Decimal("60.5")}

    (fault,) = faults(tmp_path, cell("pct_none", "60", pct_incomplete_faint="60"))
    assert fault == "row 2, pct_incomplete_faint: the percentages sum to 120, not to 100"


def test_counts_without_nuclei_and_nuclei_without_counts(tmp_path):
    assert faults(tmp_path, cell("her2_signals", "80")) == [
        "row 2, nuclei: is empty; say in how many nuclei the signals were counted"
    ]
    assert faults(tmp_path, cell("nuclei", "20")) == [
        "row 2, her2_signals: is empty; give the HER2 signals of all counted nuclei together"
    ]
    (fault,) = faults(tmp_path, cell("her2_signals", "2001", nuclei="20"))
    assert fault == "row 2, her2_signals: 2001 is no whole number from 0 to 2000"


def test_the_same_reader_case_and_session_twice(tmp_path):
    (fault,) = faults(tmp_path, ROW, ROW.replace("positive", "negative"))

    assert fault == (
        "row 3, session: 'AB' read 'c1' in session 1 already in row 2; number the sessions, "
        "or take one of the rows out"
    )


def test_ids_that_differ_only_in_capitals(tmp_path):
    found = faults(tmp_path, cell("ihc_score", "1+"), cell("ihc_score", "1+", case_id="C1", reader="ab"))

    assert found == [
        "row 3, case_id: 'C1' differs from 'c1' only in its capitals",
        "row 3, reader: 'ab' differs from 'AB' only in its capitals",
    ]


def test_all_faults_come_at_once_in_the_order_of_the_rows(tmp_path):
    found = faults(
        tmp_path,
        cell("ihc_score", "2.5", date="2027-01-01"),
        cell("pct_none", "120", reader="A B"),
        ROW,
        ROW,
    )

    assert [fault.split(":")[0] for fault in found] == [
        "row 2, date",
        "row 2, ihc_score",
        "row 3, reader",
        "row 3, pct_none",
        "row 5, session",
    ]


def session(number, day, case_id="c1", reader="AB"):
    return cell("ihc_score", "1+", case_id=case_id, reader=reader, session=str(number), date=day)


def test_a_session_dated_before_an_earlier_one_is_refused_whatever_the_order_of_the_rows(tmp_path):
    rows = [
        session(3, "2026-02-01"),
        session(1, "2026-03-01"),
        session(2, ""),
        session(1, "2026-03-01", reader="CD"),
        session(2, "2026-03-01", reader="CD"),
        session(2, "2026-01-01", case_id="c2"),
    ]

    assert faults(tmp_path, *rows) == [
        "row 2, date: session 3 of 'c1' by 'AB' (2026-02-01) lies before session 1 (2026-03-01, row 3); "
        "number sessions as they were read"
    ]


def test_a_wrong_name_of_a_reader_is_one_fault_with_its_rows(tmp_path):
    wrong = [cell("ihc_score", "1+", case_id=f"c{n}", reader="Ada Byron") for n in range(14)]
    found = faults(tmp_path, ROW, *wrong, cell("ihc_score", "1+", reader="her2path"))

    assert [fault.split(";")[0] for fault in found] == [
        "row 3, reader: 'Ada Byron' is no pseudonym",
        "row 17, reader: 'her2path' names a program",
    ]
    assert found[0].endswith("(also in 13 rows: 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ...)")


def test_a_wrong_name_hides_no_other_fault_of_its_later_rows(tmp_path):
    scores = ("1+", "2+", "4+")
    wrong = [cell("ihc_score", score, case_id=f"c{score[0]}", reader="A B") for score in scores]

    places = [fault.split(":")[0] for fault in faults(tmp_path, *wrong)]
    assert places == ["row 2, reader", "row 4, ihc_score"]


def test_a_row_without_a_reading_is_no_read(tmp_path):
    found = read(tmp_path, ROW, cell("case_id", "c2"), cell("comment", "slide missing", case_id="c3"))

    assert [one.case_id for one in found.reads] == ["c1"]
    assert found.without_reading == (("c2", "AB"), ("c3", "AB"))


def test_unknown_and_missing_columns_are_named_with_the_likely_one(tmp_path):
    found = faults(tmp_path, header="case_id\tihc_scor\tfarbe")

    assert "row 1, ihc_scor: unknown column; did you mean 'ihc_score'?" in found[0]
    assert "row 1, farbe: unknown column; known are case_id, reader" in found[1]
    assert found[2] == "row 1, reader: column is missing"


def test_more_cells_than_columns(tmp_path):
    (fault,) = faults(tmp_path, "c1\tAB\t1+\tnice\tslide", header="case_id\treader\tihc_score\tcomment")

    assert fault == "row 2: has more cells than the table has columns ('slide')"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file: is empty"),
        (b"PK\x03\x04", "file: is a workbook; save it as text (tab-separated)"),
        (b"\x81\x8d\x00 \x8f", "file: is no text; save it as text (tab-separated, UTF-8)"),
        (b"case;score\n1;2\n", "file: no line names the column 'case_id' beside others; is this the reads?"),
    ],
)
def test_a_file_that_is_no_table_of_reads(tmp_path, data, message):
    path = tmp_path / "reads.tsv"
    path.write_bytes(data)

    with pytest.raises(CaseSheetError) as caught:
        read_reads(path, today=TODAY)

    assert str(caught.value.faults[0]).startswith(message)


def test_a_table_without_rows(tmp_path):
    assert faults(tmp_path) == ["file: holds no row; give one row a read"]


EXPORT = "Fall-Nr;Befunder;HER2 IHC;Anteil negativ;Ergebnis;Farbe"
MAPPING = """
columns: {case_id: Fall-Nr, reader: Befunder, ihc_score: HER2 IHC, pct_none: Anteil negativ, call: Ergebnis}
ignore: [Farbe]
scores: {schwach: 1+, negativ: 0}
calls: {positiv: positive, 'negativ': negative}
readers: {Dr. Ada Byron: AB}
not_read: ['-']
"""


def test_an_export_with_other_columns_words_and_names(tmp_path):
    row = "c1;Dr. Ada Byron;Schwach;60,5;negativ;braun"

    (found,) = read(tmp_path, row, header=EXPORT, mapping=MAPPING).reads

    assert (found.reader, found.findings.score, found.findings.call) == ("AB", "1+", "negative")
    assert found.findings.percentages == {StainingClass.NONE: Decimal("60.5")}


def test_a_word_for_nothing_is_an_empty_cell(tmp_path):
    (found,) = read(tmp_path, "c1;Dr. Ada Byron;negativ;-;-;", header=EXPORT, mapping=MAPPING).reads

    assert (found.findings.score, found.findings.percentages, found.findings.call) == ("0", {}, None)


def test_faults_of_an_export_name_its_own_columns(tmp_path):
    (fault,) = faults(tmp_path, "c1;Dr. Ada Byron;stark;;;", header=EXPORT, mapping=MAPPING)

    assert fault.startswith("row 2, HER2 IHC: 'stark' is no score;")


def test_one_reader_and_session_for_all_rows(tmp_path):
    (found,) = read(tmp_path, "c1\t2+", header="case_id\tihc_score", mapping="reader: AB\nsession: 2\n").reads

    assert (found.reader, found.session) == ("AB", 2)


def test_all_other_columns_can_be_ignored(tmp_path):
    header = "case_id\treader\tihc_score\tfarbe\tglas"
    (found,) = read(tmp_path, "c1\tAB\t2+\tx\ty", header=header, mapping="ignore: '*'").reads

    assert found.findings.score == "2+"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {}", "mapping map.yaml, colums: unknown key; known are columns,"),
        ("columns: {score: x}", "mapping map.yaml: 'score' is no column to map to; known are case_id,"),
        ("scores: {weak: 2.5}", "mapping map.yaml, scores.weak: Input should be '0', '1+', '2+' or '3+'"),
        ("calls: {yes: amplified}", "mapping map.yaml, calls: 'amplified' is no call; known are"),
        (
            "columns: {case_id: A, reader: a}",
            "mapping map.yaml, columns: 'a' is given for two columns",
        ),
        (
            "reader: AB\ncolumns: {reader: X}",
            "mapping map.yaml: reader is given both for all rows and as a column",
        ),
        ("[1, 2]", "mapping map.yaml must hold keys and values"),
        ("a: [", "mapping map.yaml cannot be read"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(tmp_path, text, message):
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_mapping(path)

    assert caught.value.faults[0].startswith(message)


def five(*texts):
    return "\t".join(["c1", "AB", *["", "", ""], *texts, *[""] * 5])


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(("33.3", "33,3", "33.3", "0", "0"), id="one decimal, 99.9"),
        pytest.param(("20.05", "20.05", "20.05", "20.05", "19.8"), id="100.00 exactly"),
        pytest.param(("20.1", "20.1", "20.0", "20.0", "20.0"), id="100.2, within 0.25"),
    ],
)
def test_percentages_may_miss_100_by_their_own_rounding(tmp_path, texts):
    (found,) = read(tmp_path, five(*texts)).reads

    assert found.findings.is_whole


@pytest.mark.parametrize(
    ("texts", "total"),
    [
        (("33.30", "33.31", "33.3", "0", "0"), "99.91"),
        (("20.1", "20.1", "20.1", "20.0", "20.0"), "100.3"),
        (("33.35", "33.35", "33.35", "0", "0"), "100.05"),
        (("33", "33", "33", "0", "0"), "99"),
    ],
)
def test_percentages_that_miss_100_by_more_than_their_rounding_are_refused(tmp_path, texts, total):
    (fault,) = faults(tmp_path, five(*texts))

    assert fault.endswith(f"the percentages sum to {total}, not to 100")


@pytest.mark.parametrize("word", ["0", "1+", "++", "IHC 2+", "0+", "Negative", "needs ish", "schwach"])
def test_a_mapping_cannot_call_a_result_not_read(tmp_path, word):
    path = tmp_path / "map.yaml"
    path.write_text(f"scores: {{schwach: 1+}}\nnot_read: ['{word}']\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="not_read: .* is a score or a call"):
        read_mapping(path)
