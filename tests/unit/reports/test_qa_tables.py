from __future__ import annotations

import csv
import io

from her2path.domain.reads import SOFTWARE
from her2path.domain.stats.estimate import Estimate
from her2path.io.qa_documents import EstimateEntry
from her2path.reports.qa_tables import CsvTable, agreement_tables
from tests.support.qa_results import SCORES, agreement, method


def rows_of(result, name):
    (table,) = [one for one in agreement_tables(result) if one.name == name]
    return list(csv.DictReader(io.StringIO(table.text, newline="")))


def test_every_statistic_of_every_pair_is_a_row_with_its_interval():
    result = agreement()
    rows = rows_of(result, "agreement")
    assert len(rows) == sum(len(pair.estimates) for pair in result.pairs)
    (row,) = [
        r
        for r in rows
        if (r["endpoint"], r["first"], r["second"], r["statistic"]) == ("ihc_score", SOFTWARE, "r2", "exact")
    ]
    assert (row["value"], row["method"], row["n"], row["why"]) == ("0.8", "Wilson", "10", "")
    assert float(row["low"]) < 0.8 < float(row["high"])


def test_a_statistic_without_a_value_is_empty_and_says_why():
    none = EstimateEntry.of(Estimate.none("all cases are in one category", "Cohen's kappa", n=10))
    result = agreement()
    odd = result.pairs[0].model_copy(update={"estimates": {"kappa": none}})
    row = rows_of(result.model_copy(update={"pairs": (odd,)}), "agreement")[0]
    assert (row["value"], row["low"], row["why"]) == ("", "", "all cases are in one category")


def test_the_cells_of_the_matrix_sum_to_the_cases_of_the_pair():
    rows = rows_of(agreement(), "confusion")
    chosen = [r for r in rows if (r["endpoint"], r["second"], r["kind"]) == ("call", "r2", "software_reader")]
    assert sum(int(r["cases_here"]) for r in chosen) == 10


def test_points_of_a_comparison_keep_their_cases():
    rows = rows_of(agreement(methods=(method([1.0, 2.0]),)), "comparison_points")
    assert [(r["case_id"], r["second_value"]) for r in rows] == [("c0", "1.0"), ("c1", "2.0")]


def test_names_that_a_spreadsheet_would_run_are_guarded_and_quotes_doubled():
    scores = {SOFTWARE: SCORES[SOFTWARE], "=cmd|'/c calc'!A1": SCORES["r1"], 'a,"b"\n': SCORES["r2"]}
    (table,) = [one for one in agreement_tables(agreement(scores)) if one.name == "readers"]
    assert "\r\n'=cmd|'/c calc'!A1,false" in table.text
    assert '\r\n"a,""b""\n",false' in table.text


def test_negative_numbers_stand_as_numbers():
    assert CsvTable("t", ("x",), ((-0.5,), (-3,))).text == "x\r\n-0.5\r\n-3\r\n"


def test_a_table_without_rows_is_its_head():
    (table,) = [one for one in agreement_tables(agreement()) if one.name == "cuts"]
    assert table.text.count("\r\n") == 1
