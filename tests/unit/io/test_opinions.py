"""First reads of each case, as the discordance review takes them from the table of reads."""

from __future__ import annotations

from datetime import date

import pytest

from her2path.io.opinions import read_cases
from her2path.steps.qa_reads import QaReadsParams, run

CALLS = """case_id,state,ihc_score,her2_category,ish_group,guideline
failed,not_evaluable,,,,breast_2023
low,negative,1+,low,,breast_2023
alone,negative,1+,low,,breast_2023
"""
READS = """case_id\treader\tsession\tdate\tihc_score\tcall
failed\tA\t1\t\t0\t
failed\tB\t1\t\t3+\t
low\tA\t2\t2026-03-01\t2+\t
low\tA\t1\t2026-01-01\t1+\t
low\tB\t1\t\t\tnot_evaluable
"""


@pytest.fixture
def cases(tmp_path):
    (tmp_path / "calls.csv").write_text(CALLS, encoding="utf-8")
    (tmp_path / "reads.tsv").write_text(READS, encoding="utf-8")
    table = tmp_path / "qa" / "reads.parquet"
    run(reads=tmp_path / "reads.tsv", calls=tmp_path, table=table, params=QaReadsParams())
    return {case.case_id: case for case in read_cases(table)}


def test_the_first_session_of_a_reader_counts_and_the_last_date_is_known(cases):
    low = cases["low"]

    assert [(read.reader, read.session, read.opinion.score) for read in low.readers] == [("A", 1, "1+")]
    assert low.last_read_on == date(2026, 3, 1)


def test_a_reader_who_could_not_evaluate_a_case_has_no_opinion_on_it(cases):
    assert "B" not in [read.reader for read in cases["low"].readers]


def test_readers_of_a_case_that_the_software_could_not_evaluate_are_compared(cases):
    failed = cases["failed"]

    assert failed.software.opinion.call == "not_evaluable"
    assert failed.software_opinion is None
    assert failed.is_compared
    assert failed.review().kind == "opposite_call"
    assert not failed.review().against_software


def test_one_opinion_is_compared_with_nothing(cases):
    assert not cases["alone"].is_compared
