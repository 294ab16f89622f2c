from __future__ import annotations

import csv
import io

import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.io.case_tables import CALLS
from her2path.io.tables import read_table, write_table
from her2path.reports.calls_table import COLUMNS, calls_columns, calls_csv, guarded
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    TWO_PLUS,
    Fish,
    Ihc,
    call_doc,
    nuclei,
    producer_of,
)
from tests.support.cohorts import cohort


def table_of(folder, *calls):
    path = folder / "calls.parquet"
    with write_table(path, CALLS, produced_by=producer_of("cohort_report")) as table:
        table.append(calls_columns(calls))
    return read_table(path, CALLS).to_pylist()


def as_text(value):
    """A value of the typed table as the CSV writes it; without the apostrophe, which only a CSV needs."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(value)
    return repr(value) if isinstance(value, float) else str(value)


def rows_of(*calls):
    return list(csv.DictReader(io.StringIO(calls_csv(calls), newline="")))


def test_rows_keep_the_order_of_the_sheet():
    calls = [call_doc(name, Ihc(cells=CLEAN)) for name in ("z9", "a1", "m5")]
    assert [row["case_id"] for row in rows_of(*calls)] == ["z9", "a1", "m5"]


def test_measured_numbers_stand_in_their_columns():
    (row,) = rows_of(call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=[(8, 2)] * 30)))
    assert row["ihc_score"] == "2+"
    assert (row["state"], row["ish_group"]) == ("positive", "1")
    assert float(row["pct_complete_weak_moderate"]) == pytest.approx(26.0)
    assert float(row["h_score"]) == pytest.approx(95.0)
    assert (row["nuclei"], row["her2_signals"], row["cep17_signals"]) == ("30", "240", "60")
    assert (row["her2_mean"], row["cep17_mean"], row["her2_cep17_ratio"]) == ("8.0", "2.0", "4.0")


def test_not_measured_is_an_empty_cell_and_measured_zero_is_not():
    (row,) = rows_of(call_doc("c1", Ihc(cells=CLEAN)))
    assert row["h_score"] == "0.0"
    assert row["nuclei"] == row["her2_mean"] == row["ish_group"] == row["another_result"] == ""


def test_the_chance_of_another_result_is_a_number_from_0_to_1():
    near = [(4, 2)] * 9 + [(3, 2)] * 5 + [(6, 3)] * 4 + [(7, 3), (5, 2)]
    (row,) = rows_of(call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=near)))
    assert float(row["another_result"]) == pytest.approx(0.239, abs=0.001)


def test_nuclei_that_are_all_alike_leave_the_chance_empty():
    (row,) = rows_of(call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=[(4, 2)] * 20)))
    assert (row["her2_cep17_ratio"], row["another_result"]) == ("2.0", "")


def test_a_case_without_result_has_its_reason_and_no_number():
    (row,) = rows_of(call_doc("c1", Ihc(failed=NotEvaluable("no_tissue", 'no tissue, "empty"; scan again'))))
    assert row["status"] == row["state"] == "not_evaluable"
    assert row["reason"] == 'no tissue, "empty"; scan again'
    assert all(row[name] == "" for name in ("ihc_score", "scored_cells", "h_score", "nuclei"))


def test_the_score_is_not_guarded_though_spreadsheets_fear_a_plus():
    assert ",1+," in calls_csv([call_doc("c1", Ihc(cells=ONE_PLUS))])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_free_text_that_a_spreadsheet_would_run_is_preceded_by_an_apostrophe(start):
    (row,) = rows_of(call_doc("c1", Ihc(failed=NotEvaluable("odd", f"{start}cmd|' /C calc'!A0"))))
    assert row["reason"] == guarded(f"{start}cmd|' /C calc'!A0")
    assert row["reason"].startswith("'" + start)


def test_lines_end_as_rfc_4180_asks_and_every_row_has_every_column():
    text = calls_csv([call_doc("c1", Ihc(cells=CLEAN)), call_doc("c2", Fish(nuclei=nuclei(30, 5, 3)))])
    assert text.count("\r\n") == 3
    assert "\n" not in text.replace("\r\n", "")
    assert [len(row) for row in csv.reader(io.StringIO(text, newline=""))] == [len(COLUMNS)] * 3


def test_the_typed_table_says_the_same_as_the_csv_for_every_cell_of_a_cohort(tmp_path):
    calls = [case.call for case in cohort(400)]
    typed = [{name: as_text(value) for name, value in row.items()} for row in table_of(tmp_path, *calls)]
    assert typed == rows_of(*calls)


def test_numbers_of_the_typed_table_are_those_of_the_call_to_the_last_digit(tmp_path):
    call = call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(37, 5.1, 3)))
    (row,) = table_of(tmp_path, call)
    assert (row["h_score"], row["her2_cep17_ratio"]) == (call.ihc["h_score"], call.ish["her2_cep17_ratio"])
    assert row["comments"] == [comment.code for comment in call.comments]


def test_the_typed_table_tells_the_category_null_from_none(tmp_path):
    null, none = table_of(tmp_path, call_doc("c1", Ihc(cells=CLEAN)), call_doc("c2", Ihc(cells=TWO_PLUS)))
    assert (null["her2_category"], none["her2_category"]) == ("null", None)


def test_free_text_of_the_typed_table_has_no_apostrophe_before_it(tmp_path):
    (row,) = table_of(tmp_path, call_doc("c1", Ihc(failed=NotEvaluable("odd", "=1+1"))))
    assert row["reason"] == "=1+1"
