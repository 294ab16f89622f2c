"""Reads and calls become one table, each read completed by the guideline of its case."""

from __future__ import annotations

import json

import pytest

from her2path.errors import ConfigError
from her2path.io.case_tables import QA_READS
from her2path.io.tables import facts_of, read_table
from her2path.steps.qa_reads import QaReadsParams, run

CALL_COLUMNS = "case_id state ihc_score her2_category ish_group guideline pct_none nuclei her2_signals"
CALLS = f"""{",".join(CALL_COLUMNS.split())},cep17_signals
c1,negative,0,ultralow,,breast_2023,95.5,,,
c2,positive,2+,positive,1,breast_2023,10.0,20,90,40
"""
COLUMNS = "case_id reader session date ihc_score pct_none pct_incomplete_faint her2_signals cep17_signals"
HEAD = "\t".join(COLUMNS.split())
READS = f"""{HEAD}\tnuclei\tcall
c2\tAB\t2\t2026-02-01\t2+\t\t\t80\t40\t20\tpositive
c2\tAB\t1\t2026-01-01\t2+\t\t\t\t\t\t
c1\tCD\t1\t\t\t95\t5\t\t\t\t
c9\tCD\t1\t\t3+\t\t\t\t\t\tnegative
c1\tAB\t1\t\t\t\t\t\t\t\t
"""


@pytest.fixture
def table(tmp_path):
    def make(*, reads=READS, strata=None, **params):
        (tmp_path / "calls.csv").write_text(CALLS, encoding="utf-8")
        (tmp_path / "reads.tsv").write_text(reads, encoding="utf-8")
        if strata is not None:
            (tmp_path / "strata.tsv").write_text(strata, encoding="utf-8")
        run(
            reads=tmp_path / "reads.tsv",
            calls=tmp_path,
            strata=None if strata is None else tmp_path / "strata.tsv",
            table=tmp_path / "qa" / "reads.parquet",
            params=QaReadsParams(**params),
        )
        return tmp_path / "qa" / "reads.parquet"

    return make


def column(path, name):
    return read_table(path, QA_READS).column(name).to_pylist()


def test_software_and_readers_stand_sorted_by_case_reader_and_session(table):
    path = table()

    keys = list(zip(column(path, "case_id"), column(path, "reader"), column(path, "session"), strict=True))
    assert keys == [
        ("c1", "CD", 1),
        ("c1", "her2path", 1),
        ("c2", "AB", 1),
        ("c2", "AB", 2),
        ("c2", "her2path", 1),
        ("c9", "CD", 1),
    ]
    assert column(path, "is_software") == [False, True, False, False, True, False]


def test_what_a_reader_left_open_follows_by_the_guideline_and_says_so(table):
    path = table()

    assert column(path, "ihc_score") == ["0", "0", "2+", "2+", "2+", "3+"]
    assert column(path, "score_stated") == [False, True, True, True, True, True]
    assert column(path, "category") == ["ultralow", "ultralow", None, "positive", "positive", None]
    assert column(path, "call") == ["negative", "negative", "needs_ish", "positive", "positive", "negative"]
    assert column(path, "call_stated") == [False, True, False, True, True, True]
    assert column(path, "contradiction") == [None] * 5 + ["call_other_than_numbers"]


def test_what_was_not_read_is_null(table):
    path = table()

    assert column(path, "pct_none") == [95.0, 95.5, None, None, 10.0, None]
    assert column(path, "nuclei") == [None, None, None, 20, 20, None]


def test_the_strata_of_a_case_stand_beside_all_of_its_reads(table):
    path = table(strata="case_id\tsite\tdate\nc2\tNorth\t2026-01-05\n")

    assert column(path, "site") == [None, None, "North", "North", "North", None]
    assert [None if day is None else day.isoformat() for day in column(path, "stained_on")] == [
        None,
        None,
        "2026-01-05",
        "2026-01-05",
        "2026-01-05",
        None,
    ]


def test_rows_without_a_reading_and_the_digests_of_the_sources_are_kept(table):
    facts = facts_of(table())

    assert json.loads(facts["without_reading"]) == [["c1", "AB"]]
    assert json.loads(facts["inputs"]).keys() == {"reads", "calls"}


def test_the_same_reads_make_the_same_bytes(table):
    assert table().read_bytes() == table().read_bytes()


def test_reads_are_not_called_by_another_guideline_than_the_software(table):
    with pytest.raises(ConfigError, match="the calls were made by breast_2023, not by breast_2018"):
        table(guideline="breast_2018")


def test_a_guideline_that_does_not_exist_is_refused(table):
    with pytest.raises(ConfigError, match="breast_1999"):
        table(guideline="breast_1999")
