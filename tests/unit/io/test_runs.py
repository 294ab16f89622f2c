"""The table of runs: what is read, what is refused, and that all faults come at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from her2path.errors import CaseSheetError
from her2path.io.reads_mapping import ReadsMapping
from her2path.io.runs import read_runs

TODAY = date(2026, 11, 22)
HEAD = "run_id\tdate\tscanner\tclone\tbatch\tcontrol\tdab_od\tpct_stained\tscore\tcase_ids\n"


def table(folder: Path, text: str, head: str = HEAD) -> Path:
    path = folder / "runs.tsv"
    path.write_text(head + text, encoding="utf-8")
    return path


def faults(path: Path, **options) -> list[str]:
    with pytest.raises(CaseSheetError) as caught:
        read_runs(path, today=TODAY, **options)
    assert caught.value.exit_code == 3
    return [str(fault) for fault in caught.value.faults]


def test_a_run_with_two_controls_is_read(tmp_path):
    rows = "R1\t2026-01-05\tA\t4B5\tL1\t3+\t0.61\t97,5\t3+\tc1, c2\nR1\t\t\t\t\t1+\t0.21\t\t1+\tc3\n"
    strong, weak = read_runs(table(tmp_path, rows), today=TODAY)
    assert (strong.dab_od, strong.pct_stained, strong.score) == (0.61, 97.5, "3+")
    assert weak.run == strong.run
    assert weak.run.run_on == date(2026, 1, 5)
    assert weak.case_ids == ("c1", "c2", "c3")
    assert weak.pct_stained is None


def test_a_table_of_one_control_needs_neither_its_name_nor_a_date(tmp_path):
    (one,) = read_runs(table(tmp_path, "R1\t0.4\n", "run_id\tdab_od\n"), today=TODAY)
    assert (one.control, one.run.run_on, one.run.scanner, one.case_ids) == ("control", None, None, ())


def test_other_names_of_columns_come_from_the_mapping(tmp_path):
    path = table(tmp_path, "R1;0,4;x\n", "Lauf;OD;Bemerkung\n")
    mapping = ReadsMapping(runs_columns={"run_id": "Lauf", "dab_od": "OD", "comment": "Bemerkung"})
    assert read_runs(path, today=TODAY, mapping=mapping)[0].dab_od == 0.4


def test_all_faults_come_at_once_with_row_and_column(tmp_path):
    rows = (
        "\t2026-01-05\tA\t\t\t3+\t0.6\t\t\t\n"
        "R2\t05/01/2026\tA\t\t\t3+\tdark\t101\t4+\tc 1,c/2\n"
        "R3\t2027-01-01\tA\t\t\t3+\t\t\t\t\n"
        "R4\t2026-01-05\tA\t\t\t3+\t0.6\t\t\t\n"
        "R4\t2026-01-06\tB\t\t\t3+\t9.1\t\t\t\n"
    )
    assert sorted(fault.split(":")[0] for fault in faults(table(tmp_path, rows))) == [
        "row 2, run_id",
        "row 3, case_ids",
        "row 3, dab_od",
        "row 3, date",
        "row 3, pct_stained",
        "row 3, score",
        "row 4, dab_od",
        "row 4, date",
        "row 6, control",
        "row 6, dab_od",
        "row 6, date",
        "row 6, scanner",
    ]


def test_a_table_of_nothing_measured_is_refused(tmp_path):
    (fault,) = faults(table(tmp_path, "R1\t2026-01-05\n", "run_id\tdate\n"))[:1]
    assert "dab_od: column is missing, and so is pct_stained" in fault


def test_a_table_without_rows_is_refused(tmp_path):
    assert faults(table(tmp_path, "")) == ["file: holds no row; give one row a run and control"]


def test_a_misspelt_column_is_refused_with_the_one_that_was_meant(tmp_path):
    (fault,) = faults(table(tmp_path, "R1\t0.4\t1\n", "run_id\tdab_od\tpct_staned\n"))
    assert "did you mean 'pct_stained'?" in fault
