from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from her2path.errors import CaseSheetError
from her2path.io.count_table import cell_text, guarded, read_count_table, write_count_table


def table(tmp_path: Path, data: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def refused(path: Path) -> str:
    with pytest.raises(CaseSheetError) as caught:
        read_count_table(path)
    return str(caught.value.faults[0])


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path):
    found = read_count_table(table(tmp_path, '\ufeff a ,b\r\n1,2\r\n\r\n"x\ny",3\r\n4,5\r\n'))

    assert found.header == ("a", "b")
    assert found.rows == ((2, ("1", "2")), (4, ("x\ny", "3")), (5, ("4", "5")))


def test_a_row_of_another_length_is_noted_and_the_next_one_is_not_shifted(tmp_path):
    found = read_count_table(table(tmp_path, "a,b\n1\n1,2,3\n1,2,,\n"))

    assert dict(found.misfits) == {
        2: "1 cells, but the header has 2",
        3: "3 cells, but the header has 2",
    }
    assert [cells for _, cells in found.rows] == [("1", ""), ("1", "2"), ("1", "2")]


def test_parquet_numbers_read_as_a_person_would_type_them(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "n": [20.0, None],
        "pct": [9.99, 0.00001],
        "float32": pa.array([9.99, 33.333332], pa.float32()),
        "word": ["2+", None],
        "yes": [True, False],
    }
    pq.write_table(pa.table(columns), path)

    assert [cells for _, cells in read_count_table(path).rows] == [
        ("20", "9.99", "9.99", "2+", "yes"),
        ("", "0.00001", "33.33333", "", "no"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.00000000000001, "100"),
        (0.1 + 0.2, "0.3"),
        (10.000000001, "10.000000001"),
        (1e20, "100000000000000000000"),
        (Decimal("1E+1"), "10"),
        (Decimal("9.990"), "9.99"),
    ],
)
def test_what_arithmetic_leaves_behind_nine_decimals_is_no_measurement(value, text):
    assert cell_text(value) == text


def test_what_is_no_number_stays_visible():
    assert [cell_text(value) for value in (math.nan, math.inf)] == ["nan", "inf"]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"\xff\xfea\x00", "t.csv", "file: 't.csv' cannot be read (UnicodeDecodeError)"),
        (b"PAR1 and no more", "t.parquet", "file: 't.parquet' cannot be read as Parquet"),
        (b"a\n1\n", "t.xlsx", "file: 't.xlsx' does not end in .csv, .tsv, .parquet"),
        (b"", "t.tsv", "file: is empty"),
        (b"a\tb\n", "t.tsv", "file: no rows"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, data, name, message):
    assert refused(table(tmp_path, data, name)).startswith(message)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    (tmp_path / "folder.parquet").mkdir()

    assert "there is no file 'nowhere.csv'" in refused(tmp_path / "nowhere.csv")
    assert "there is no file 'nowhere.parquet'" in refused(tmp_path / "nowhere.parquet")
    assert "cannot be read as Parquet (IsADirectoryError)" in refused(tmp_path / "folder.parquet")


def test_a_parquet_table_without_columns_has_no_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({}), path)

    assert refused(path).startswith("file: no rows")


def test_the_types_of_parquet_survive(tmp_path):
    source, out = tmp_path / "t.parquet", tmp_path / "o.parquet"
    pq.write_table(pa.table({"n": pa.array([1, None], pa.int64())}), source)

    write_count_table(out, read_count_table(source), {"call": ["positive", "negative"]})

    assert pq.read_table(out).to_pydict() == {"n": [1, None], "call": ["positive", "negative"]}


def test_an_empty_cell_of_text_is_nothing_in_parquet(tmp_path):
    out = tmp_path / "o.parquet"

    write_count_table(out, read_count_table(table(tmp_path, "a,b\n1,\n")), {})

    assert pq.read_table(out).to_pydict() == {"a": ["1"], "b": [None]}


def test_tabs_in_and_out_keep_quotes_and_breaks(tmp_path):
    out = tmp_path / "o.tsv"

    write_count_table(out, read_count_table(table(tmp_path, 'a\tb\n"x\ty"\t"p\nq"\n', "t.tsv")), {"c": ["z"]})

    assert read_count_table(out).rows == ((2, ("x\ty", "p\nq", "z")),)


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=A1", "'=A1"), ("+1", "+1"), ("-0.5", "-0.5"), ("-x", "'-x"), ("@a", "'@a"), ("1+", "1+"), ("", "")],
)
def test_a_formula_is_disarmed_and_a_number_is_not(cell, written):
    assert guarded(cell) == written
